"""Deployments that no list holds: what their devices tell of them, row by row. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from fleetpulse.fleet.deployment import Deployment, DeploymentStatus, FailedStep, Rollout, RolloutStatus, overall
from fleetpulse.fleet.events import (
    DeploymentDeviceFailed,
    DeploymentEvent,
    DeploymentFinished,
    DeploymentProgressed,
    DeploymentStarted,
)
from fleetpulse.fleet.followed import (
    STEPS_DEVICES,
    DeploymentChanges,
    Followed,
    deployment_event,
    merged,
    moved_on,
    newly_failed,
    older,
    settled,
)

MOST_REPORTED: Final = 20_000  # of one source: devices that make up a deployment in each row must not fill the memory


class Reporting:
    """What some reports would change, collected deployment by deployment.

    `standing` are the deployments as they are followed now. `baseline`: what is told is no news; neither is it, of a
    deployment created before `news_since`, that it is over on a device that tells of it for the first time.
    """

    def __init__(
        self,
        standing: Mapping[str, Followed],
        *,
        source: str,
        baseline: bool,
        seen_at: datetime,
        late: bool,
        since: timedelta,
        news_since: datetime | None = None,
    ) -> None:
        self._standing = standing
        self._source = source
        self._baseline = baseline
        self._seen_at = seen_at
        self._late = late
        self._since = since
        self._news_since = news_since
        self._events: list[DeploymentEvent] = []
        self._followed: dict[str, Followed | None] = {}

    def hear(self, rollouts: Sequence[Rollout], *, whole: bool) -> frozenset[str]:
        """Take in what devices tell; gives the ids of those that are followed. `whole`: no other device has them."""
        by_deployment: dict[str, list[Rollout]] = {}
        for rollout in rollouts:
            by_deployment.setdefault(rollout.deployment.id, []).append(rollout)
        heard = set()
        for id_, reports in by_deployment.items():
            known = self._standing.get(id_)
            if known is not None:
                self._take(known, reports, whole=whole)
            elif self._opens(reports[0].deployment):
                self._open(reports, whole=whole)
            else:
                continue
            heard.add(id_)
        return frozenset(heard)

    def settle(self, *, but: Collection[str]) -> None:
        """A complete walk told all that there is to tell, but for those of which it heard too late."""
        for id_, known in self._standing.items():
            if known.reported and (known.ended_at is None or known.baseline) and id_ not in but:
                self._take(known, (), whole=True)

    def grow_old(self, *, remembered: Collection[str] | None) -> None:
        """Give up what is too old and still open; forget what ended, was told no more and is too old to open again.

        `remembered` were told of in the complete walk that ends with it; None: none ends. What has a date is too old
        for ever, so it is forgotten in time whoever tells of it. A baseline that never ended complete ends all the
        same: what stood at it is shown from then on.
        """
        for id_, standing in self._standing.items():
            known = self._followed.get(id_) or standing
            if not known.reported:
                continue
            if known.baseline and not self._baseline:
                known = self._followed[id_] = msgspec.structs.replace(known, baseline=False)
            if not older(known.began_at, self._since, self._seen_at):
                continue
            if known.ended_at is None:
                self._give_up(known)
            elif (remembered is not None and id_ not in remembered) or self._past(known.ended_at, known.deployment):
                self._followed[id_] = None

    def changes(self, told: frozenset[str], *, walked: bool) -> DeploymentChanges:
        """All of it."""
        return DeploymentChanges(events=tuple(self._events), followed=self._followed, told=told, walked=walked)

    def _past(self, ended_at: datetime, deployment: Deployment) -> bool:
        return deployment.created_at is not None and older(ended_at, self._since, self._seen_at)

    def _opens(self, head: Deployment) -> bool:
        young = not older(head.created_at or self._seen_at, self._since, self._seen_at)
        return young and len(self._standing) + len(self._followed) < MOST_REPORTED

    def _open(self, reports: Sequence[Rollout], *, whole: bool) -> None:
        began = Followed(
            deployment=reports[0].deployment,
            first_seen_at=self._seen_at,
            progressed_at=self._seen_at,
            baseline=self._baseline,
            reported=True,
        )
        self._take(began, reports, whole=whole, opened=True)

    def _take(self, known: Followed, reports: Sequence[Rollout], *, whole: bool, opened: bool = False) -> None:
        before = known.deployment
        told = {report.device: report.status for report in reports}
        devices = merged(before.devices, told)
        told = {device: status for device, status in told.items() if device in devices}
        history = self._history(before, told)
        silent = self._baseline or (opened and told.keys() == history)
        failed, progress = newly_failed(before, told), moved_on(before, devices)
        after = msgspec.structs.replace(
            before,
            devices=devices,
            steps=before.steps + _steps(before, failed, reports),
            status=_status(known, devices, whole=whole),
            contradicted=_contradicted(before, reports, devices),
        )
        fresh = msgspec.structs.replace(
            known,
            deployment=after,
            progressed_at=self._seen_at if progress else known.progressed_at,
            baseline=known.baseline and not whole,
            ended_at=known.ended_at
            if after.status is DeploymentStatus.RUNNING
            else self._ended_at(known, past=known.baseline or silent),
        )
        if fresh == known and not opened:
            return
        self._followed[after.id] = fresh
        if silent:
            return
        if opened:
            self._tell(DeploymentStarted, after)
        if news := [device for device in failed if device not in history]:
            self._tell_failed(after, news)
        if fresh.ended_at != known.ended_at:
            self._tell(DeploymentFinished, after)
        elif not opened and ((progress and known.ended_at is None) or _spoiled(before, after)):
            self._tell(DeploymentProgressed, after)

    def _history(self, before: Deployment, told: Mapping[str, RolloutStatus]) -> frozenset[str]:
        """The devices that tell for the first time of what is over and may have been so before anyone looked."""
        created_at = before.created_at
        if self._news_since is None or created_at is None or created_at >= self._news_since:
            return frozenset()
        return frozenset(device for device, status in told.items() if status.settled and device not in before.devices)

    def _ended_at(self, known: Followed, *, past: bool) -> datetime:
        """When it ended: once for all, and in the past where nobody looked yet."""
        if known.ended_at is not None:
            return known.ended_at
        return min(known.began_at, self._seen_at) if past else self._seen_at

    def _give_up(self, known: Followed) -> None:
        ended = msgspec.structs.replace(known.deployment, status=DeploymentStatus.INCOMPLETE)
        self._followed[ended.id] = msgspec.structs.replace(
            known,
            deployment=ended,
            baseline=False,
            ended_at=self._ended_at(known, past=known.baseline or self._baseline),
        )
        if not self._baseline:
            self._tell(DeploymentFinished, ended)

    def _tell(self, kind: type[DeploymentEvent], deployment: Deployment) -> None:
        self._events.append(deployment_event(kind, self._source, deployment, seen_at=self._seen_at, late=self._late))

    def _tell_failed(self, deployment: Deployment, failed: Sequence[str]) -> None:
        self._events.append(
            DeploymentDeviceFailed(
                source=self._source,
                subject=deployment.id,
                seen_at=self._seen_at,
                late=self._late,
                deployment=deployment,
                devices=tuple(failed),
            )
        )


def _status(known: Followed, devices: Mapping[str, RolloutStatus], *, whole: bool) -> DeploymentStatus:
    """One that ended never runs again; a device that is heard of later may still spoil what it came to."""
    if known.ended_at is None:
        return settled(devices, whole=whole)
    if known.deployment.status is DeploymentStatus.INCOMPLETE:
        return DeploymentStatus.INCOMPLETE
    return overall({device: status for device, status in devices.items() if status.settled})


def _steps(before: Deployment, failed: Collection[str], reports: Sequence[Rollout]) -> tuple[FailedStep, ...]:
    """Why it failed on the devices where it newly did, for the first of them."""
    errors = {report.device: report.error for report in reports if report.error}
    steps = [FailedStep(device, output=errors[device]) for device in failed if device in errors]
    return tuple(steps[: max(0, STEPS_DEVICES - len(before.steps))])


def _spoiled(before: Deployment, after: Deployment) -> bool:
    """Whether one more device speaks against the vendor's word of success; that one no longer does is no news."""
    return not after.contradicted.keys() <= before.contradicted.keys()


def _contradicted(before: Deployment, reports: Sequence[Rollout], devices: Collection[str]) -> dict[str, str]:
    contradicted = dict(before.contradicted)
    for report in reports:
        if report.contradiction and report.device in devices:
            contradicted[report.device] = report.contradiction
        else:
            contradicted.pop(report.device, None)
    return contradicted
