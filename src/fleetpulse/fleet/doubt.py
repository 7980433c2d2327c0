"""The doubt in a list of devices that is far too short: when it stands, and whom its hour proves gone. Pure."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

DOUBT_SHARE: Final = 0.2
DOUBT_DEVICES: Final = 10
DOUBT_STANDS: Final = timedelta(hours=1)


class Doubt(msgspec.Struct, frozen=True):
    """A complete walk that lists far fewer devices than are known: nobody goes missing by it.

    `absent` are those that no walk since `since_at` listed. An empty list begins both anew: it proves nothing.
    """

    since_at: datetime
    listed: int
    known: int
    absent: frozenset[str]

    def __str__(self) -> str:
        return f"lists {self.listed:,} of {self.known:,} known devices"


def doubtful(absent: int, *, listed: int, known: int) -> bool:
    """Whether so many of the known devices cannot be believed to be gone at once."""
    return absent > 0 and (not listed or absent > max(DOUBT_DEVICES, known * DOUBT_SHARE))


def weigh(
    before: Doubt | None, absent: frozenset[str], *, listed: int, known: int, at: datetime
) -> tuple[frozenset[str], Doubt | None]:
    """Who is believed to be gone by a doubtful walk, and the doubt that stands after it.

    The hour runs while lists are too short, whichever devices they lack: in a living fleet no two are the same. After
    it those are believed that none of them listed, and where the rest alone is too many, the next hour begins.
    """
    if before is None or not before.listed or not listed:
        return frozenset(), Doubt(at, listed, known, absent)
    throughout = absent & before.absent
    if at - before.since_at < DOUBT_STANDS:
        return frozenset(), Doubt(before.since_at, listed, known, throughout)
    rest, known = absent - throughout, known - len(throughout)
    still = doubtful(len(rest), listed=listed, known=known)
    return throughout, Doubt(at, listed, known, rest) if still else None
