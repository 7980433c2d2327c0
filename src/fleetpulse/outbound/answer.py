"""An answer as it came, and what its `Retry-After` asks for."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

_LONGEST_PAUSE_S = 3600.0  # whoever asks for more is mistaken, or we would be blind for too long


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Status, headers (any case finds them), the whole unpacked body, and how long it took.

    `retry_after_s` is the pause the other side asks for, from 0 to 1 h; nonsense counts as absent.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    retry_after_s: float | None = None


def retry_after_s(header: str | None, *, now: datetime) -> float | None:
    """The pause that a `Retry-After` of seconds or of an HTTP date asks for; None where it is absent or absurd."""
    if header is None:
        return None
    pause_s = _seconds(header, now=now)
    if pause_s is None or not math.isfinite(pause_s) or not 0 <= pause_s <= _LONGEST_PAUSE_S:
        return None
    return pause_s


def _seconds(header: str, *, now: datetime) -> float | None:
    try:
        return float(header)
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(header)
        aware = at if at.tzinfo else at.replace(tzinfo=UTC)  # an HTTP date is GMT even where it forgets to say so
        return (aware - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
