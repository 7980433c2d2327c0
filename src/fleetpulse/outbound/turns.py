"""Who is next and when: the decisions of a budget, as a state machine that is told the time."""

import math
from collections import OrderedDict
from collections.abc import Hashable
from enum import IntEnum
from typing import Generic, TypeVar

Ticket = TypeVar("Ticket", bound=Hashable)

_STRETCH_MAX = 16.0  # beyond this a sweep is so slow that it should fail visibly instead
_CREEP = 1 / 32  # of the ceiling, won back by each success: as slow as one is after having annoyed a host
_LONGEST_PAUSE_S = 3600.0
_TURNS_UNTIL_LOWER = 10  # at least every tenth turn goes to a lower priority that waits


class Priority(IntEnum):
    """What a request is for; the lower number is served first."""

    STATE = 0
    WORK = 1  # deployments, jobs
    INVENTORY = 2
    DETAIL = 3


class Turns(Generic[Ticket]):
    """Evenly spaced turns for waiting tickets, by priority, then by arrival.

    Units: times are seconds of one monotonic clock, `spacing_s` is the time between two turns at full speed.
    The first turn is due one spacing after the start, so that quick restarts make no burst.
    """

    def __init__(self, *, spacing_s: float, in_flight: int, now: float) -> None:
        self.spacing_s = spacing_s
        self.in_flight = in_flight
        self._share = 1.0  # of full speed
        self._flying = 0
        self._last_at = now
        self._before_last_at = now
        self._last: Ticket | None = None
        self._slowed_at = -math.inf
        self._closed_until = -math.inf
        self._upper_in_a_row = 0
        self._arrivals = 0
        self._waiting: dict[Priority, OrderedDict[Ticket, int]] = {priority: OrderedDict() for priority in Priority}

    def join(self, ticket: Ticket, priority: Priority) -> None:
        """Stand in line."""
        self._arrivals += 1
        self._waiting[priority][ticket] = self._arrivals

    def leave(self, ticket: Ticket) -> None:
        """Leave the line without a turn."""
        for line in self._waiting.values():
            line.pop(ticket, None)

    def due_at(self) -> float | None:
        """When the next turn can be granted; None while nobody waits or as much is in flight as may be."""
        if self._flying >= self.in_flight or not any(self._waiting.values()):
            return None
        return max(self._last_at + self.spacing_s / self._share, self._closed_until)

    def grant(self, now: float) -> Ticket | None:
        """The ticket whose turn it is now, if one is due."""
        due_at = self.due_at()
        if due_at is None or now < due_at:
            return None
        ticket, _ = self._waiting[self._next_priority()].popitem(last=False)
        self._before_last_at, self._last_at, self._last = self._last_at, now, ticket
        self._flying += 1
        return ticket

    def finish(self) -> None:
        """A granted turn is over: its request came back, or failed."""
        self._flying -= 1

    def hand_back(self, ticket: Ticket) -> None:
        """A granted turn was not used: nothing is in flight, and the next may go in its place."""
        self.finish()
        if self._last == ticket:
            self._last_at, self._last = self._before_last_at, None

    def slow_down(self, now: float, *, pause_s: float | None = None) -> None:
        """Halve the speed, to a sixteenth at the least; with `pause_s` (0 to 1 h) also grant nothing so long.

        Refusals that arrive within one spacing tell of the same excess as the first and halve nothing more.
        """
        if now - self._slowed_at >= self.spacing_s / self._share:
            self._share = max(self._share / 2, 1 / _STRETCH_MAX)
            self._slowed_at = now
        if pause_s is not None and 0 <= pause_s <= _LONGEST_PAUSE_S:  # NaN is not
            self._closed_until = max(self._closed_until, now + pause_s)

    def speed_up(self) -> None:
        """Win back a little of the full speed."""
        self._share = min(1.0, self._share + _CREEP)

    @property
    def speed(self) -> float:
        """Requests per second, whether or not a pause lasts."""
        return self._share / self.spacing_s

    def granted(self, now: float) -> float:
        """Requests per second as of now; 0 while a pause lasts."""
        return 0.0 if now < self._closed_until else self.speed

    def _next_priority(self) -> Priority:
        """The first priority that waits; at the tenth turn in a row, the longest waiting of those below it."""
        first, *lower = [priority for priority, line in self._waiting.items() if line]
        if not lower:
            self._upper_in_a_row = 0
            return first
        self._upper_in_a_row += 1
        if self._upper_in_a_row < _TURNS_UNTIL_LOWER:
            return first
        self._upper_in_a_row = 0
        return min(lower, key=lambda priority: next(iter(self._waiting[priority].values())))
