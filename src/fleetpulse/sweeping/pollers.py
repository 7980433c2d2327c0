"""Makes the poller of each resource of one source, and what its pollers share."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import NoReturn, Protocol, cast

import msgspec

from fleetpulse import clock
from fleetpulse.fleet.known import Elsewhere
from fleetpulse.fleet.tunnels import TunnelChanges
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.sweeping import deployments, jobs, tunnels
from fleetpulse.sweeping.counted import Counted, Newcomers
from fleetpulse.sweeping.deployments import DeploymentsPoller
from fleetpulse.sweeping.devices import DevicesPoller
from fleetpulse.sweeping.enrolments import EnrolmentsPoller
from fleetpulse.sweeping.following import Following
from fleetpulse.sweeping.inventory import FlowsPoller, GroupsPoller, SummaryPoller
from fleetpulse.sweeping.jobs import JobsPoller
from fleetpulse.sweeping.lanes import Lanes
from fleetpulse.sweeping.readings import ReadingsPoller
from fleetpulse.sweeping.remembered import Remembered
from fleetpulse.sweeping.rollouts import Rollouts
from fleetpulse.sweeping.rounds import Rounds
from fleetpulse.sweeping.tunnels import TunnelsPoller
from fleetpulse.vendors.contract import (
    PROTOCOLS,
    Kind,
    ReadsDeployments,
    ReadsDevices,
    ReadsEnrolments,
    ReadsFlows,
    ReadsGroups,
    ReadsJobs,
    ReadsReadings,
    ReadsSummary,
    ReadsTunnels,
    Vendor,
)


class Poller(Protocol):
    """Sweeps one resource of one source."""

    async def run(self) -> NoReturn:
        """Sweep for ever."""
        ...


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """The times of one source, as its settings say. `intervals` overrides the vendor's own by resource."""

    intervals: Mapping[str, timedelta] = {}
    stale_after: timedelta | None = None
    forget_after: timedelta = timedelta(days=7)
    deployments_since: timedelta = timedelta(days=30)
    finished_for: timedelta = timedelta(hours=24)


class Pollers:
    """Makes pollers; what they learn for each other is here."""

    def __init__(
        self,
        *,
        vendor: Vendor,
        remembered: Remembered,
        pages: FleetPages,
        pace: Pace,
        lanes: Lanes,
        elsewhere: Callable[[], Elsewhere],
    ) -> None:
        self.counted = Counted()
        """The vendor's own count."""
        self.newcomers = Newcomers()
        """The devices that appeared lately."""
        self._vendor = vendor
        self._remembered = remembered
        self._pages = pages
        self._pace = pace
        self._lanes = lanes
        self._elsewhere = elsewhere
        source, known = remembered.record.source, remembered
        self._deployments = Following(
            deployments.KIND,
            accept=known.deployments.accept,
            show=lambda: pages.deployments(source, known.deployments.shown(clock.now(), pace.finished_for)),
        )
        self._jobs = Following(
            jobs.KIND,
            accept=known.jobs.accept,
            show=lambda: pages.jobs(source, known.jobs.shown(clock.now(), pace.finished_for)),
        )
        self._tunnels: Following[TunnelChanges] = Following(
            tunnels.KIND,
            accept=known.tunnels.accept,
            show=lambda: pages.tunnels(source, known.tunnels.shown(clock.now(), pace.finished_for)),
            confirmed=lambda changes: changes.confirmed,
        )
        self._makers: Mapping[Kind, Callable[[Rounds], Poller]] = {
            Kind.DEVICES: self._of_devices,
            Kind.DEPLOYMENTS: self._of_deployments,
            Kind.JOBS: self._of_jobs,
            Kind.TUNNELS: self._of_tunnels,
            Kind.FLOWS: self._of_flows,
            Kind.GROUPS: self._of_groups,
            Kind.SUMMARY: self._of_summary,
            Kind.READINGS: self._of_readings,
            Kind.ENROLMENTS: self._of_enrolments,
        }

    def of(self, rounds: Rounds) -> Poller:
        """The poller of the resource that these rounds are of.

        Errors: TypeError where the vendor cannot do what the resource's kind asks of it: a mistake in its package.
        """
        kind = self._vendor.resources[rounds.resource].kind
        if not isinstance(self._vendor, PROTOCOLS[kind]):
            msg = (
                f"{type(self._vendor).__name__} does not fulfil {PROTOCOLS[kind].__name__}, as {rounds.resource} needs"
            )
            raise TypeError(msg)
        return self._makers[kind](rounds)

    def _of_devices(self, rounds: Rounds) -> Poller:
        resource = self._vendor.resources[rounds.resource]
        return DevicesPoller(
            vendor=cast("ReadsDevices", self._vendor),
            fleet=self._remembered.fleet,
            pages=self._pages,
            rounds=rounds,
            census=resource.census,
            whole=None if resource.whole_every is None else self._lanes.whole(rounds.resource, resource.whole_every),
            rollouts=Rollouts(
                deployments=self._remembered.deployments,
                following=self._deployments,
                since=self._pace.deployments_since,
            ),
            newcomers=self.newcomers,
            elsewhere=self._elsewhere,
            forget_after=self._pace.forget_after,
        )

    def _of_deployments(self, rounds: Rounds) -> Poller:
        return DeploymentsPoller(
            vendor=cast("ReadsDeployments", self._vendor),
            deployments=self._remembered.deployments,
            following=self._deployments,
            rounds=rounds,
            looks=partial(self._lanes.looks, rounds.resource),
            since=self._pace.deployments_since,
        )

    def _of_jobs(self, rounds: Rounds) -> Poller:
        return JobsPoller(
            vendor=cast("ReadsJobs", self._vendor), jobs=self._remembered.jobs, following=self._jobs, rounds=rounds
        )

    def _of_tunnels(self, rounds: Rounds) -> Poller:
        return TunnelsPoller(
            vendor=cast("ReadsTunnels", self._vendor),
            tunnels=self._remembered.tunnels,
            following=self._tunnels,
            rounds=rounds,
        )

    def _of_flows(self, rounds: Rounds) -> Poller:
        return FlowsPoller(vendor=cast("ReadsFlows", self._vendor), pages=self._pages, rounds=rounds)

    def _of_groups(self, rounds: Rounds) -> Poller:
        return GroupsPoller(vendor=cast("ReadsGroups", self._vendor), rounds=rounds)

    def _of_summary(self, rounds: Rounds) -> Poller:
        return SummaryPoller(vendor=cast("ReadsSummary", self._vendor), counted=self.counted, rounds=rounds)

    def _of_readings(self, rounds: Rounds) -> Poller:
        return ReadingsPoller(
            vendor=cast("ReadsReadings", self._vendor), fleet=self._remembered.fleet, pages=self._pages, rounds=rounds
        )

    def _of_enrolments(self, rounds: Rounds) -> Poller:
        return EnrolmentsPoller(
            vendor=cast("ReadsEnrolments", self._vendor),
            fleet=self._remembered.fleet,
            deployments=self._remembered.deployments,
            following=self._deployments,
            rounds=rounds,
            search=self._lanes.search(rounds.resource),
            counted=self.counted,
            newcomers=self.newcomers,
            since=self._pace.deployments_since,
        )
