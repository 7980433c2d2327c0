"""Which file a path led to, and whether it still leads there."""

import os
from pathlib import Path

import msgspec


class Identity(msgspec.Struct, frozen=True):
    """A file as it was when it was opened. The number cannot be given to another one while anybody has it open."""

    path: Path
    device: int
    inode: int

    @classmethod
    def of(cls, path: Path, status: os.stat_result) -> "Identity":
        """That of the file which has this status."""
        return cls(path, status.st_dev, status.st_ino)

    def stands(self) -> bool:
        """Whether the path leads to the same file. A directory that cannot be looked into proves nothing."""
        try:
            now = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return (now.st_dev, now.st_ino) == (self.device, self.inode)
