"""Sweeps enrolments, which take a request for each device: only where there is a reason to look."""

import math
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NoReturn

import msgspec
import structlog

from fleetpulse import clock
from fleetpulse.fleet.deployment import Rollout, RolloutStatus
from fleetpulse.fleet.deployments import DeploymentChanges, KnownDeployments
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.fleet.source import SourceRecord
from fleetpulse.fleet.summary import Summary
from fleetpulse.sweeping.counted import Counted, Newcomers
from fleetpulse.sweeping.following import Following
from fleetpulse.sweeping.listing import counted as by_status
from fleetpulse.sweeping.pacer import Lane
from fleetpulse.sweeping.rounds import Rounds
from fleetpulse.sweeping.spread import OneByOne, Spread, census_taken
from fleetpulse.sweeping.standing import Entry
from fleetpulse.sweeping.swept import Swept
from fleetpulse.vendors.contract import ReadsEnrolments

LONGEST_STEP: Final = timedelta(seconds=10)  # between two of few devices, whose enrolment somebody waits for


class EnrolmentsPoller:
    """Sweeps one resource of enrolments of one source.

    A sweep asks for the devices that were never online or appeared within a day. Between sweeps, once the vendor counts
    more failed enrolments than were looked for, the fleet is searched in the lane `search`, until as many devices with
    one are found as the vendor counts.
    """

    def __init__(
        self,
        *,
        vendor: ReadsEnrolments,
        fleet: KnownFleet,
        deployments: KnownDeployments,
        following: Following[DeploymentChanges],
        rounds: Rounds,
        search: Lane,
        counted: Counted,
        newcomers: Newcomers,
        since: timedelta,
    ) -> None:
        self._vendor = vendor
        self._fleet = fleet
        self._deployments = deployments
        self._following = following
        self._rounds = rounds
        self._search = search
        self._counted = counted
        self._newcomers = newcomers
        self._since = since
        self._one_by_one = OneByOne(rounds)
        self._searched_for: int | None = None
        self._to_search: deque[str] = deque()
        self._affected: set[str] = set()
        self._next_at = 0.0
        self._log = structlog.get_logger(__name__).bind(source=fleet.source, resource=rounds.resource)
        counted.listen(rounds.stir)

    async def run(self) -> NoReturn:
        """Sweep for ever.

        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        await self._rounds.run(self._sweep, self._search_on)

    async def _sweep(self) -> Swept:
        await census_taken(self._rounds.standing)
        devices = self._unsettled()
        spread = Spread(step=lambda: min(self._rounds.lane.live / max(1, len(devices)), LONGEST_STEP))
        self._rounds.begin(total=len(devices))
        for device in devices:
            await spread.turn()
            await self._rounds.admitted()
            if await self._ask(device) is not None:
                self._rounds.answered()
        await self._rounds.standing.write(self._swept_well)
        return Swept(rows=len(devices))

    def _unsettled(self) -> list[str]:
        """The devices whose enrolment is not done, or was not long ago, each once."""
        recent = self._newcomers.recent(clock.now())
        pending = (
            device
            for segment in self._fleet.segments().values()
            for device, known in segment.items()
            if not known.ever_online and known.status is not DeviceStatus.MISSING
        )
        return [device for device in dict.fromkeys((*recent, *pending)) if self._listed(device)]

    def _listed(self, device: str) -> bool:
        known = self._fleet.device(device)
        return known is not None and known.status is not DeviceStatus.MISSING

    async def _search_on(self) -> float:
        """Look at one more device of a search, if there is one to do; in how many seconds the next is due."""
        summary = self._risen()
        if summary is None:
            self._forget_search()
            return math.inf
        if self._searched_for is None:
            self._begin_search(summary)
        left_s = self._next_at - clock.monotonic()
        if left_s > 0:  # woken by another summary
            return left_s
        enough = math.inf if summary.affected_devices is None else summary.affected_devices
        if not self._to_search or len(self._affected) >= enough:
            await self._end_search()
            return 0.0
        device = self._to_search.popleft()
        if self._listed(device):
            rollouts = await self._ask(device)
            if any(rollout.status is RolloutStatus.FAILED for rollout in rollouts or ()):
                self._affected.add(device)
        step_s = self._search.step.total_seconds()
        self._next_at = clock.monotonic() + step_s
        return step_s

    def _risen(self) -> Summary | None:
        """The summary, where it counts more errors than were looked for."""
        summary, known = self._counted.summary, self._rounds.standing.record.enrolment_errors
        if summary is None or summary.enrolment_errors is None or known is None:
            return None
        return summary if summary.enrolment_errors > known else None

    def _begin_search(self, summary: Summary) -> None:
        """Those that are new first, then those that failed before, then the rest."""
        failed = (
            device
            for deployment in self._deployments.shown(clock.now(), timedelta.max)
            for device in deployment.failed()
        )
        everyone = (device for segment in self._fleet.segments().values() for device in segment)
        self._to_search = deque(dict.fromkeys((*self._newcomers.recent(clock.now()), *failed, *everyone)))
        self._searched_for, self._affected = summary.enrolment_errors, set()
        self._search.begin()
        self._log.info(
            "the vendor counts more failed enrolments, so they are looked for",
            errors=summary.enrolment_errors,
            devices=summary.affected_devices,
        )

    async def _end_search(self) -> None:
        searched_for = self._searched_for
        self._forget_search()

        def amend(record: SourceRecord) -> Entry:
            return Entry(record=msgspec.structs.replace(record, enrolment_errors=searched_for))

        await self._rounds.standing.write(amend)
        self._log.info("failed enrolments were looked for", devices=len(self._affected))

    def _forget_search(self) -> None:
        self._searched_for = None
        self._to_search.clear()
        self._search.rest()

    async def _ask(self, device: str) -> Sequence[Rollout] | None:
        """What one device tells, taken in; None where it cannot be told of."""
        page = await self._one_by_one.ask(lambda: self._vendor.enrolments(self._rounds.resource, device))
        if page is None:
            return None
        self._rounds.strange(page.unknown_word)
        if rollouts := page.items:  # without any it would say that a sweep ended
            await self._rounds.standing.write(lambda _: self._following.entry(self._reported(rollouts, whole=True)))
        return rollouts

    def _reported(self, rollouts: Sequence[Rollout], *, whole: bool) -> DeploymentChanges:
        return self._deployments.reported(
            rollouts,
            whole=whole,
            baseline=self._rounds.baseline,
            seen_at=clock.now(),
            late=self._rounds.late(),
            since=self._since,
            news_since=self._rounds.standing.record.baselined_at.get(self._rounds.resource),
        )

    def _swept_well(self, record: SourceRecord) -> Entry:
        end = by_status(self._rounds, self._deployments.counts())
        record, events = end(record, complete=True, seen_at=clock.now())
        return self._following.entry(self._reported((), whole=False), record=record, more=events)
