"""Shares one account's budget among all that is swept through it: who is swept how often, as things are."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

import structlog

from fleetpulse.durations import format_duration
from fleetpulse.outbound import Budget, Priority
from fleetpulse.sweeping.plan import Demand, needed, plan

NEWS: Final = 1 / 5  # an interval that changed by less is not worth a line, nor a poller's waking
_NAMED: Final = 6  # resources in a log line; of an account with many sources the rest is counted
_HOUR: Final = timedelta(hours=1)
_COARSE: Final = timedelta(minutes=10)

Key = tuple[str, str]
"""Source and resource."""


class Lane:
    """What one resource asks of its account, and the interval that it is given.

    `expected` tells how many requests a sweep should take; what the last whole one took is believed instead, and while
    one is under way, no fewer than it has taken. It asks for nothing while its source is `asleep`.
    """

    def __init__(
        self,
        pacer: "Pacer",
        key: Key,
        *,
        priority: Priority,
        interval: timedelta,
        expected: Callable[[], float],
        asleep: Callable[[], bool],
    ) -> None:
        self.interval = interval
        """As it is asked for."""
        self._pacer = pacer
        self._key = key
        self._priority = priority
        self._expected = expected
        self._asleep = asleep
        self._so_far = 0
        self._took: int | None = None
        self._idle = False

    @property
    def demand(self) -> Demand:
        """What it asks for."""
        likely = self._expected() if self._took is None else self._took
        requests = 0 if self._idle or self._asleep() else max(likely, self._so_far)
        return Demand(*self._key, self._priority, self.interval, requests)

    @property
    def live(self) -> timedelta:
        """The interval that the budget carries now."""
        return self._pacer.planned(self._pacer.speed)[self._key]

    @property
    def step(self) -> timedelta:
        """How far apart its requests are when they are spread evenly over the live interval."""
        return self.live / max(1.0, self.demand.requests)

    @property
    def at_best(self) -> timedelta:
        """The interval that the budget would carry at full speed."""
        return self._pacer.planned(self._pacer.ceiling)[self._key]

    def begin(self) -> None:
        """A sweep begins; one that goes on where it broke does not."""
        self._so_far, self._idle = 0, False

    def requested(self) -> None:
        """The sweep under way took one request more."""
        self._so_far += 1

    def ended(self) -> None:
        """The sweep under way has ended well, so it is known what one takes."""
        self._took = self._so_far

    def rest(self) -> None:
        """Ask for nothing until the next sweep begins."""
        self._idle = True

    def tell(self) -> None:
        """Log what became of the intervals of all who share the budget, where that is news."""
        self._pacer.tell()


class Pacer:
    """Plans over one account's budget: what is asked of it, and so the interval of each lane. One per account."""

    def __init__(self, *, budget: Budget) -> None:
        self._budget = budget
        self._lanes: dict[Key, Lane] = {}
        self._told: Mapping[Key, timedelta] = {}
        self._listeners: list[Callable[[], None]] = []
        self._log = structlog.get_logger(__name__)

    @property
    def speed(self) -> float:
        """Requests per second that the budget grants, its pauses aside."""
        return self._budget.speed

    @property
    def ceiling(self) -> float:
        """Requests per second at full speed."""
        return self._budget.ceiling

    @property
    def needed(self) -> float:
        """Requests per second that would carry every interval as it is asked for."""
        return needed(self._demands())

    def lane(
        self,
        source: str,
        resource: str,
        *,
        priority: Priority,
        interval: timedelta,
        expected: Callable[[], float],
        asleep: Callable[[], bool] = lambda: False,
    ) -> Lane:
        """A lane for one more resource; `resource` may be a part of one that is paced by itself."""
        key = (source, resource)
        self._lanes[key] = Lane(self, key, priority=priority, interval=interval, expected=expected, asleep=asleep)
        return self._lanes[key]

    def listen(self, wake: Callable[[], None]) -> None:
        """Call this when the intervals have changed."""
        self._listeners.append(wake)

    def planned(self, speed: float) -> Mapping[Key, timedelta]:
        """The interval of every lane at this speed."""
        return plan(self._demands(), granted=speed)

    def tell(self) -> None:
        """Log that intervals begin to stretch, change by more than a fifth, or no longer stretch; once."""
        planned = self.planned(self.speed)
        stretched = {key: live for key, live in planned.items() if live > self._lanes[key].interval}
        if not _news(self._told, stretched):
            return
        self._told = stretched
        carries = f"the budget carries {self.speed:.2g} of {self.needed:.2g} requests/s needed"
        if stretched:
            self._log.warning(f"{carries}: {self._named(stretched)}")
        else:
            self._log.info("the budget carries every interval again")
        for wake in self._listeners:
            wake()

    def _demands(self) -> list[Demand]:
        return [lane.demand for lane in self._lanes.values()]

    def _named(self, stretched: Mapping[Key, timedelta]) -> str:
        """Each with its interval; by its source too where the account has several."""
        several = len({source for source, _ in self._lanes}) > 1
        named = [
            f"{source}/{resource} every {_spoken(live)}" if several else f"{resource} every {_spoken(live)}"
            for (source, resource), live in stretched.items()
        ]
        more = len(named) - _NAMED
        return ", ".join([*named[:_NAMED], *([f"{more} more"] if more > 0 else [])])


def _news(told: Mapping[Key, timedelta], stretched: Mapping[Key, timedelta]) -> bool:
    if told.keys() != stretched.keys():
        return True
    return any(abs(live - told[key]) > NEWS * told[key] for key, live in stretched.items())


def _spoken(interval: timedelta) -> str:
    """Rounded, for a plan is no promise to the second."""
    unit = timedelta(seconds=1)
    if interval >= _HOUR:
        unit = timedelta(minutes=1)
    elif interval >= _COARSE:
        unit = timedelta(seconds=10)
    return format_duration(max(unit, (interval + unit / 2) // unit * unit))
