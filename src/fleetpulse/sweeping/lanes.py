"""The lanes of one source in its account's budget: what each of its resources asks for, and is expected to take."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from fleetpulse.fleet.deployments import SHORTEST_PAUSE
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.outbound import Priority
from fleetpulse.sweeping.pacer import Lane, Pacer
from fleetpulse.vendors.contract import Resource

SEARCH_WITHIN: Final = timedelta(hours=6)  # a search of the whole fleet, where the budget carries that
SEARCH_STEPS: Final = SEARCH_WITHIN // timedelta(seconds=10)  # at the least: of a small fleet nobody waits for hours


class Lanes:
    """Opens the lanes of one source. `requests_of` foretells what a sweep of a resource takes for so many devices.

    While the source is `asleep`, none of its lanes asks for anything.
    """

    def __init__(
        self,
        *,
        pacer: Pacer,
        resources: Mapping[str, Resource],
        fleet: KnownFleet,
        requests_of: Callable[[str, int], int],
        asleep: Callable[[], bool],
    ) -> None:
        self._pacer = pacer
        self._resources = resources
        self._fleet = fleet
        self._requests_of = requests_of
        self._asleep = asleep

    def sweeps(self, resource: str, interval: timedelta) -> Lane:
        """The lane of a resource's sweeps; how many requests a look at the stalest takes, nobody can foretell."""
        kind = self._resources[resource]
        return self._open(
            resource,
            priority=kind.priority,
            interval=interval,
            expected=partial(self._expected, resource) if kind.whole_every is None else lambda: 1,
        )

    def whole(self, resource: str, every: timedelta) -> Lane:
        """The lane of the walks over all devices, where the sweeps in between look at a few."""
        return self._open(
            f"{resource} whole",
            priority=self._resources[resource].priority,
            interval=every,
            expected=partial(self._expected, resource),
        )

    def looks(self, resource: str, expected: Callable[[], float]) -> Lane:
        """The lane of the looks between two lists, of which so many requests are expected in its interval."""
        return self._open(
            f"{resource} looks",
            priority=self._resources[resource].priority,
            interval=SHORTEST_PAUSE,
            expected=expected,
        )

    def search(self, resource: str) -> Lane:
        """The lane of a search through the fleet: what is left when all else has its part; idle until one begins."""
        lane = self._open(
            f"{resource} search",
            priority=Priority.DETAIL,
            interval=SEARCH_WITHIN,
            expected=lambda: max(SEARCH_STEPS, len(self._fleet)),
        )
        lane.rest()
        return lane

    def _open(self, resource: str, *, priority: Priority, interval: timedelta, expected: Callable[[], float]) -> Lane:
        return self._pacer.lane(
            self._fleet.source,
            resource,
            priority=priority,
            interval=interval,
            expected=expected,
            asleep=self._asleep,
        )

    def _expected(self, resource: str) -> int:
        """Of a missing device nobody asks anything by itself, while a list may still be as long as it was."""
        devices = len(self._fleet)
        if self._resources[resource].per_device:
            counts = self._fleet.counts().items()
            devices -= sum(number for (_, status), number in counts if status is DeviceStatus.MISSING)
        return self._requests_of(resource, devices)
