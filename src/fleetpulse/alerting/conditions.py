"""What an event means for the conditions: which begin, which go on changed, which end and why."""

from collections.abc import Callable, Iterator
from functools import singledispatch
from typing import Final

import msgspec

from fleetpulse.alerting.condition import Condition, ConditionKey, ConditionKind
from fleetpulse.alerting.deployments import troubled
from fleetpulse.alerting.notification import EndReason, EventRef
from fleetpulse.alerting.term import heard_again
from fleetpulse.fleet.deployment import DeploymentStatus
from fleetpulse.fleet.device import DeviceStatus, KnownDevice, SimState
from fleetpulse.fleet.events import (
    DeploymentDeviceFailed,
    DeploymentEvent,
    DeviceChanged,
    DeviceEvent,
    DeviceForgotten,
    DeviceMoved,
    DeviceWentMissing,
    Event,
    JobFinished,
    Problem,
    SimChanged,
    SourceBaselined,
    SourceCredentialsRejected,
    SourceDegraded,
    SourceRecovered,
    TunnelClosed,
    TunnelOpened,
    TunnelTerminated,
)
from fleetpulse.fleet.job import JobStatus

_KIND_OF: Final = {
    Problem.DOWN: ConditionKind.SOURCE_DOWN,
    Problem.MISCONFIGURED: ConditionKind.SOURCE_MISCONFIGURED,
    Problem.REJECTED: ConditionKind.CREDENTIALS_REJECTED,
    Problem.EXPIRING: ConditionKind.CREDENTIALS_EXPIRING,
}
_OF_DEVICES: Final = (ConditionKind.DEVICE_OFFLINE, ConditionKind.SIM_PAUSED_BY_SYSTEM)
_EVENTS_KEPT: Final = 10  # a message links the latest few; a deployment of thousands of steps must not grow its row

Standing = Callable[[ConditionKey], Condition | None]


class Turn(msgspec.Struct, frozen=True):
    """One condition that begins or goes on (`condition`), or ends (`end_reason`), or is none (`skipped` says why).

    `note` says more of an end: where a device moved to.
    """

    key: ConditionKey
    condition: Condition | None = None
    end_reason: EndReason | None = None
    note: str = ""
    skipped: str = ""


def turns(event_id: int, event: Event, standing: Standing) -> list[Turn]:
    """What the event means, in order. `standing` gives the condition that stands now under a key."""
    return list(_turns(event, EventRef(event_id, event.type), standing))


@singledispatch
def _turns(event: Event, ref: EventRef, standing: Standing) -> Iterator[Turn]:  # noqa: ARG001 - the other arms use them
    yield from ()


@_turns.register
def _(event: DeviceEvent, ref: EventRef, standing: Standing) -> Iterator[Turn]:
    gone, note = _gone(event)
    if gone is not None:
        for kind in _OF_DEVICES:
            yield Turn(ConditionKey(kind, event.source, event.subject), end_reason=gone, note=note)
        return
    yield from _offline(event, ref, standing)
    yield from _sim_paused(event, ref, standing)


def _gone(event: DeviceEvent) -> tuple[EndReason | None, str]:
    """Why the source has the device no longer, None while it has it."""
    match event:
        case DeviceForgotten():
            return EndReason.FORGOTTEN, ""
        case DeviceMoved() if event.to:
            return EndReason.MOVED, event.to
        case DeviceWentMissing():
            return EndReason.WENT_MISSING, ""
        case _:
            return None, ""


def _offline(event: DeviceEvent, ref: EventRef, standing: Standing) -> Iterator[Turn]:
    key = ConditionKey(ConditionKind.DEVICE_OFFLINE, event.source, event.subject)
    now_stands = standing(key)
    if event.status is DeviceStatus.ONLINE:
        yield Turn(key, end_reason=EndReason.CAME_BACK)
    elif now_stands is not None:  # still offline, renamed or moved; or unknown, which proves neither way
        in_doubt = event.status is DeviceStatus.UNKNOWN
        heard = heard_again(now_stands, event.last_seen_at, at=event.seen_at)
        yield Turn(key, msgspec.structs.replace(heard, device=event.device, in_doubt=in_doubt))
    elif event.status is not DeviceStatus.OFFLINE or isinstance(event, (DeviceChanged, DeviceMoved, SimChanged)):
        return  # what changed comes beside the event that tells the status
    elif not event.ever_online:
        yield Turn(key, skipped="never online")
    else:
        # Some vendors say when the last session began: what we saw ourselves, and lately, is better than their word.
        watched = event.was is DeviceStatus.ONLINE and not event.late
        condition = Condition(
            key=key,
            since_at=event.seen_at,
            late=event.late,
            device=event.device,
            last_seen_at=event.last_seen_at,
            heard_at=event.seen_at if watched else event.last_seen_at,
            events=(ref,),
        )
        yield Turn(key, condition)


def _sim_paused(event: DeviceEvent, ref: EventRef, standing: Standing) -> Iterator[Turn]:
    """Each event tells the state of the SIM, so that one which was paused before anyone looked is found at the next."""
    key = ConditionKey(ConditionKind.SIM_PAUSED_BY_SYSTEM, event.source, event.subject)
    now_stands = standing(key)
    if event.device.sim is SimState.PAUSED_BY_SYSTEM:
        if now_stands is not None:
            yield Turn(key, msgspec.structs.replace(now_stands, device=event.device, in_doubt=False))
        elif event.ever_online:
            yield Turn(
                key, Condition(key=key, since_at=event.seen_at, late=event.late, device=event.device, events=(ref,))
            )
        else:
            yield Turn(key, skipped="never online")
    elif now_stands is None:
        return
    elif event.device.sim is SimState.UNKNOWN:
        yield Turn(key, msgspec.structs.replace(now_stands, device=event.device, in_doubt=True))
    else:
        yield Turn(key, end_reason=EndReason.NO_LONGER_PAUSED)


@_turns.register
def _(event: DeploymentEvent, ref: EventRef, standing: Standing) -> Iterator[Turn]:
    key = ConditionKey(ConditionKind.DEPLOYMENT_FAILED, event.source, event.subject)
    now_stands, deployment = standing(key), event.deployment
    if now_stands is None and not deployment.contradicted and not isinstance(event, DeploymentDeviceFailed):
        return
    condition = now_stands or Condition(key=key, since_at=event.seen_at, late=event.late)
    yield Turn(
        key,
        msgspec.structs.replace(
            condition,
            deployment=deployment,
            size=len(troubled(deployment)),
            open_end=deployment.status is DeploymentStatus.RUNNING,
            events=(*condition.events, ref)[-_EVENTS_KEPT:],
        ),
    )


@_turns.register
def _(event: TunnelOpened, ref: EventRef, standing: Standing) -> Iterator[Turn]:
    key = ConditionKey(ConditionKind.TUNNEL_OPEN, event.source, event.subject)
    opened = Condition(key=key, since_at=event.seen_at, late=event.late, events=(ref,))
    yield Turn(key, msgspec.structs.replace(standing(key) or opened, tunnel=event.tunnel))


@_turns.register
def _(event: TunnelClosed, ref: EventRef, standing: Standing) -> Iterator[Turn]:  # noqa: ARG001 - one signature
    yield Turn(ConditionKey(ConditionKind.TUNNEL_OPEN, event.source, event.subject), end_reason=EndReason.CLOSED)


@_turns.register
def _(event: TunnelTerminated, ref: EventRef, standing: Standing) -> Iterator[Turn]:  # noqa: ARG001 - one signature
    yield Turn(ConditionKey(ConditionKind.TUNNEL_OPEN, event.source, event.subject), end_reason=EndReason.TERMINATED)


@_turns.register
def _(event: JobFinished, ref: EventRef, standing: Standing) -> Iterator[Turn]:  # noqa: ARG001 - one signature
    if event.job.status in {JobStatus.FAILED, JobStatus.PARTIAL}:
        key = ConditionKey(ConditionKind.JOB_FAILED, event.source, event.subject)
        yield Turn(key, Condition(key=key, since_at=event.seen_at, late=event.late, bulk_job=event.job, events=(ref,)))


@_turns.register
def _(event: SourceBaselined, ref: EventRef, standing: Standing) -> Iterator[Turn]:  # noqa: ARG001 - one signature
    if event.part == 0:
        key = ConditionKey(ConditionKind.SOURCE_BASELINE, event.source, event.subject)
        paused = event.sims.get(SimState.PAUSED_BY_SYSTEM, 0)
        counts = {**event.counts, SimState.PAUSED_BY_SYSTEM.value: paused} if paused else event.counts
        yield Turn(key, Condition(key=key, since_at=event.seen_at, counts=counts, events=(ref,)))
    for known in event.offline:
        yield _found(ConditionKind.DEVICE_OFFLINE, event, known, ref)
    for known in (*event.offline, *event.paused):
        if known.device.sim is SimState.PAUSED_BY_SYSTEM:
            yield _found(ConditionKind.SIM_PAUSED_BY_SYSTEM, event, known, ref)


def _found(kind: ConditionKind, event: SourceBaselined, known: KnownDevice, ref: EventRef) -> Turn:
    key = ConditionKey(kind, event.source, known.device.id)
    condition = Condition(
        key=key,
        since_at=known.since_at,
        baseline=True,
        device=known.device,
        last_seen_at=known.last_seen_at,
        heard_at=known.last_seen_at,
        events=(ref,),
    )
    return Turn(key, condition)


@_turns.register
def _(event: SourceDegraded, ref: EventRef, standing: Standing) -> Iterator[Turn]:
    yield from _trouble(event, event.problem, ref, standing)


@_turns.register
def _(event: SourceCredentialsRejected, ref: EventRef, standing: Standing) -> Iterator[Turn]:
    yield from _trouble(event, Problem.REJECTED, ref, standing)


def _trouble(
    event: SourceDegraded | SourceCredentialsRejected, problem: Problem, ref: EventRef, standing: Standing
) -> Iterator[Turn]:
    key = trouble_key(event.source, event.subject, problem)
    until_at = event.until_at if isinstance(event, SourceDegraded) else None
    now_stands = standing(key)
    if now_stands is not None and problem is Problem.EXPIRING and now_stands.until_at != until_at:
        yield Turn(key, end_reason=EndReason.RECOVERED)  # another key, which has its own time
        now_stands = None
    if now_stands is None:
        condition = Condition(key=key, since_at=event.seen_at, detail=event.detail, until_at=until_at, events=(ref,))
    else:
        condition = msgspec.structs.replace(now_stands, detail=event.detail)
    yield Turn(key, condition)


@_turns.register
def _(event: SourceRecovered, ref: EventRef, standing: Standing) -> Iterator[Turn]:  # noqa: ARG001 - one signature
    yield Turn(trouble_key(event.source, event.subject, event.problem), end_reason=EndReason.RECOVERED)


def trouble_key(source: str, resource: str, problem: Problem) -> ConditionKey:
    """The condition of a source's problem. Problems that share a kind name themselves in its subject."""
    kind = _KIND_OF.get(problem)
    if kind is None:
        return ConditionKey(ConditionKind.SOURCE_DEGRADED, source, f"{resource}/{problem}")
    return ConditionKey(kind, source, resource)


def problem_of(key: ConditionKey) -> Problem:
    """The problem that a condition of the kind SOURCE_DEGRADED is about."""
    return Problem(key.subject.rpartition("/")[2])


def resource_of(key: ConditionKey) -> str:
    """The resource that a condition of a source is about."""
    return key.subject.partition("/")[0]
