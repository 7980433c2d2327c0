"""What stands beside a page's rows: the count of all, and the way to the next page."""

import msgspec

from fleetpulse.vendors.contract import CursorRefused
from fleetpulse.vendors.wire import number, sendable
from fleetpulse.vendors.wire.values import COUNT_MAX


class Onward(msgspec.Struct, frozen=True):
    """The cursor of the next page, None at the end; `problem` tells why an announced page cannot be asked for."""

    cursor: str | None = None
    problem: str = ""


def onward(next_cursor: object, *, rows: int) -> Onward:
    """What follows a page of so many rows. Null, empty and absent all mean the end: the vendor uses more than one."""
    if next_cursor is None or next_cursor == "":
        return Onward()
    if not sendable(next_cursor):
        return Onward(problem="a next_cursor that cannot be sent")
    if not rows:
        return Onward(problem="an empty page announces another one")
    return Onward(str(next_cursor))


def resumed(resume: str | None) -> str | None:
    """The cursor to begin with; None from the start.

    Errors: CursorRefused for what no page ever gave.
    """
    if resume is not None and not sendable(resume):
        raise CursorRefused("the place of the broken walk cannot be read")
    return resume


def count(value: object) -> int | None:
    """A count, where it is one; an absurd one is cut, for people have to read it."""
    found = number(value)
    return int(min(found, COUNT_MAX)) if found is not None and found >= 0 else None
