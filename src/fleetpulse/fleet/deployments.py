"""The deployments of one source: which are followed, when each is looked at next, and what a look found.

Like the known fleet, nothing here runs ahead of the journal: `listed`, `looked` and `gone` change nothing and return
`DeploymentChanges`; after those are committed, `accept` takes them over.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from fleetpulse.fleet.deployment import Deployment, DeploymentStatus, FailedStep, RolloutStatus, overall
from fleetpulse.fleet.events import (
    DeploymentDeviceFailed,
    DeploymentEvent,
    DeploymentFinished,
    DeploymentProgressed,
    DeploymentStarted,
)

LOOK_PAUSES: Final = (timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1))
MOST_DEVICES: Final = 200_000  # of one deployment, as many as a source may have; maps that always differ must end
STEPS_DEVICES: Final = 20  # a request each; a message shows fewer, and the rest fails of the same cause as a rule


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment and what is known about following it.

    `look_at` is when its devices are asked next; None: asked no more. `baseline`: it stood at the first walk and was
    not looked at since, so what its first look finds is no news. `ended_at` is when its end was seen; an end that was
    found by a baseline's look lies in the past, and the deployment's creation stands for it.
    """

    deployment: Deployment
    first_seen_at: datetime
    progressed_at: datetime
    look_at: datetime | None
    looks_without_progress: int = 0
    baseline: bool = False
    ended_at: datetime | None = None


class DeploymentChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What a list or a look would change; a deployment mapped to None is forgotten."""

    events: tuple[DeploymentEvent, ...] = ()
    followed: Mapping[str, Followed | None] = {}


_DECODER = msgspec.msgpack.Decoder(Followed)


class KnownDeployments:
    """The deployments of one source that are followed, and those that ended and are still listed."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._followed: dict[str, Followed] = {}

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
            elif told.id not in followed and not _older(told.created_at or seen_at, since, seen_at):
                fresh = Followed(
                    deployment=told, first_seen_at=seen_at, progressed_at=seen_at, look_at=seen_at, baseline=baseline
                )
                followed[told.id] = fresh
                if not baseline:
                    events.append(_event(DeploymentStarted, self.source, told, seen_at=seen_at, late=late))
        ids = {told.id for told in deployments}
        for id_, standing in self._followed.items():
            known = followed.get(id_) or standing
            if not _older(_began(known), since, seen_at):
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

    def wanted_steps(self, deployment: str, devices: Mapping[str, RolloutStatus]) -> list[str]:
        """The devices that newly failed and whose steps are worth a request: 20 in all over a deployment's life."""
        known = self._followed.get(deployment)
        if known is None or known.baseline:
            return []
        failed_before = len(known.deployment.failed())
        return _newly_failed(known.deployment, devices)[: max(0, STEPS_DEVICES - failed_before)]

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
    ) -> DeploymentChanges:
        """What a look at a deployment's devices would change.

        A device that the map no longer holds keeps its last status, and an end stands until another end is told:
        an empty or shrunken map proves nothing. `complete=False`: the map may lack devices, so it settles nothing;
        neither does one with more devices than are kept.
        """
        known = self._followed.get(deployment)
        if known is None or known.look_at is None:
            return DeploymentChanges()
        before = known.deployment
        merged = _merged(before.devices, devices)
        devices = {device: status for device, status in devices.items() if device in merged}
        failed = _newly_failed(before, devices)
        progress = any(
            status is not before.devices.get(device, RolloutStatus.PENDING) for device, status in merged.items()
        )
        status = overall(merged) if complete and len(merged) < MOST_DEVICES else DeploymentStatus.RUNNING
        if status is DeploymentStatus.RUNNING and _older(_began(known), since, seen_at):
            status = DeploymentStatus.INCOMPLETE
        after = msgspec.structs.replace(before, devices=merged, steps=before.steps + steps, status=status)
        fresh = _advanced(known, after, progress=progress, seen_at=seen_at)
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
                events.append(_event(DeploymentFinished, self.source, after, seen_at=seen_at, late=late))
            elif progress:
                events.append(_event(DeploymentProgressed, self.source, after, seen_at=seen_at, late=late))
        return DeploymentChanges(events=tuple(events), followed={deployment: fresh})

    def put_off(self, deployment: str, *, seen_at: datetime) -> DeploymentChanges:
        """A look that failed for this deployment alone: asked again as if it had made no progress."""
        known = self._followed.get(deployment)
        if known is None or known.look_at is None:
            return DeploymentChanges()
        count = known.looks_without_progress
        later = msgspec.structs.replace(known, look_at=_next_look(seen_at, count), looks_without_progress=count + 1)
        return DeploymentChanges(followed={deployment: later})

    def gone(self, deployment: str, *, seen_at: datetime, late: bool) -> DeploymentChanges:
        """The vendor no longer knows the deployment: it ends as incomplete."""
        known = self._followed.get(deployment)
        if known is None or known.look_at is None:
            return DeploymentChanges()
        return self._given_up(known, seen_at=seen_at, late=late)

    def accept(self, changes: DeploymentChanges) -> None:
        """Take over what was committed."""
        for id_, followed in changes.followed.items():
            if followed is None:
                self._followed.pop(id_, None)
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
        events = () if known.baseline else (_event(DeploymentFinished, self.source, ended, seen_at=seen_at, late=late),)
        return DeploymentChanges(events=events, followed={ended.id: fresh})


def _advanced(known: Followed, deployment: Deployment, *, progress: bool, seen_at: datetime) -> Followed:
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
    first = known.look_at == known.first_seen_at
    count = 0 if progress or first else known.looks_without_progress + 1
    return msgspec.structs.replace(
        known,
        deployment=deployment,
        progressed_at=seen_at if progress else known.progressed_at,
        look_at=_next_look(seen_at, count),
        looks_without_progress=count,
        baseline=False,
    )


def _next_look(seen_at: datetime, without_progress: int) -> datetime:
    return seen_at + LOOK_PAUSES[min(without_progress, len(LOOK_PAUSES) - 1)]


def _merged(before: Mapping[str, RolloutStatus], told: Mapping[str, RolloutStatus]) -> dict[str, RolloutStatus]:
    merged = dict(before)
    for device, status in told.items():
        if device not in merged and len(merged) >= MOST_DEVICES:
            continue
        if status.settled or not merged.get(device, RolloutStatus.PENDING).settled:
            merged[device] = status
    return merged


def _newly_failed(before: Deployment, told: Mapping[str, RolloutStatus]) -> list[str]:
    return [
        device
        for device, status in told.items()
        if status is RolloutStatus.FAILED and before.devices.get(device) is not RolloutStatus.FAILED
    ]


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


def _began(known: Followed) -> datetime:
    return known.deployment.created_at or known.first_seen_at


def _older(at: datetime, since: timedelta, now: datetime) -> bool:
    return now - at >= since


def _turn(known: Followed) -> tuple[bool, float]:
    if known.baseline:
        return True, -_began(known).timestamp()
    return False, (known.look_at or known.first_seen_at).timestamp()


def _event(
    kind: type[DeploymentEvent], source: str, deployment: Deployment, *, seen_at: datetime, late: bool
) -> DeploymentEvent:
    return kind(source=source, subject=deployment.id, seen_at=seen_at, late=late, deployment=deployment)
