"""How often everything can be swept that one account's budget has to carry. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from fleetpulse.outbound import Priority

LOWER_SHARE: Final = 1 / 10  # what those below may count on, as the budget gives them every tenth turn
LONGEST: Final = timedelta(days=36_500)  # as long as any setting may be, so that times may be reckoned with it
_MICROSECONDS: Final = 1e6


class Demand(msgspec.Struct, frozen=True):
    """What one resource of one source asks for: a sweep of so many `requests` once in each `interval`."""

    source: str
    resource: str
    priority: Priority
    interval: timedelta
    requests: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.interval.total_seconds()


def needed(demands: Iterable[Demand]) -> float:
    """The requests per second that would carry all of them at the intervals they ask for."""
    return sum(demand.rate for demand in demands)


def plan(demands: Sequence[Demand], *, granted: float) -> Mapping[tuple[str, str], timedelta]:
    """The interval of each (source, resource) that `granted` requests per second carry; `granted` is more than 0.

    Where all fits, each has the interval it asks for. Else each priority in turn takes what it needs of what is left,
    but leaves a tenth of that to those below it, as far as they need it; what it cannot have stretches all its
    intervals by one factor. So device state keeps its pace while it fits into nine tenths.
    """
    planned: dict[tuple[str, str], timedelta] = {}
    left = granted
    for priority in Priority:
        own = [demand for demand in demands if demand.priority is priority]
        below = needed(demand for demand in demands if demand.priority > priority)
        need = needed(own)
        share = min(need, left - min(below, left * LOWER_SHARE))
        stretch = need / share if share else 1.0
        planned |= {(demand.source, demand.resource): _stretched(demand.interval, stretch) for demand in own}
        left -= share
    return planned


def _stretched(interval: timedelta, factor: float) -> timedelta:
    """Rounded up, so that no rounding asks for more than there is; `LONGEST` at most."""
    seconds = interval.total_seconds() * factor
    if factor <= 1 or seconds >= LONGEST.total_seconds():
        return interval if factor <= 1 else LONGEST
    return timedelta(microseconds=math.ceil(seconds * _MICROSECONDS))
