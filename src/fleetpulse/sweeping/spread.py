"""Requests for one device each, spread evenly over time, and how many of them may fail before their resource does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from fleetpulse import clock
from fleetpulse.sweeping.standing import Standing
from fleetpulse.vendors.contract import AnswerInvalid, ResourceUnavailable, SourceError

CENSUS_AWAITED_S: Final = 30.0  # a new source's first list is seconds to minutes away; what is asked after it can wait
REFUSED_IN_A_ROW: Final = 10  # a device here and there is gone or odd; so many mean the endpoint itself


async def census_taken(standing: Standing) -> None:
    """Wait until it is known which devices there are.

    Cancellation: safe at any time.
    """
    while standing.main not in standing.record.good_at:
        await clock.sleep_until(clock.monotonic() + CENSUS_AWAITED_S)


class Spread:
    """Gives turns that are as far apart as `step` says. Behind a slow budget they are not caught up with."""

    def __init__(self, *, step: Callable[[], timedelta]) -> None:
        self._step = step
        self._last_at: float | None = None

    async def turn(self) -> None:
        """Wait for the next turn; the first one is at once.

        Cancellation: safe at any time.
        """
        if self._last_at is not None:
            await clock.sleep_until(self._last_at + self._step().total_seconds())
        self._last_at = clock.monotonic()


class Refusals:
    """Counts the devices in a row that could not be told of for a reason of their own, from pass to pass."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def answered(self) -> None:
        """One was told of."""
        self._in_a_row = 0

    def bear(self, error: SourceError) -> None:
        """Pass over a device that is gone or odd.

        Errors: the error itself, where it is not the device's own, or too many came in a row.
        """
        self._in_a_row += 1
        if not isinstance(error, (ResourceUnavailable, AnswerInvalid)) or self._in_a_row >= REFUSED_IN_A_ROW:
            self._in_a_row = 0
            raise error
