"""The watch over one source: a poller for each of its resources, and one pair of eyes on its staleness."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from random import Random

import msgspec

from fleetpulse.eventqueue.eventqueue import Consumer, EventQueue
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.sweeping.deployments import DeploymentsPoller
from fleetpulse.sweeping.devices import DevicesPoller
from fleetpulse.sweeping.gate import Gate
from fleetpulse.sweeping.jobs import JobsPoller
from fleetpulse.sweeping.remembered import Remembered, show
from fleetpulse.sweeping.rounds import Rounds
from fleetpulse.sweeping.schedule import Schedule
from fleetpulse.sweeping.staleness import Staleness
from fleetpulse.sweeping.standing import Standing
from fleetpulse.vendors.contract import Kind, Vendor

Poller = DevicesPoller | DeploymentsPoller | JobsPoller
Service = Callable[[], Coroutine[None, None, None]]


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """The times of one source, as its settings say. `intervals` overrides the vendor's own by resource."""

    intervals: Mapping[str, timedelta] = {}
    stale_after: timedelta | None = None
    forget_after: timedelta = timedelta(days=7)
    deployments_since: timedelta = timedelta(days=30)
    finished_for: timedelta = timedelta(hours=24)


class Watch:
    """Builds the pollers of one source and holds what they share. `services` are to be run by their names."""

    def __init__(
        self,
        *,
        remembered: Remembered,
        vendor: Vendor,
        pace: Pace,
        gate: Gate,
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
        self._pages = pages
        self._meters = meters
        self._random = random
        self._rounds = {resource: self._rounds_of(resource) for resource in vendor.resources}
        self._pollers = {resource: self._poller(resource) for resource in vendor.resources}
        self._staleness = Staleness(standing=self.standing, stale_for=self.stale_for)
        kinds = {resource.kind for resource in vendor.resources.values()}
        show(remembered, pages, kinds=kinds, finished_for=pace.finished_for)
        self.standing.show_remembered(self.stale_for())

    @property
    def services(self) -> Mapping[str, Service]:
        """What runs for ever, by a name that people understand."""
        pollers: dict[str, Service] = {
            f"poller {self.standing.source}/{resource}": poller.run for resource, poller in self._pollers.items()
        }
        return {**pollers, f"staleness {self.standing.source}": self._staleness.run}

    @property
    def live_intervals(self) -> Mapping[str, timedelta]:
        """How often each resource is swept as things are, the main one first."""
        return {resource: rounds.live_interval for resource, rounds in self._rounds.items()}

    def stale_for(self) -> timedelta:
        """How old the last good sweep of the main resource may grow, as things are."""
        main = self._rounds[self.standing.main]
        return main.schedule.stale_for(main.live_interval)

    def retry(self) -> None:
        """Sweep everything now, also where its key is refused."""
        for poller in self._pollers.values():
            poller.retry()

    def accept_shorter_list(self) -> None:
        """Believe the vendor's list of devices however short it is."""
        for poller in self._pollers.values():
            if isinstance(poller, DevicesPoller):
                poller.accept_shorter_list()

    def _rounds_of(self, resource: str) -> Rounds:
        interval = self._pace.intervals.get(resource, self._vendor.resources[resource].interval)
        return Rounds(
            resource=resource,
            schedule=Schedule(interval, self._pace.stale_after),
            standing=self.standing,
            door=self._door,
            meters=self._meters,
            redact=self._redact,
            random=self._random,
        )

    def _poller(self, resource: str) -> Poller:
        vendor, pages, rounds, pace = self._vendor, self._pages, self._rounds[resource], self._pace
        match vendor.resources[resource].kind:
            case Kind.DEVICES:
                fleet = self.remembered.fleet
                return DevicesPoller(
                    vendor=vendor, fleet=fleet, pages=pages, rounds=rounds, forget_after=pace.forget_after
                )
            case Kind.DEPLOYMENTS:
                return DeploymentsPoller(
                    vendor=vendor,
                    deployments=self.remembered.deployments,
                    pages=pages,
                    rounds=rounds,
                    since=pace.deployments_since,
                    finished_for=pace.finished_for,
                )
            case Kind.JOBS:
                jobs = self.remembered.jobs
                return JobsPoller(vendor=vendor, jobs=jobs, pages=pages, rounds=rounds, finished_for=pace.finished_for)
