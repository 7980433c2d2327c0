"""The watch over one source: a poller for each of its resources, and one pair of eyes on its staleness."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import TypeVar

import msgspec

from fleetpulse import clock
from fleetpulse.eventqueue.eventqueue import Consumer, EventQueue
from fleetpulse.fleet.summary import Summary
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.sweeping.devices import DevicesPoller
from fleetpulse.sweeping.gate import Gate
from fleetpulse.sweeping.lanes import Lanes
from fleetpulse.sweeping.leash import Leash
from fleetpulse.sweeping.neighbours import Neighbours
from fleetpulse.sweeping.pacer import Pacer
from fleetpulse.sweeping.pollers import Pace, Pollers
from fleetpulse.sweeping.remembered import Remembered, show
from fleetpulse.sweeping.rounds import Rounds
from fleetpulse.sweeping.schedule import Schedule
from fleetpulse.sweeping.staleness import Staleness
from fleetpulse.sweeping.standing import Standing
from fleetpulse.sweeping.swept import Progress
from fleetpulse.vendors.contract import Kind, Vendor

__all__ = ["Pace", "Watch"]

Service = Callable[[], Coroutine[None, None, None]]
Result = TypeVar("Result")


class Watch:
    """Builds the pollers of one source and holds what they share. `services` are to be run by their names.

    `pacer` and `gate` are the account's. `requests_of` foretells what a sweep of a resource takes for so many devices.
    """

    def __init__(
        self,
        *,
        remembered: Remembered,
        vendor: Vendor,
        pace: Pace,
        pacer: Pacer,
        requests_of: Callable[[str, int], int],
        gate: Gate,
        neighbours: Neighbours,
        journal: Journal,
        queue: EventQueue,
        evaluator: Consumer,
        pages: FleetPages,
        meters: Meters,
        redact: Callable[[str], str],
        random: Random,
    ) -> None:
        self.remembered = remembered
        self.standing = Standing(
            record=remembered.record,
            main=next(iter(vendor.resources)),
            journal=journal,
            queue=queue,
            evaluator=evaluator,
            pages=pages,
            meters=meters,
        )
        self._vendor = vendor
        self._pace = pace
        self._door = gate.door()
        self._redact = redact
        self._meters = meters
        self._random = random
        fleet = remembered.fleet
        lanes = Lanes(
            pacer=pacer,
            resources=vendor.resources,
            fleet=fleet,
            requests_of=requests_of,
            asleep=lambda: self.paused,
        )
        elsewhere = partial(neighbours.elsewhere, fleet.source)
        makers = Pollers(vendor=vendor, remembered=remembered, pages=pages, pace=pace, lanes=lanes, elsewhere=elsewhere)
        self._counted = makers.counted
        self._rounds = {resource: self._rounds_of(resource, lanes) for resource in vendor.resources}
        self._pollers = {resource: makers.of(rounds) for resource, rounds in self._rounds.items()}
        self._visits: set[Leash] = set()
        self._door.listen(self._end_visits)
        self.standing.listen(self._end_visits)
        self.standing.listen(pacer.replan)
        self._staleness = Staleness(standing=self.standing, stale_for=self.stale_for)
        pacer.listen(self._replanned)
        neighbours.add(
            fleet, newcomers=makers.newcomers, fresh=lambda: self.standing.fresh(clock.now(), self.stale_for())
        )
        kinds = {resource.kind for resource in vendor.resources.values()}
        show(remembered, pages, kinds=kinds, finished_for=pace.finished_for)
        self.standing.show_remembered(self.stale_for())

    @property
    def services(self) -> Mapping[str, Service]:
        """What runs for ever, by a name that people understand."""
        pollers: dict[str, Service] = {
            f"poller {self.standing.source}/{resource}": poller.run for resource, poller in self._pollers.items()
        }
        source = self.standing.source
        return {**pollers, f"staleness {source}": self._staleness.run, f"pauses {source}": self.standing.run}

    @property
    def asked_intervals(self) -> Mapping[str, timedelta]:
        """How often each resource is to be swept, the main one first."""
        return {resource: rounds.schedule.interval for resource, rounds in self._rounds.items()}

    @property
    def live_intervals(self) -> Mapping[str, timedelta]:
        """How often each resource is swept as things are, the main one first."""
        return {resource: rounds.live_interval for resource, rounds in self._rounds.items()}

    @property
    def progress(self) -> Mapping[str, Progress]:
        """How far the sweeps under way have come; a list of devices without a total is taken to be as long as known."""
        known = len(self.remembered.fleet) or None
        under_way: dict[str, Progress] = {}
        for resource, rounds in self._rounds.items():
            progress = rounds.progress
            if progress is not None and progress.total is None and self._lists_devices(resource):
                progress = msgspec.structs.replace(progress, total=known)
            if progress is not None:
                under_way[resource] = progress
        return under_way

    @property
    def summary(self) -> Summary | None:
        """The vendor's own count, as it was last."""
        return self._counted.summary

    @property
    def paused(self) -> bool:
        """Whether an operator wants no sweeps."""
        return self.standing.paused is not None

    @property
    def paused_until(self) -> datetime | None:
        """When the pause ends by itself; None while there is none, and of one without an end."""
        return None if self.standing.paused is None else self.standing.paused.until_at

    @property
    def key_trusted(self) -> bool:
        """Whether the vendor takes the key, as far as anybody knows: a refusal may wait to be confirmed."""
        return self._door.trusted

    async def visit(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Ask the vendor something by hand.

        Errors: CutOffError when the source is paused, or its key comes in doubt, meanwhile; those of the work.
        """
        leash = Leash()
        self._visits.add(leash)
        try:
            return await leash.hold(work)
        finally:
            self._visits.discard(leash)

    def visitor_refused(self, detail: str) -> None:
        """The vendor refused the key to somebody who asked by hand: the main resource's poller is to confirm it."""
        self._door.refused(detail, main=False)

    def stale_for(self) -> timedelta:
        """How old the last good sweep of the main resource may grow, as things are."""
        main = self._rounds[self.standing.main]
        return main.schedule.stale_for(main.live_interval)

    async def pause(self, until: datetime | None) -> None:
        """Send no request any more, until then or until `resume` or `retry`; it survives a restart.

        Errors: those of the journal.
        """
        await self.standing.pause(until=until)

    async def resume(self) -> None:
        """End a pause, and sweep everything now.

        Errors: those of the journal.
        """
        await self.standing.resume()

    async def retry(self) -> None:
        """Sweep everything now, also where its key is refused; ends a pause.

        Errors: those of the journal.
        """
        await self.standing.resume()
        for rounds in self._rounds.values():
            rounds.retry()

    def accept_shorter_list(self) -> None:
        """Believe the vendor's list of devices however short it is."""
        for poller in self._pollers.values():
            if isinstance(poller, DevicesPoller):
                poller.accept_shorter_list()

    def _end_visits(self) -> None:
        """What pollers may not ask now, nobody may."""
        if self.paused or not self.key_trusted:
            for leash in self._visits:
                leash.cut_off()

    def _replanned(self) -> None:
        for resource, rounds in self._rounds.items():
            rounds.stir()
            self._meters.sweep_every(self.standing.source, resource, rounds.live_interval.total_seconds())

    def _lists_devices(self, resource: str) -> bool:
        return self._vendor.resources[resource].kind is Kind.DEVICES

    def _rounds_of(self, resource: str, lanes: Lanes) -> Rounds:
        interval = self._pace.intervals.get(resource, self._vendor.resources[resource].interval)
        return Rounds(
            resource=resource,
            schedule=Schedule(interval, self._pace.stale_after),
            lane=lanes.sweeps(resource, interval),
            standing=self.standing,
            door=self._door,
            meters=self._meters,
            redact=self._redact,
            random=self._random,
        )
