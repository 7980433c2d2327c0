"""Requests for one device each, spread evenly over time, and how many of them may fail before their resource does."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from fleetpulse import clock
from fleetpulse.sweeping.rounds import Rounds
from fleetpulse.sweeping.standing import Standing
from fleetpulse.vendors.contract import AnswerInvalid, CredentialsRejected, ResourceUnavailable, SourceError

Told = TypeVar("Told")

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


class OneByOne:
    """Asks one device after the other, and passes over those that cannot be told of for a reason of their own.

    How many of these come in a row is counted from pass to pass.
    """

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self._in_a_row = 0

    async def ask(self, question: Callable[[], Awaitable[Told]]) -> Told | None:
        """The answer about one device; None where it is gone or odd, or is refused a key that is good for the list.

        Errors: those of the question that are not the device's own, or where too many came in a row.
        Cancellation: safe at any time.
        """
        while True:
            try:
                told = await question()
            except CredentialsRejected as error:
                if await self._rounds.key_cleared(error):
                    self._pass_over(error)
                    return None
            except (ResourceUnavailable, AnswerInvalid) as error:
                self._pass_over(error)
                return None
            else:
                self._in_a_row = 0
                return told

    def _pass_over(self, error: SourceError) -> None:
        self._in_a_row += 1
        if self._in_a_row >= REFUSED_IN_A_ROW:
            self._in_a_row = 0
            raise error
