"""The vendor's paging: `limit`, `after`, and tokens that hold a cursor and the page size (Q14)."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000


class Numbered(Protocol):
    """A row of a paged list; serial numbers begin at 1."""

    @property
    def serial(self) -> int:
        """The row's place in the order of creation; it never changes."""


Row = TypeVar("Row", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Window:
    """What part of a list is asked for: `limit` rows past the one with the serial number `cursor` (0: from the top)."""

    cursor: int
    limit: int


def window(query: Mapping[str, str]) -> Window:
    """Read `limit` and `after`.

    Errors: ValueError, worded for the client. A token whose page size differs from `limit` is refused too: what
    the vendor does then is unknown, and a client that relies on it should hear of it here.
    """
    limit = _limit(query.get("limit"))
    after = query.get("after")
    if not after:
        return Window(0, limit)
    cursor, token_limit = _opened(after)
    if token_limit != limit:
        message = f"the cursor was made for limit {token_limit}, not {limit}"
        raise ValueError(message)
    return Window(cursor, limit)


def token(cursor: int, limit: int) -> str:
    """Make the token of the page that follows the row with this serial number."""
    return base64.b64encode(json.dumps({"cursor": cursor, "limit": limit}).encode()).decode()


def ascending(rows: Sequence[Row], asked: Window) -> Sequence[Row]:
    """Cut the page out of `rows`, which are in order of creation."""
    start = bisect_right(rows, asked.cursor, key=lambda row: row.serial) if asked.cursor else 0
    return rows[start : start + asked.limit]


def descending(rows: Sequence[Row], asked: Window) -> Sequence[Row]:
    """Cut the page out of `rows`, which are newest first."""
    start = bisect_right(rows, -asked.cursor, key=lambda row: -row.serial) if asked.cursor else 0
    return rows[start : start + asked.limit]


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_LIMIT):
        message = f"limit must be an integer from 1 to {MAX_LIMIT}"
        raise ValueError(message)
    return int(text)


def _opened(after: str) -> tuple[int, int]:
    message = "the cursor in 'after' is not valid"
    try:
        content = json.loads(base64.b64decode(after, validate=True))
    except (binascii.Error, ValueError) as error:
        raise ValueError(message) from error
    match content:
        case {"cursor": int(cursor), "limit": int(limit)} if cursor >= 0:
            return cursor, limit
    raise ValueError(message)
