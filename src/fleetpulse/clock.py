"""The one source of time.

Everything that decides takes `now` as an argument; what awaits asks here. A test loop that moves time
carries its lead over the real clock as `skew_s`, and both functions follow it.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _skew_s() -> float:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return 0.0
    return float(getattr(loop, "skew_s", 0.0))


def now() -> datetime:
    """The wall clock, aware and in UTC."""
    return datetime.now(UTC) + timedelta(seconds=_skew_s())


def monotonic() -> float:
    """Seconds on a clock that never goes back; only differences mean anything."""
    return time.monotonic() + _skew_s()


def to_us(at: datetime) -> int:
    """Microseconds since 1970 of an aware time: how the journal keeps times."""
    return (at - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The inverse of `to_us`."""
    return _EPOCH + timedelta(microseconds=us)


async def sleep_until(due_monotonic: float) -> None:
    """Sleep to a due time of `monotonic`; return at once where it has passed."""
    await asyncio.sleep(max(0.0, due_monotonic - monotonic()))
