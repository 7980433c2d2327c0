"""When a resource is swept next, whether what it shows is late, and from when on it is stale. Pure."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

RETRY_S: Final = (5.0, 15.0, 30.0, 60.0)  # pauses after the first, second, ... failure in a row; the last one goes on
LONGEST_RETRY_AFTER_S: Final = 3600.0  # beyond this a vendor's own word counts as nonsense
SPREAD_S: Final = 2.0  # over which a process begins its first sweeps, so that a restart is no burst on our side
SWITCHED_OFF_AGAIN_S: Final = 6 * 3600.0
RESUMES: Final = 3  # in a row without a page; then the walk begins anew, or its first pages would age unseen
_STALE_INTERVALS: Final = 3
_STALE_AT_LEAST: Final = timedelta(minutes=10)
_DOWN_INTERVALS: Final = 2  # a service that was down for longer has missed a sweep


class Schedule(msgspec.Struct, frozen=True):
    """The times of one resource; `stale_after` as configured, None for three live intervals.

    The interval that is asked for is longer *live* where the budget carries no more, or a sweep takes longer.
    """

    interval: timedelta
    stale_after: timedelta | None = None

    @property
    def interval_s(self) -> float:
        """The interval that is asked for, in seconds."""
        return self.interval.total_seconds()

    def first_pause_s(self, share: float) -> float:
        """The pause before the first sweep of a process; `share` is a random number from 0 to 1."""
        return share * min(SPREAD_S, self.interval_s / 10)

    def retry_pause_s(self, failures: int, *, retry_after_s: float | None = None) -> float:
        """The pause after so many failures in a row, an interval at most unless the vendor asks for more."""
        pause_s = min(RETRY_S[min(failures, len(RETRY_S)) - 1], self.interval_s)
        if retry_after_s is None or retry_after_s > LONGEST_RETRY_AFTER_S:
            return pause_s
        return max(pause_s, retry_after_s)

    def stale_for(self, live: timedelta) -> timedelta:
        """How old the last good sweep may grow."""
        return self.stale_after or max(_STALE_INTERVALS * live, _STALE_AT_LEAST)

    def late(self, good_at: datetime | None, now: datetime, *, live: timedelta, first: bool) -> bool:
        """Whether nobody looked for so long that what a walk finds now happened before.

        `first`: it is the first walk of this process, or after a pause, so nobody looked since the last good sweep.
        """
        if good_at is None:
            return False
        allowed = self.stale_for(live)
        return now - good_at > (min(allowed, _DOWN_INTERVALS * live) if first else allowed)
