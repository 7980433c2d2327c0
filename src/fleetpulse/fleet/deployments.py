"""The deployments of one source: which are followed, when each is looked at next, and what a look found.

Like the known fleet, nothing here runs ahead of the journal: `listed`, `looked`, `reported` and `gone` change nothing
and return `DeploymentChanges`; after those are committed, `accept` takes them over.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from fleetpulse.fleet.deployment import Deployment, DeploymentStatus, FailedStep, Rollout, RolloutStatus
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
from fleetpulse.fleet.reporting import Reporting

__all__ = ["DeploymentChanges", "Followed", "KnownDeployments"]

LOOK_PAUSES: Final = (
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(hours=1), timedelta(minutes=5)),
    (timedelta(minutes=10), timedelta(minutes=2)),
    (timedelta(minutes=2), timedelta(minutes=1)),
    (timedelta(), timedelta(seconds=30)),
)
"""From so long without progress on, the pause from one look to the next. For its first hour it is no longer than a
list's usual interval, so that a failure is told as soon as a new deployment is."""
SHORTEST_PAUSE: Final = min(pause for _, pause in LOOK_PAUSES)
_DECODER = msgspec.msgpack.Decoder(Followed)


class KnownDeployments:
    """The deployments of one source that are followed, and those that ended and are still listed."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._followed: dict[str, Followed] = {}
        self._told: set[str] = set()  # by devices, since the last complete walk over them ended
        self._opened: set[str] = set()  # likewise: of those among them that were not known

    def __len__(self) -> int:
        return len(self._followed)

    def listed(
        self,
        deployments: Sequence[Deployment],
        *,
        complete: bool,
        baseline: bool,
        seen_at: datetime,
        late: bool,
        since: timedelta,
    ) -> DeploymentChanges:
        """What a list of deployments would change; `complete`: there are no others.

        An unknown one older than `since` is not opened. At the baseline a deployment is no event, later it has
        started. A followed one older than `since` is given up as incomplete. An ended one is remembered, so that it
        never opens again, until it is older than `since` and no complete list holds it.
        """
        events: list[DeploymentEvent] = []
        followed: dict[str, Followed | None] = {}
        for told in deployments:
            known = self._followed.get(told.id)
            if known is not None:
                followed |= _retold(known, told)
            elif told.id not in followed and not older(told.created_at or seen_at, since, seen_at):
                fresh = Followed(
                    deployment=told,
                    first_seen_at=seen_at,
                    progressed_at=min(told.created_at or seen_at, seen_at) if baseline else seen_at,
                    look_at=seen_at,
                    baseline=baseline,
                )
                followed[told.id] = fresh
                if not baseline:
                    events.append(deployment_event(DeploymentStarted, self.source, told, seen_at=seen_at, late=late))
        ids = {told.id for told in deployments}
        for id_, standing in self._followed.items():
            known = followed.get(id_) or standing
            if known.reported or not older(known.began_at, since, seen_at):
                continue
            if known.ended_at is None:
                changes = self._given_up(known, seen_at=seen_at, late=late)
                events += changes.events
                followed.update(changes.followed)
            elif complete and id_ not in ids:
                followed[id_] = None
        return DeploymentChanges(events=tuple(events), followed=followed)

    def due(self, now: datetime) -> list[str]:
        """The ids to look at now: news before history, the longest due first; of history the youngest first."""
        due = [(id_, known) for id_, known in self._followed.items() if known.look_at and known.look_at <= now]
        due.sort(key=lambda item: _turn(item[1]))
        return [id_ for id_, _ in due]

    def next_look_at(self) -> datetime | None:
        """When the next look is due, of those that are followed."""
        return min((known.look_at for known in self._followed.values() if known.look_at), default=None)

    def looks(self, within: timedelta, now: datetime) -> float:
        """How many looks those that are followed take in such a time, at the pauses they ask for."""
        return sum(within / _pause(known, now) for known in self._followed.values() if known.look_at)

    def wanted_steps(self, deployment: str, devices: Mapping[str, RolloutStatus]) -> list[str]:
        """The devices that newly failed and whose steps are worth a request: 20 in all over a deployment's life."""
        known = self._followed.get(deployment)
        if known is None or known.baseline:
            return []
        failed_before = len(known.deployment.failed())
        return newly_failed(known.deployment, devices)[: max(0, STEPS_DEVICES - failed_before)]

    def looked(
        self,
        deployment: str,
        devices: Mapping[str, RolloutStatus],
        steps: tuple[FailedStep, ...],
        *,
        seen_at: datetime,
        late: bool,
        since: timedelta,
        complete: bool = True,
        stretch: float = 1.0,
    ) -> DeploymentChanges:
        """What a look at a deployment's devices would change; the pause to the next one is `stretch` times as long.

        A device that the map no longer holds keeps its last status, and an end stands until another end is told:
        an empty or shrunken map proves nothing. `complete=False`: the map may lack devices, so it settles nothing;
        neither does one with more devices than are kept.
        """
        known = self._followed.get(deployment)
        if known is None or known.look_at is None:
            return DeploymentChanges()
        before = known.deployment
        after_all = merged(before.devices, devices)
        devices = {device: status for device, status in devices.items() if device in after_all}
        failed, progress = newly_failed(before, devices), moved_on(before, after_all)
        status = settled(after_all, whole=complete)
        if status is DeploymentStatus.RUNNING and older(known.began_at, since, seen_at):
            status = DeploymentStatus.INCOMPLETE
        after = msgspec.structs.replace(before, devices=after_all, steps=before.steps + steps, status=status)
        fresh = _advanced(known, after, progress=progress, seen_at=seen_at, stretch=stretch)
        events: list[DeploymentEvent] = []
        if not known.baseline:
            if failed:
                events.append(
                    DeploymentDeviceFailed(
                        source=self.source,
                        subject=deployment,
                        seen_at=seen_at,
                        late=late,
                        deployment=after,
                        devices=tuple(failed),
                    )
                )
            if fresh.ended_at is not None:
                events.append(deployment_event(DeploymentFinished, self.source, after, seen_at=seen_at, late=late))
            elif progress:
                events.append(deployment_event(DeploymentProgressed, self.source, after, seen_at=seen_at, late=late))
        return DeploymentChanges(events=tuple(events), followed={deployment: fresh})

    def reported(
        self,
        rollouts: Sequence[Rollout],
        *,
        whole: bool,
        baseline: bool,
        seen_at: datetime,
        late: bool,
        since: timedelta,
        news_since: datetime | None = None,
    ) -> DeploymentChanges:
        """What it would change that devices tell of deployments, where the vendor has no list of them.

        One that is first told of has started, unless it is older than `since`. It finishes when all of its devices
        are settled and `whole` says that no other has it: with rollouts, that those are all devices of their
        deployments; without any, that a complete walk over the devices ended. What such a walk itself was the first
        to hear of waits for the next one, for a device may have been asked before its deployment began; at the
        baseline it does not. A device that tells of one that finished is taken in, and its failure is told; nothing
        finishes twice. One that is not settled is given up after `since`; an ended one is remembered, so that it
        never opens again, until it is older than that and no device told of it in a complete walk.

        Without any rollouts a sweep ends, and what is too old with it: with each page that would be too much to ask.

        Where devices are not all asked at the baseline, `news_since` is when it was: of a deployment created before, it
        is no news that it is over on a device that tells of it for the first time, and none at all if there it was
        first told of. What has no date of creation is news.
        """
        reporting = Reporting(
            self._followed,
            source=self.source,
            baseline=baseline,
            seen_at=seen_at,
            late=late,
            since=since,
            news_since=news_since,
        )
        told = reporting.hear(rollouts, whole=whole)
        walked = whole and not rollouts
        if walked:
            reporting.settle(but=() if baseline else self._opened)
        if not rollouts:
            reporting.grow_old(remembered=self._told if walked else None)
        return reporting.changes(told, walked=walked)

    def put_off(self, deployment: str, *, seen_at: datetime, stretch: float = 1.0) -> DeploymentChanges:
        """A look that failed for this deployment alone: asked again as if it had made no progress."""
        known = self._followed.get(deployment)
        if known is None or known.look_at is None:
            return DeploymentChanges()
        later = msgspec.structs.replace(known, look_at=seen_at + _pause(known, seen_at) * stretch)
        return DeploymentChanges(followed={deployment: later})

    def gone(self, deployment: str, *, seen_at: datetime, late: bool) -> DeploymentChanges:
        """The vendor no longer knows the deployment: it ends as incomplete."""
        known = self._followed.get(deployment)
        if known is None or known.look_at is None:
            return DeploymentChanges()
        return self._given_up(known, seen_at=seen_at, late=late)

    def accept(self, changes: DeploymentChanges) -> None:
        """Take over what was committed."""
        self._opened |= changes.told - self._followed.keys()
        self._told |= changes.told
        if changes.walked:
            self._opened.clear()
            self._told.clear()
        for id_, followed in changes.followed.items():
            if followed is None:
                self._followed.pop(id_, None)
                self._told.discard(id_)
                self._opened.discard(id_)
            else:
                self._followed[id_] = followed

    def shown(self, now: datetime, finished_for: timedelta) -> list[Deployment]:
        """The running ones, and those that ended within `finished_for`; not those of history still to be read."""
        return [
            known.deployment
            for known in self._followed.values()
            if not known.baseline and (known.ended_at is None or now - known.ended_at < finished_for)
        ]

    def unread(self) -> int:
        """How many stood at the baseline and were not looked at since."""
        return sum(known.baseline for known in self._followed.values())

    def counts(self) -> dict[str, int]:
        """How many stand at each status, with those that were not looked at yet as `unread`."""
        return dict(
            Counter("unread" if known.baseline else known.deployment.status.value for known in self._followed.values())
        )

    def deployment(self, id_: str) -> Deployment | None:
        """One deployment by its id."""
        known = self._followed.get(id_)
        return None if known is None else known.deployment

    def load(self, rows: Mapping[str, bytes]) -> None:
        """Take in what is followed, as msgpack.

        Errors: ValueError when a row is not a followed deployment.
        """
        for id_, payload in rows.items():
            try:
                self._followed[id_] = _DECODER.decode(payload)
            except msgspec.MsgspecError as error:
                raise ValueError(f"deployment {id_} of {self.source} cannot be read: {error}") from error

    def _given_up(self, known: Followed, *, seen_at: datetime, late: bool) -> DeploymentChanges:
        ended = msgspec.structs.replace(known.deployment, status=DeploymentStatus.INCOMPLETE)
        fresh = _advanced(known, ended, progress=False, seen_at=seen_at)
        events = (
            ()
            if known.baseline
            else (deployment_event(DeploymentFinished, self.source, ended, seen_at=seen_at, late=late),)
        )
        return DeploymentChanges(events=events, followed={ended.id: fresh})


def _advanced(
    known: Followed, deployment: Deployment, *, progress: bool, seen_at: datetime, stretch: float = 1.0
) -> Followed:
    if deployment.status is not DeploymentStatus.RUNNING:
        past = deployment.created_at or known.first_seen_at
        return msgspec.structs.replace(
            known,
            deployment=deployment,
            progressed_at=seen_at if progress else known.progressed_at,
            look_at=None,
            baseline=False,
            ended_at=past if known.baseline else seen_at,
        )
    fresh = msgspec.structs.replace(
        known,
        deployment=deployment,
        progressed_at=seen_at if progress else known.progressed_at,
        baseline=False,
    )
    return msgspec.structs.replace(fresh, look_at=seen_at + _pause(fresh, seen_at) * stretch)


def _pause(known: Followed, now: datetime) -> timedelta:
    """From a look at it now to the next one, as it asks for."""
    quiet = max(now - known.progressed_at, timedelta())  # the clock may have been set back
    return next(pause for least, pause in LOOK_PAUSES if quiet >= least)


def _retold(known: Followed, told: Deployment) -> dict[str, Followed]:
    """What the list says anew of a followed one; its devices, steps and status come from looks alone."""
    before = known.deployment
    after = msgspec.structs.replace(
        told,
        devices=before.devices,
        steps=before.steps,
        status=before.status,
        created_at=told.created_at or before.created_at,
    )
    return {} if after == before else {told.id: msgspec.structs.replace(known, deployment=after)}


def _turn(known: Followed) -> tuple[bool, float]:
    if known.baseline:
        return True, -known.began_at.timestamp()
    return False, (known.look_at or known.first_seen_at).timestamp()
