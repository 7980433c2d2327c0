"""Sweeps readings that take a request for each device: one after the other, spread evenly over the live interval."""

from collections import deque
from typing import NoReturn

from fleetpulse import clock
from fleetpulse.fleet.device import Aspect, DeviceStatus, Sighting
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.fleet.source import SourceRecord, swept_well
from fleetpulse.fleet.walk import Walk
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.sweeping.rounds import Rounds
from fleetpulse.sweeping.spread import OneByOne, Spread, census_taken
from fleetpulse.sweeping.standing import Entry
from fleetpulse.sweeping.swept import Swept
from fleetpulse.vendors.contract import ReadsReadings


class ReadingsPoller:
    """Sweeps one resource of readings of one source.

    A sweep is a pass over all known devices but the missing; one that breaks goes on with the next device. The first
    one of a process begins anywhere, or frequent restarts would starve the fleet's end.
    """

    def __init__(self, *, vendor: ReadsReadings, fleet: KnownFleet, pages: FleetPages, rounds: Rounds) -> None:
        self._vendor = vendor
        self._fleet = fleet
        self._pages = pages
        self._rounds = rounds
        self._left: deque[str] = deque()
        self._devices = 0
        self._begun = False
        self._one_by_one = OneByOne(rounds)
        self._spread = Spread(step=lambda: rounds.lane.live / max(1, self._devices))

    async def run(self) -> NoReturn:
        """Sweep for ever.

        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        await self._rounds.run(self._sweep)

    async def _sweep(self) -> Swept:
        await census_taken(self._rounds.standing)
        if not self._left:
            self._begin()
        while self._left:
            await self._spread.turn()
            await self._rounds.admitted()
            await self._read(self._left.popleft())
        await self._rounds.standing.write(self._swept_well)
        return Swept(rows=self._devices)

    def _begin(self) -> None:
        self._left = deque(
            device
            for segment in self._fleet.segments().values()
            for device, known in segment.items()
            if known.status is not DeviceStatus.MISSING
        )
        self._devices = len(self._left)
        if not self._begun:
            self._left.rotate(self._rounds.random.randrange(max(1, self._devices)))
        self._begun = True
        self._rounds.begin(total=self._devices)

    async def _read(self, device: str) -> None:
        known = self._fleet.device(device)
        if known is None or known.status is DeviceStatus.MISSING:
            return
        sighting = await self._one_by_one.ask(lambda: self._vendor.readings(self._rounds.resource, device))
        if sighting is None:
            return
        self._rounds.answered()
        await self._rounds.mended()
        if sighting.device.id == device:
            await self._rounds.standing.write(lambda _: self._entry(sighting))

    def _entry(self, sighting: Sighting) -> Entry:
        now, known = clock.now(), self._fleet.device(sighting.device.id)
        if known is None or known.status is DeviceStatus.MISSING:
            return Entry()  # it went while it was asked for, which readings have no say in
        walk = Walk(started_at=now, baseline=self._rounds.baseline, late=self._rounds.late())
        changes = self._fleet.compare([sighting], walk=walk, seen_at=now, aspects=Aspect.READINGS)

        def accept() -> None:
            self._fleet.accept(changes)
            self._pages.devices(self._fleet, vendor=self._rounds.standing.record.vendor, changes=changes)

        return Entry(events=changes.events, segments=changes.segments, accept=accept)

    def _swept_well(self, record: SourceRecord) -> Entry:
        record, events = swept_well(record, self._rounds.resource, complete=True, seen_at=clock.now())
        return Entry(events=events, record=record)
