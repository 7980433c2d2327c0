"""One instance per journal: a lock on a file beside it."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from fleetpulse.journal.errors import JournalHeldError, JournalUnavailableError, told_with_cure
from fleetpulse.journal.identity import Identity

_LONGEST_PID_BYTES = 32


class FileLock:
    """Held from `hold` to `release`, or to the end of the process however it ends.

    The file stays when the lock is given back: deleting it would let two processes lock two files of one name.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self.identity = Identity.of(path, os.fstat(descriptor))

    @classmethod
    def hold(cls, journal: Path) -> "FileLock":
        """Lock `journal` by the file `JOURNAL.lock`, with our process id in it for people.

        Errors: JournalHeldError, JournalUnavailableError.
        """
        path = journal.with_name(f"{journal.name}.lock")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError as error:
            raise JournalUnavailableError(
                f"journal {journal}: the directory {journal.parent} does not exist; create it"
            ) from error
        except OSError as error:
            raise JournalUnavailableError(
                f"journal {journal}: {path} cannot be written: "
                + told_with_cure(error, cure="give the user of this process the right to write in that directory")
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, _LONGEST_PID_BYTES, 0).decode(errors="replace").strip()
            os.close(descriptor)
            if not isinstance(error, BlockingIOError):
                raise JournalUnavailableError(
                    f"journal {journal}: {path} cannot be locked: {error.strerror}; put the journal on a local disk"
                ) from error
            raise JournalHeldError(
                f"journal {journal} is held by another instance (pid {holder or 'unknown'}); stop that one first"
            ) from error
        with suppress(OSError):  # on a full disk the lock holds all the same, only nobody can read who holds it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor, path)

    def release(self) -> None:
        """Let the next instance have it."""
        os.close(self._descriptor)
