"""Single values as vendors spell them: times, words, texts, numbers. Nothing here raises."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from fleetpulse.vendors.contract import NO_WORD

COUNT_MAX = 10**9  # of devices or findings; JSON may hold numbers that no other room can store
TEXT_LIMIT = 200  # names and versions are short; a label value of kilobytes would travel into every scrape
_WORD_SHOWN = 40
_TIME_LIMIT = 64
_NO_TIME_UP_TO_YEAR = 1970  # the zero of Go and .NET (year 1) and of Unix: "never", not a time
# controls, and what shows nothing or turns the direction of a line, by which a name could disguise another
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff\U000e0000-\U000e007f]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MONTHS: Mapping[str, int] = {
    month: number
    for number, month in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_RFC_1123 = re.compile(
    rf"[A-Z][a-z]{{2}}, (\d\d) ({'|'.join(_MONTHS)}) ([1-9]\d{{3}}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII
)
_OUTPUT_UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]+")


def parse_time(value: object) -> datetime | None:
    """An aware UTC time of any form seen; None for nonsense and "no time" (null, empty, all zeros, 1970 and before).

    Forms: ISO with `Z` or an offset and any number of fraction digits, `YYYY-MM-DD HH:MM:SS` and a date alone as UTC,
    RFC 1123. Source: docs/vendors/README.md, "Values".
    """
    if type(value) is not str or len(value) > _TIME_LIMIT:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        slow = _slow_time(value)
        if slow is None:
            return None
        at = slow
    if at.tzinfo is not UTC:
        try:
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except OverflowError:  # the edges of the calendar, moved by an offset
            return None
    return at if at.year > _NO_TIME_UP_TO_YEAR else None


def _slow_time(value: str) -> datetime | None:
    trimmed = value.strip()
    try:
        if fixed := _RFC_1123.fullmatch(trimmed):  # its only layout in use; the parser of mail takes five times as long
            day, month, year, hour, minute, second = fixed.groups()
            return datetime(int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        if trimmed[:1].isalpha():  # with a day's name; the zero date is not worth that parser's time
            return parsedate_to_datetime(trimmed)
        return datetime.fromisoformat(trimmed) if trimmed != value else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def word(value: object) -> str:
    """A status word's normal form: trimmed, casefolded; spaces, `-` and `_` count as the same."""
    if type(value) is not str:
        return ""
    return "_".join(value.casefold().replace("-", " ").replace("_", " ").split())


def text(value: object, limit: int = TEXT_LIMIT) -> str:
    """One line of printable text: of a string, or of a number; anything else is empty."""
    if type(value) is str and len(value) <= limit and value.isprintable():  # as nearly all are: nothing is to be done
        return value.strip()
    if type(value) is int or type(value) is float:
        value = _spelled(value)
    if type(value) is not str:
        return ""
    # a thousand times the limit is enough to find the first printable characters in
    line = _UNPRINTABLE.sub(" ", _INVISIBLE.sub("", value[: 1000 * limit])).strip()
    return _SURROGATE.sub("\ufffd", line)[:limit]


def identifier(value: object) -> str:
    """An id as text; empty where it is too long to be told whole, for cut short two of them might become one."""
    return "" if type(value) is str and len(value) > TEXT_LIMIT else text(value)


def unknown_word(strange: Iterable[object], *, redact: Callable[[str], str]) -> str:
    """What a page says that nobody knows: the first of these values that can be shown, redacted and short.

    NO_WORD where none of them can; empty where there are none.
    """
    shown = ""
    for value in strange:
        if shown := text(redact(text(value)), _WORD_SHOWN):
            return shown
        shown = NO_WORD
    return shown


def output_tail(value: object, limit: int) -> str:
    """The end of what a program printed: newlines stay, other control characters go."""
    if type(value) is not str:
        return ""
    tail = value[-1000 * limit :].replace("\r\n", "\n")
    return _SURROGATE.sub("\ufffd", _OUTPUT_UNPRINTABLE.sub(" ", tail)).strip()[-limit:]


def number(value: object) -> float | None:
    """A finite number, also where it came as text; None for anything else (true is no number)."""
    if type(value) is str:
        if len(value) > TEXT_LIMIT:
            return None
    elif type(value) is not int and type(value) is not float:
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _spelled(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # an integer of thousands of digits
        return ""
