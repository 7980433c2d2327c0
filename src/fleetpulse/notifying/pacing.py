"""When a receiver may be sent to: at its own pace, and not while it fails or asked to be left alone. Pure."""

from collections.abc import Mapping
from typing import Final

from fleetpulse.durations import Rate
from fleetpulse.receivers.contract import Outcome, Retry

_LONGEST_PAUSE_S: Final = 30.0  # a receiver that returns is found this soon, however many rows it failed
_DOUBLINGS: Final = 5  # 1 s, 2 s, ... 16 s, and then the longest


class Pacing:
    """What one receiver's answers say about the next row, whichever it is. Times are of `clock.monotonic`.

    A row that fails alone, again and again, is that row's trouble, and holds the others up for a second each time; the
    pause only grows with the number of different rows that fail one after the other.
    """

    def __init__(self, rate: Rate | None) -> None:
        self.shut_until = 0.0
        """It fails, or asked for a pause: nothing is sent before."""
        self.next_at = 0.0
        """Its pace allows the next row then."""
        self._gap_s = 0.0 if rate is None else 1 / rate.per_second
        self._failed: set[str] = set()  # the rows since it last took one
        self._failures = 0

    @property
    def failing(self) -> bool:
        """Whether it took nothing of the last that was sent."""
        return bool(self._failures)

    def is_open(self, now: float) -> bool:
        """Whether a row may be sent at this moment."""
        return now >= max(self.shut_until, self.next_at)

    def note(self, outcomes: Mapping[str, Outcome], *, now: float) -> None:
        """Take in what became of rows, by id, that were sent together.

        The pace counts from the answer, not from the sending: so the receiver, too, sees the whole gap between two.
        """
        self.next_at = now + self._gap_s
        retries = {key: outcome for key, outcome in outcomes.items() if isinstance(outcome, Retry)}
        if len(retries) < len(outcomes):
            self._failed.clear()
            self._failures = 0
        elif retries:
            self._fail(retries, now=now)
        asked_s = max((retry.retry_after_s or 0.0 for retry in retries.values()), default=0.0)
        self.shut_until = max(self.shut_until, now + asked_s)

    def _fail(self, retries: Mapping[str, Retry], *, now: float) -> None:
        if self._failures <= _DOUBLINGS and not retries.keys() <= self._failed:
            self._failures += 1
            self._failed.update(retries)
        pause_s = min(_LONGEST_PAUSE_S, 2.0 ** (self._failures - 1))
        self.shut_until = max(self.shut_until, now + pause_s)
