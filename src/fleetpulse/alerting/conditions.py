"""What an event means for the conditions: which begin, which go on changed, which end and why."""

from collections.abc import Callable, Iterator
from functools import singledispatch
from typing import Final

import msgspec

from fleetpulse.alerting.condition import Condition, ConditionKey, ConditionKind
from fleetpulse.alerting.notification import EndReason, EventRef
from fleetpulse.fleet.device import DeviceStatus, KnownDevice
from fleetpulse.fleet.events import (
    DeploymentDeviceFailed,
    DeploymentEvent,
    DeploymentFinished,
    DeviceChanged,
    DeviceEvent,
    DeviceForgotten,
    DeviceWentMissing,
    Event,
    JobFinished,
    Problem,
    SimChanged,
    SourceBaselined,
    SourceCredentialsRejected,
    SourceDegraded,
    SourceRecovered,
)
from fleetpulse.fleet.job import JobStatus

_KIND_OF: Final = {
    Problem.DOWN: ConditionKind.SOURCE_DOWN,
    Problem.MISCONFIGURED: ConditionKind.SOURCE_MISCONFIGURED,
    Problem.REJECTED: ConditionKind.CREDENTIALS_REJECTED,
}
_EVENTS_KEPT: Final = 10  # a message links the latest few; a deployment of thousands of steps must not grow its row

Standing = Callable[[ConditionKey], Condition | None]


class Turn(msgspec.Struct, frozen=True):
    """One condition that begins or goes on (`condition`), or ends (`end_reason`), or is none (`skipped` says why)."""

    key: ConditionKey
    condition: Condition | None = None
    end_reason: EndReason | None = None
    skipped: str = ""


def turns(event_id: int, event: Event, standing: Standing) -> list[Turn]:
    """What the event means, in order. `standing` gives the condition that stands now under a key."""
    return list(_turns(event, EventRef(event_id, event.type), standing))


@singledispatch
def _turns(event: Event, ref: EventRef, standing: Standing) -> Iterator[Turn]:  # noqa: ARG001 - the other arms use them
    yield from ()


@_turns.register
def _(event: DeviceEvent, ref: EventRef, standing: Standing) -> Iterator[Turn]:
    key = ConditionKey(ConditionKind.DEVICE_OFFLINE, event.source, event.subject)
    now_stands = standing(key)
    if isinstance(event, DeviceForgotten):
        yield Turn(key, end_reason=EndReason.FORGOTTEN)
    elif isinstance(event, DeviceWentMissing):
        yield Turn(key, end_reason=EndReason.WENT_MISSING)
    elif event.status is DeviceStatus.ONLINE:
        yield Turn(key, end_reason=EndReason.CAME_BACK)
    elif now_stands is not None:  # still offline, renamed or moved; or unknown, which proves neither way
        in_doubt = event.status is DeviceStatus.UNKNOWN
        yield Turn(key, msgspec.structs.replace(now_stands, device=event.device, in_doubt=in_doubt))
    elif event.status is not DeviceStatus.OFFLINE or isinstance(event, (DeviceChanged, SimChanged)):
        return  # what changed comes beside the event that tells the status
    elif not event.ever_online:
        yield Turn(key, skipped="never online")
    else:
        condition = Condition(
            key=key,
            since_at=event.seen_at,
            late=event.late,
            device=event.device,
            last_seen_at=event.last_seen_at,
            events=(ref,),
        )
        yield Turn(key, condition)


@_turns.register
def _(event: DeploymentEvent, ref: EventRef, standing: Standing) -> Iterator[Turn]:
    key = ConditionKey(ConditionKind.DEPLOYMENT_FAILED, event.source, event.subject)
    now_stands = standing(key)
    if now_stands is None and not isinstance(event, DeploymentDeviceFailed):
        return
    condition = now_stands or Condition(key=key, since_at=event.seen_at, late=event.late)
    yield Turn(
        key,
        msgspec.structs.replace(
            condition,
            deployment=event.deployment,
            size=len(event.deployment.failed()),
            open_end=not isinstance(event, DeploymentFinished),
            events=(*condition.events, ref)[-_EVENTS_KEPT:],
        ),
    )


@_turns.register
def _(event: JobFinished, ref: EventRef, standing: Standing) -> Iterator[Turn]:  # noqa: ARG001 - one signature
    if event.job.status in {JobStatus.FAILED, JobStatus.PARTIAL}:
        key = ConditionKey(ConditionKind.JOB_FAILED, event.source, event.subject)
        yield Turn(key, Condition(key=key, since_at=event.seen_at, late=event.late, bulk_job=event.job, events=(ref,)))


@_turns.register
def _(event: SourceBaselined, ref: EventRef, standing: Standing) -> Iterator[Turn]:  # noqa: ARG001 - one signature
    if event.part == 0:
        key = ConditionKey(ConditionKind.SOURCE_BASELINE, event.source, event.subject)
        yield Turn(key, Condition(key=key, since_at=event.seen_at, counts=event.counts, events=(ref,)))
    for known in event.offline:
        yield _baseline_offline(event, known, ref)


def _baseline_offline(event: SourceBaselined, known: KnownDevice, ref: EventRef) -> Turn:
    key = ConditionKey(ConditionKind.DEVICE_OFFLINE, event.source, known.device.id)
    condition = Condition(
        key=key,
        since_at=known.since_at,
        baseline=True,
        device=known.device,
        last_seen_at=known.last_seen_at,
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
    now_stands = standing(key)
    if now_stands is None:
        condition = Condition(key=key, since_at=event.seen_at, detail=event.detail, events=(ref,))
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
