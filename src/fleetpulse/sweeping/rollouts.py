"""What devices tell of the deployments on them, where their vendor has no list of deployments."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from fleetpulse import clock
from fleetpulse.fleet.deployment import Rollout
from fleetpulse.fleet.deployments import DeploymentChanges, KnownDeployments
from fleetpulse.fleet.events import SourceEvent
from fleetpulse.fleet.source import SourceRecord, owe_summary, sum_up
from fleetpulse.fleet.walk import Walk
from fleetpulse.sweeping.following import Following


class Rollouts:
    """Takes in what the devices of one walk tell, beside the devices themselves.

    `since`: how old a deployment may be to be followed still.
    """

    def __init__(
        self, *, deployments: KnownDeployments, following: Following[DeploymentChanges], since: timedelta
    ) -> None:
        self.following = following
        self._deployments = deployments
        self._since = since
        self._told = False

    def begin(self) -> None:
        """A walk begins."""
        self._told = False

    def page(self, rollouts: Sequence[Rollout], walk: Walk, *, seen_at: datetime) -> DeploymentChanges:
        """What a page's devices tell."""
        if not rollouts:  # which would say that the walk ended
            return DeploymentChanges()
        self._told = True
        return self._reported(rollouts, walk, whole=False, seen_at=seen_at)

    def end(self, walk: Walk, *, seen_at: datetime) -> DeploymentChanges:
        """What the end of a walk says: of a complete one, that no other device tells of any."""
        if not self._told:
            return DeploymentChanges()
        return self._reported((), walk, whole=walk.complete, seen_at=seen_at)

    def owe(self, before: SourceRecord, after: SourceRecord, resource: str, *, seen_at: datetime) -> SourceRecord:
        """Note that the baseline of what they tell is to be told, where it came between these two records."""
        return owe_summary(before, after, resource, seen_at=seen_at) if self._told else after

    def sum_up(self, record: SourceRecord, resource: str) -> tuple[SourceRecord, Sequence[SourceEvent]]:
        """Tell that baseline, if it is owed; to be asked once the walk's end was taken over."""
        return sum_up(record, resource, self._deployments.counts(), main=False, seen_at=clock.now())

    def _reported(
        self, rollouts: Sequence[Rollout], walk: Walk, *, whole: bool, seen_at: datetime
    ) -> DeploymentChanges:
        return self._deployments.reported(
            rollouts, whole=whole, baseline=walk.baseline, seen_at=seen_at, late=walk.late, since=self._since
        )
