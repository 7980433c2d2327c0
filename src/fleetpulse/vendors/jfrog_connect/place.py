"""Where a walk over the devices stands, as text that a later walk goes on from."""

from typing import Any

import msgspec

from fleetpulse.vendors.contract import CursorRefused
from fleetpulse.vendors.wire.values import COUNT_MAX


class Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The group that is walked (by its index), the vendor's cursor in it, and what the walk has learned so far.

    `seen` and `pages` count within the group; `total` is the sum of the finished groups; `empty` lists the groups
    that matched no device, `tags` the configured tags that were met (both by index), `tagged` whether any row had tags.
    """

    group: int = 0
    cursor: str = ""
    seen: int = 0
    pages: int = 0
    total: int = 0
    empty: tuple[int, ...] = ()
    tags: tuple[int, ...] = ()
    rows: int = 0
    tagged: bool = False

    def write(self) -> str:
        """The place as one line of text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, resume: str | None, *, groups: int) -> "Place":
        """The place that was written; the beginning where there is none.

        Errors: CursorRefused for text that was never written, or written under other settings.
        """
        if resume is None:
            return cls()
        try:
            place = msgspec.json.decode(resume, type=cls)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise CursorRefused("the place of the broken walk cannot be read") from error
        if not 0 <= place.group <= groups:
            raise CursorRefused("the place of the broken walk is in a group that is no longer configured")
        return place


def total_of(beside: Any) -> int | None:
    """The vendor's count of all rows, where it gives one; an absurd one is cut, for people have to read it."""
    total = beside.get("total") if isinstance(beside, dict) else None
    return min(total, COUNT_MAX) if type(total) is int and total >= 0 else None


def cursor_of(beside: Any) -> str | None:
    """The token of the next page; null, empty and absent mean that there is none."""
    after = beside.get("after") if isinstance(beside, dict) else None
    return after if isinstance(after, str) and after else None
