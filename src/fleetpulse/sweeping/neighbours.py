"""The fleets of one vendor's host: a device that left one of them may be found in another."""

from collections.abc import Callable

from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.known import KnownFleet


class Neighbours:
    """The known fleets of the sources of one vendor and host."""

    def __init__(self) -> None:
        self._fleets: list[tuple[KnownFleet, Callable[[], bool]]] = []

    def add(self, fleet: KnownFleet, *, fresh: Callable[[], bool]) -> None:
        """One more source; `fresh` says whether what is known of it may be believed now."""
        self._fleets.append((fleet, fresh))

    def elsewhere(self, source: str) -> Callable[[str], str]:
        """Names the other source that lists a device now, empty where none does.

        One that is stale is not asked: who left both would count as moved for as long as nobody looks there.
        """

        def place(device: str) -> str:
            for fleet, fresh in self._fleets:
                known = None if fleet.source == source else fleet.device(device)
                if known is not None and known.status is not DeviceStatus.MISSING and fresh():
                    return fleet.source
            return ""

        return place
