"""The fleets of one vendor's host: a device that left one of them may be found in another."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from fleetpulse.fleet.known import Elsewhere, KnownFleet
from fleetpulse.sweeping.counted import Newcomers


class _Neighbour(msgspec.Struct, frozen=True):
    fleet: KnownFleet
    newcomers: Newcomers
    fresh: Callable[[], bool]


class Neighbours:
    """The known fleets of the sources of one vendor and host."""

    def __init__(self) -> None:
        self._all: list[_Neighbour] = []

    def add(self, fleet: KnownFleet, *, newcomers: Newcomers, fresh: Callable[[], bool]) -> None:
        """One more source; `fresh` says whether what is known of it may be believed now."""
        self._all.append(_Neighbour(fleet, newcomers, fresh))

    def elsewhere(self, source: str) -> Elsewhere:
        """Names the other source that lists a device, of those that may be believed now; for one walk's end.

        One that is stale is not asked: who left both would count as moved for as long as nobody looks there. Only who
        appeared after a source's first look is known to have begun to be listed by it, see `Newcomers`.
        """
        others = [each for each in self._all if each.fleet.source != source and each.fresh()]

        def place(device: str, /, *, since: datetime | None = None) -> str:
            for other in others:
                if (since is None or other.newcomers.appeared(device, since)) and other.fleet.lists(device):
                    return other.fleet.source
            return ""

        return place
