"""Shares one account's budget among all that is swept through it: who is swept how often, as things are."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog

from fleetpulse import clock
from fleetpulse.durations import format_duration
from fleetpulse.outbound import Budget, Priority
from fleetpulse.sweeping.plan import Demand, needed, plan

NEWS: Final = 1 / 5  # an interval that changed by less is not worth a line, nor a poller's waking
TOLD_AGAIN_S: Final = 600.0  # a vendor that takes less than it should is felt for: its budget goes up and down all day
_NAMED: Final = 6  # resources in a log line; of an account with many sources the rest is counted
ASKED_EVERY_S: Final = 1.0  # what each lane expects: of a hundred sources that takes milliseconds
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
    def stretch(self) -> float:
        """How many times as long the live interval is as the one that is asked for."""
        return self.live / self.interval

    @property
    def at_best(self) -> timedelta:
        """The interval that the budget would carry at full speed."""
        return self._pacer.planned(self._pacer.ceiling)[self._key]

    def begin(self) -> None:
        """A sweep begins; one that goes on where it broke does not."""
        self._so_far, self._idle = 0, False
        self._pacer.replan()

    def requested(self) -> None:
        """The sweep under way took one request more."""
        self._so_far += 1
        self._pacer.replan()

    def ended(self) -> None:
        """The sweep under way has ended well, so it is known what one takes."""
        self._took = self._so_far
        self._pacer.replan()

    def rest(self) -> None:
        """Ask for nothing until the next sweep begins."""
        self._idle = True
        self._pacer.replan()

    def tell(self) -> None:
        """Tell what became of the intervals of all who share the budget, where that is news."""
        self._pacer.tell()


class Pacer:
    """Plans over one account's budget: what is asked of it, and so the interval of each lane. One per account."""

    def __init__(self, *, budget: Budget) -> None:
        self._budget = budget
        self._lanes: dict[Key, Lane] = {}
        self._heard: Mapping[Key, timedelta] = {}
        self._asked: Sequence[Demand] = ()
        self._asked_until = 0.0
        self._plans: dict[float, Mapping[Key, timedelta]] = {}
        self._told: Mapping[Key, timedelta] = {}
        self._silent_until = -math.inf
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
        self.replan()
        return self._lanes[key]

    def listen(self, wake: Callable[[], None]) -> None:
        """Call this when the intervals have changed."""
        self._listeners.append(wake)

    def planned(self, speed: float) -> Mapping[Key, timedelta]:
        """The interval of every lane at this speed; what the lanes expect is as of a second ago at most."""
        demands = self._demands()
        if speed not in self._plans:
            self._plans[speed] = plan(demands, granted=speed)
        return self._plans[speed]

    def replan(self) -> None:
        """What a lane asks for has changed."""
        self._asked_until = 0.0

    def tell(self) -> None:
        """Let who listens know that intervals begin to stretch, change by more than a fifth, or no longer stretch.

        It is logged too, but not again within ten minutes: then as it is by that time.
        """
        planned = self.planned(self.speed)
        stretched = {
            key: planned[key]
            for key, lane in self._lanes.items()
            if planned[key] > lane.interval and lane.demand.requests  # nobody waits for what asks for nothing
        }
        if _news(self._heard, stretched):
            self._heard = stretched
            for wake in self._listeners:
                wake()
        now = clock.monotonic()
        if _news(self._told, stretched) and now >= self._silent_until:
            self._told, self._silent_until = stretched, now + TOLD_AGAIN_S
            self._say(stretched)

    def _say(self, stretched: Mapping[Key, timedelta]) -> None:
        if stretched:
            carries = f"the budget carries {self.speed:.2g} of {self.needed:.2g} requests/s needed"
            self._log.warning(f"{carries}: {self._named(stretched)}")
        else:
            self._log.info("the budget carries every interval again")

    def _demands(self) -> Sequence[Demand]:
        now = clock.monotonic()
        if now >= self._asked_until:
            self._asked, self._asked_until = [lane.demand for lane in self._lanes.values()], now + ASKED_EVERY_S
            self._plans.clear()
        return self._asked

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
