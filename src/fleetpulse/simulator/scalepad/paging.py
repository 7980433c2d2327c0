"""Pages and cursors: base64url of JSON that holds where the last row stood.

A cursor belongs to one order and one set of filters. What the vendor makes of it under others is unknown; a client
that relies on that should hear of it here, so it is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fleetpulse.simulator.scalepad.devices import Device
    from fleetpulse.simulator.scalepad.orders import Key

DEFAULT_SIZE: Final = 50
MAX_SIZE: Final = 500
NOT_VALID: Final = "cursor is not valid"


class Page(NamedTuple):
    """Some rows, and whether more follow."""

    rows: Sequence[Device]
    more: bool


def size(text: str | None, *, clamped: bool) -> int:
    """Read `page_size`; what happens above the most is not documented: it is refused, unless `clamped`.

    Errors: ValueError, worded for the client.
    """
    if text is None:
        return DEFAULT_SIZE
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):  # noqa: PLR2004 - a sane number
        message = "page_size must be a positive integer"
        raise ValueError(message)
    if int(text) > MAX_SIZE and not clamped:
        message = f"page_size must be at most {MAX_SIZE}"
        raise ValueError(message)
    return min(int(text), MAX_SIZE)


def cursor(last: Device, after: Key, *, of: str, made: int) -> str:
    """Make the cursor of what follows a row; `of` names the question, `made` the age of cursors it belongs to."""
    content = {"last_id": last.uuid, "after": after, "of": of, "made": made}
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def opened(text: str, *, of: str, made: int) -> Key:
    """Read where the page begins.

    Errors: ValueError, worded for the client.
    """
    try:
        content: Any = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise ValueError(NOT_VALID) from error
    match content:
        case {
            "of": str(asked),
            "made": int(age),
            "after": [int(rank), float() | int() | str() as value, int(live), int(n)],
        }:
            if asked != of:
                message = "cursor belongs to another sort order or other filters"
                raise ValueError(message)
            if age != made:
                message = "cursor has expired"
                raise ValueError(message)
            return (rank, value, live, n)
    raise ValueError(NOT_VALID)


def page(
    rows: Sequence[Device], *, after: Key | None, limit: int, descending: bool, key: Callable[[Device], Key]
) -> Page:
    """Cut a page out of rows that are in ascending order."""
    if descending:
        end = len(rows) if after is None else bisect_left(rows, after, key=key)
        start = max(0, end - limit)
        return Page(rows[start:end][::-1], more=start > 0)
    start = 0 if after is None else bisect_right(rows, after, key=key)
    return Page(rows[start : start + limit], more=start + limit < len(rows))


def is_uuid(text: str) -> bool:
    """Tell whether this is a UUID in its usual spelling."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
