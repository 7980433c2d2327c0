"""Sweeps a resource of deployments: the list at its interval, and in between the devices of those that are due."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NoReturn

import structlog

from fleetpulse import clock
from fleetpulse.fleet.deployment import FailedStep, RolloutStatus
from fleetpulse.fleet.deployments import DeploymentChanges, KnownDeployments
from fleetpulse.fleet.events import Problem, SourceEvent
from fleetpulse.fleet.source import SourceRecord, degrade, owe_summary, sum_up, swept_well
from fleetpulse.sweeping.following import Following
from fleetpulse.sweeping.listing import sweep_list
from fleetpulse.sweeping.pacer import Lane
from fleetpulse.sweeping.pages import Gathered, closing
from fleetpulse.sweeping.rounds import Rounds
from fleetpulse.sweeping.swept import Swept
from fleetpulse.vendors.contract import (
    CredentialsRejected,
    RateLimited,
    ReadsDeployments,
    ResourceUnavailable,
    SourceError,
)

KIND: Final = "deployment"
"""Under which the journal keeps a followed deployment."""
_COST_LOOKS: Final = 10  # over about how many looks it is averaged what one takes
SUMMARY_WITHIN: Final = timedelta(minutes=10)  # how long a baseline's summary waits for the looks it needs


class DeploymentsPoller:
    """Sweeps one resource of deployments of one source.

    `since`: how old a deployment may be to be followed still. History is looked at like the rest, one deployment at a
    time and never before news. The pauses between looks stretch with the lane that `looks` opens, given how many
    requests they are expected to take in its interval.
    """

    def __init__(
        self,
        *,
        vendor: ReadsDeployments,
        deployments: KnownDeployments,
        following: Following[DeploymentChanges],
        rounds: Rounds,
        looks: Callable[[Callable[[], float]], Lane],
        since: timedelta,
    ) -> None:
        self._vendor = vendor
        self._deployments = deployments
        self._following = following
        self._rounds = rounds
        self._since = since
        self._lane = looks(self._expected)
        self._requests = 0
        self._cost = 1.0
        self._listed: frozenset[str] = frozenset()
        self._late = False
        self._looks_fail = False
        self._steps_fail: dict[str, str] = {}
        self._log = structlog.get_logger(__name__).bind(source=deployments.source, resource=rounds.resource)

    async def run(self) -> NoReturn:
        """Sweep for ever.

        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        await self._rounds.run(self._sweep, self._look)

    async def _sweep(self) -> Swept:
        self._late = self._rounds.late()
        swept, found = await sweep_list(
            self._vendor.deployments(self._rounds.resource),
            rounds=self._rounds,
            following=self._following,
            compare=partial(self._deployments.listed, since=self._since),
            ended=lambda _: self._ended,
        )
        self._listed = frozenset(deployment.id for deployment in found)
        self._steps_fail = {id_: told for id_, told in self._steps_fail.items() if id_ in self._listed}
        return swept

    def _ended(
        self, record: SourceRecord, /, *, complete: bool, seen_at: datetime
    ) -> tuple[SourceRecord, Sequence[SourceEvent]]:
        """A good sweep; its baseline is told once all of it was looked at."""
        still = (Problem.FAILING,) if self._looks_fail else ()
        swept, ends = swept_well(record, self._rounds.resource, complete=complete, seen_at=seen_at, still=still)
        return owe_summary(record, swept, self._rounds.resource, seen_at=seen_at), ends

    async def _look(self) -> float:
        """Look at the one deployment whose turn it is, if any; in how many seconds the next one is due."""
        due = self._deployments.due(clock.now())
        if due:
            await self._look_at(due[0])
        summary_at = await self._sum_up()
        next_at = min((at for at in (self._deployments.next_look_at(), summary_at) if at), default=None)
        return math.inf if next_at is None else max(0.0, (next_at - clock.now()).total_seconds())

    async def _sum_up(self) -> datetime | None:
        """Tell the baseline once all of it was looked at, or waited for long enough; when it is due where it is not."""
        owed_at = self._rounds.standing.record.summary_owed.get(self._rounds.resource)
        if owed_at is None:
            return None
        if self._deployments.unread() and clock.now() - owed_at < SUMMARY_WITHIN:
            return owed_at + SUMMARY_WITHIN
        counts = self._deployments.counts()
        told = partial(sum_up, resource=self._rounds.resource, counts=counts, main=self._rounds.main)
        await self._rounds.standing.amend(self._rounds.resource, lambda record: told(record, seen_at=clock.now()))
        return None

    def _expected(self) -> float:
        """The requests of the lane's interval; what stood at the baseline has its first look when there is time."""
        return self._deployments.looks(self._lane.interval, clock.now()) * self._cost

    async def _look_at(self, deployment: str) -> None:
        self._requests = 0
        try:
            await self._look_on(deployment)
        finally:
            self._cost += (max(1, self._requests) - self._cost) / _COST_LOOKS

    async def _look_on(self, deployment: str) -> None:
        try:
            devices, complete = await self._devices_of(deployment)
            steps = await self._steps_of(deployment, self._deployments.wanted_steps(deployment, devices))
        except CredentialsRejected:
            raise
        except ResourceUnavailable as error:
            if deployment in self._listed:  # so it is not gone: a token may lack the right to look
                await self._look_failed(deployment, error)
            else:
                await self._write(lambda now: self._deployments.gone(deployment, seen_at=now, late=self._late))
            return
        except SourceError as error:
            await self._look_failed(deployment, error)
            return
        except Exception:  # not to be met by every look to come: the others have their turn
            await self._put_off(deployment)
            raise
        self._looks_fail = False
        await self._write(
            lambda now: self._deployments.looked(
                deployment,
                devices,
                steps,
                seen_at=now,
                late=self._late,
                since=self._since,
                complete=complete,
                stretch=self._lane.stretch,
            )
        )

    async def _devices_of(self, deployment: str) -> tuple[dict[str, RolloutStatus], bool]:
        gathered = Gathered()
        devices: dict[str, RolloutStatus] = {}
        async with closing(self._vendor.deployment_devices(deployment)) as pages:
            async for page in pages:
                self._requests += 1
                gathered.note(page)
                devices.update(page.items)
        self._rounds.strange(gathered.unknown_word)
        return devices, not gathered.shortfall()

    async def _steps_of(self, deployment: str, devices: Sequence[str]) -> tuple[FailedStep, ...]:
        """The failed steps; a failure is told without them rather than later."""
        steps: list[FailedStep] = []
        for device in devices:
            self._requests += 1
            try:
                steps += await self._vendor.failed_steps(deployment, device)
            except CredentialsRejected:
                raise
            except SourceError as error:
                self._tell_steps_fail(deployment, device, self._rounds.told(error))
                break
        return tuple(steps)

    def _tell_steps_fail(self, deployment: str, device: str, error: str) -> None:
        """Log it once for a deployment, until it fails otherwise: more devices fail at every look."""
        kind = error.replace(device, "")
        if self._steps_fail.get(deployment) != kind:
            self._log.info("failed steps could not be read", deployment=deployment, device=device, error=error)
        self._steps_fail[deployment] = kind

    async def _look_failed(self, deployment: str, error: SourceError) -> None:
        await self._put_off(deployment)
        self._log.debug("a look failed", deployment=deployment, error=self._rounds.told(error))
        if not isinstance(error, RateLimited):  # that is the budget's to mend, and the next list's to tell
            self._looks_fail = True
            await self._rounds.standing.amend(self._rounds.resource, partial(self._failing, error=error))

    def _failing(self, record: SourceRecord, *, error: SourceError) -> tuple[SourceRecord, list[SourceEvent]]:
        return degrade(
            record, self._rounds.resource, Problem.FAILING, detail=self._rounds.told(error), seen_at=clock.now()
        )

    async def _put_off(self, deployment: str) -> None:
        stretch = self._lane.stretch
        await self._write(lambda now: self._deployments.put_off(deployment, seen_at=now, stretch=stretch))

    async def _write(self, decide: Callable[[datetime], DeploymentChanges]) -> None:
        await self._rounds.standing.write(lambda _: self._following.entry(decide(clock.now())))
