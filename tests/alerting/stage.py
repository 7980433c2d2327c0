"""A stage: plays events and time at an `Alerting`, as the evaluator does, and collects what receivers are told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from fleetpulse.alerting.condition import Condition
from fleetpulse.alerting.facts import GroupFacts, SourceFacts
from fleetpulse.alerting.judge import Alerting, Observed
from fleetpulse.alerting.notification import AlertStatus, Notification
from fleetpulse.alerting.routes import Route
from fleetpulse.alerting.rules import DEFAULT_RULES, Rule
from fleetpulse.alerting.state import Alert, AlertState, Group, Judgement, Remembered, Told
from fleetpulse.fleet.deployment import Deployment, DeploymentStatus, FailedStep, RolloutStatus
from fleetpulse.fleet.device import Device, DeviceStatus, KnownDevice
from fleetpulse.fleet.events import (
    DeploymentDeviceFailed,
    DeploymentEvent,
    DeploymentFinished,
    DeploymentProgressed,
    DeviceBecameUnknown,
    DeviceCameOnline,
    DeviceChanged,
    DeviceEvent,
    DeviceForgotten,
    DeviceWentMissing,
    DeviceWentOffline,
    Event,
    JobFinished,
    Problem,
    SourceBaselined,
    SourceCredentialsRejected,
    SourceDegraded,
    SourceRecovered,
    SourceRemoved,
    TunnelEvent,
    TunnelOpened,
)
from fleetpulse.fleet.job import BulkJob, JobAction, JobStatus
from fleetpulse.fleet.tunnel import Tunnel, TunnelStatus

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SOURCE = "edge-prod"
ROUTE = Route(key="{}", receiver="ops")
NO_WAIT = msgspec.structs.replace(ROUTE, group_wait=timedelta())
AT_ONCE = tuple(msgspec.structs.replace(rule, for_=timedelta()) for rule in DEFAULT_RULES)
"""The default rules, each without its `for`."""

SUBJECT_LABELS = ("device", "deployment", "bulk_job", "tunnel", "resource")
STATUSES = {
    DeviceCameOnline: DeviceStatus.ONLINE,
    DeviceWentOffline: DeviceStatus.OFFLINE,
    DeviceBecameUnknown: DeviceStatus.UNKNOWN,
    DeviceWentMissing: DeviceStatus.MISSING,
    DeviceForgotten: DeviceStatus.MISSING,
}


class Fleet(msgspec.Struct):
    """The fleet as messages see it; a test says how it is."""

    known: int = 430
    groups: Mapping[str, GroupFacts] = msgspec.field(default_factory=lambda: {"Lyon": GroupFacts(15, 12)})
    present: Mapping[str, DeviceStatus] = {}
    called: Mapping[str, str] = {}
    heard: Mapping[str, datetime] = {}

    def devices(self, source: str) -> int:  # noqa: ARG002 - there is one source
        return self.known

    def group(self, source: str, group: str) -> GroupFacts | None:  # noqa: ARG002 - likewise
        return self.groups.get(group)

    def names(self, source: str, devices: Iterable[str]) -> Mapping[str, str]:  # noqa: ARG002 - likewise
        return {device: self.called[device] for device in devices if device in self.called}

    def statuses(self, source: str, devices: Iterable[str]) -> Mapping[str, DeviceStatus]:  # noqa: ARG002 - likewise
        return {device: self.present[device] for device in devices if device in self.present}

    def last_seen(self, source: str, device: str) -> datetime | None:  # noqa: ARG002 - likewise
        return self.heard.get(device)


class Stage:
    """Time stands still but in `wait`; what happens is judged and accepted at once.

    It keeps what a journal would keep. `restart` makes everything anew of that alone.
    """

    def __init__(self, **wiring: Any) -> None:
        self.now = T0
        self.told: list[Notification] = []
        self.judgements: list[Judgement] = []
        self.fleet = Fleet()
        self._remembered = Remembered()
        self._wiring: dict[str, Any] = {
            "rules": DEFAULT_RULES,
            "route": ROUTE,
            "sources": {SOURCE: SourceFacts(SOURCE, "jfrog-connect", "JFrog Connect", labels={"team": "edge"})},
            "send_resolved": {},
            "fleet": self.fleet,
            "new_id": self._new_id,
            "zone": UTC,
            **wiring,
        }
        self._ids = 0
        self._last_event = 0
        self.alerting = Alerting(**self._wiring)

    def play(self, *events: Event, observed: Sequence[Observed] = ()) -> list[Notification]:
        """Judge these events as one batch, now."""
        numbered = list(enumerate(events, start=self._last_event + 1))
        self._last_event += len(events)
        return self._take(self.judge(numbered, observed))

    def judge(self, events: Sequence[tuple[int, Event]], observed: Sequence[Observed]) -> Judgement:
        """Judge without accepting."""
        return self.alerting.judge(events, observed, now=self.now)

    def wait(self, duration: timedelta) -> list[Notification]:
        """Let time go by, judging whenever something is due."""
        until, told = self.now + duration, []
        while (due_at := self.alerting.due_at()) is not None and due_at <= until:
            self.now = max(self.now, due_at)
            told += self.play()
            later_at = self.alerting.due_at()
            assert later_at is None or later_at > self.now, "something stays due: the evaluator would spin"
        self.now = until
        return told

    def restart(self, *, owed_since: Mapping[str, datetime] | None = None, **changed: Any) -> list[Notification]:
        """Go on from what is remembered, perhaps with other rules, routes or sources."""
        self._wiring |= changed
        self.alerting = Alerting(**self._wiring, remembered=self.remembered())
        return self._take(self.alerting.begin(self.now, owed_since=owed_since))

    def remembered(self) -> Remembered:
        """What a journal gives back: every value as bytes and back."""
        kept = self._remembered
        return Remembered(
            cursor=kept.cursor,
            conditions={key: _again(value, Condition) for key, value in kept.conditions.items()},
            alerts={key: _again(kept.alerts[key], Alert) for key in sorted(kept.alerts, reverse=True)},
            groups={key: _again(value, Group) for key, value in kept.groups.items()},
            told={key: _again(value, Told) for key, value in kept.told.items()},
        )

    def offline(self, *devices: str, **fields: Any) -> list[Notification]:
        """These devices go offline."""
        return self.play(*(turned(DeviceWentOffline, device, at=self.now, **fields) for device in devices))

    def online(self, *devices: str, **fields: Any) -> list[Notification]:
        """These devices come back."""
        return self.play(*(turned(DeviceCameOnline, device, at=self.now, **fields) for device in devices))

    def see(self, *subjects: str, source: str = SOURCE) -> list[Notification]:
        """A sweep sees these again as they were, and not well."""
        return self.play(observed=[Observed(source, subjects, self.now)])

    def drop(self, *devices: str, **fields: Any) -> list[Notification]:
        """These devices go offline, stay it for five minutes, are seen so once more and are told."""
        self.offline(*devices, **fields)
        self.wait(5 * MINUTE)
        return [*self.see(*devices), *self.wait(30 * SECOND)]

    def alerts(self, state: AlertState = AlertState.FIRING) -> list[str]:
        """The subjects of the alerts in this state, sorted."""
        return sorted(
            alert.condition.subject for _, alert in self.alerting.ledger.alerts.items() if alert.state is state
        )

    def reasons(self) -> list[str]:
        """Every reason that was decided, in order."""
        return [decision.reason for judgement in self.judgements for decision in judgement.decisions]

    def is_empty(self) -> bool:
        """Whether nothing is left of anything."""
        kept = self._remembered
        return not (kept.conditions or kept.alerts or kept.groups or kept.told)

    def _take(self, judgement: Judgement) -> list[Notification]:
        self.alerting.accept(judgement)
        self.judgements.append(judgement)
        kept = self._remembered
        if judgement.cursor is not None:
            self._remembered = kept = msgspec.structs.replace(kept, cursor=judgement.cursor)
        for there, changes in (
            (kept.conditions, judgement.conditions),
            (kept.alerts, judgement.alerts),
            (kept.groups, judgement.groups),
            (kept.told, judgement.told),
        ):
            add_up(there, changes)
        self.told += judgement.notifications
        return list(judgement.notifications)

    def _new_id(self) -> str:
        self._ids += 1
        return f"n-{self._ids}"


def add_up(kept: dict[Any, Any], changes: Mapping[Any, Any]) -> None:
    """What a journal makes of a judgement's changes."""
    for key, value in changes.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = value


def _again(value: Any, kind: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value), type=kind)


def turned(
    kind: type[DeviceEvent], device: str, *, at: datetime, group: str = "Lyon", source: str = SOURCE, **fields: Any
) -> DeviceEvent:
    """A device event of a kind that says its status; name, tags and sim go to the device."""
    attributes = {name: fields.pop(name) for name in ("name", "tags", "sim") if name in fields}
    return kind(
        source=source,
        subject=device,
        seen_at=at,
        device=Device(device, group=group, **attributes),
        status=fields.pop("status", STATUSES.get(kind, DeviceStatus.OFFLINE)),
        ever_online=fields.pop("ever_online", True),
        **fields,
    )


def renamed(device: str, *, at: datetime, group: str = "Lyon", name: str = "", **fields: Any) -> DeviceEvent:
    """A device's name or group changed while it is offline."""
    return turned(DeviceChanged, device, at=at, group=group, name=name, before=Device(device), **fields)


def rollout(
    deployment: str, failed: int, *, of: int = 20, done: bool = False, steps: Sequence[str] = (), name: str = ""
) -> Deployment:
    """A deployment that failed on so many of its devices; `steps` are the outputs of those that were asked."""
    statuses = {
        f"d-{number}": RolloutStatus.FAILED if number < failed else RolloutStatus.SUCCEEDED for number in range(of)
    }
    return Deployment(
        id=deployment,
        name=name,
        devices=statuses,
        steps=tuple(FailedStep(f"d-{number}", "install", output) for number, output in enumerate(steps)),
        status=DeploymentStatus.PARTIAL if done else DeploymentStatus.RUNNING,
    )


def failing(deployment: Deployment, *, at: datetime) -> DeploymentEvent:
    """It failed on more devices."""
    return DeploymentDeviceFailed(
        source=SOURCE, subject=deployment.id, seen_at=at, deployment=deployment, devices=tuple(deployment.failed())
    )


def progressing(deployment: Deployment, *, at: datetime) -> DeploymentEvent:
    """It goes on."""
    return DeploymentProgressed(source=SOURCE, subject=deployment.id, seen_at=at, deployment=deployment)


def finished(deployment: Deployment, *, at: datetime) -> DeploymentEvent:
    """It is over."""
    return DeploymentFinished(source=SOURCE, subject=deployment.id, seen_at=at, deployment=deployment)


def job_ended(job: str, status: JobStatus = JobStatus.FAILED, *, at: datetime, **fields: Any) -> JobFinished:
    """A bulk job is over."""
    ended = BulkJob(id=job, action=JobAction.PAUSE, status=status, device_count=40, **fields)
    return JobFinished(source=SOURCE, subject=job, seen_at=at, job=ended)


def baselined(*offline: str, at: datetime, since_at: datetime | None = None, **fields: Any) -> SourceBaselined:
    """The first look at the source found these devices offline in Lyon."""
    known = tuple(
        KnownDevice(Device(device, group="Lyon"), DeviceStatus.OFFLINE, since_at or at, ever_online=True)
        for device in offline
    )
    counts = {"online": 430 - len(offline), "offline": len(offline)}
    return SourceBaselined(
        source=SOURCE, subject="devices", seen_at=at, **{"counts": counts, "offline": known, **fields}
    )


def degraded(
    problem: Problem, *, at: datetime, resource: str = "devices", detail: str = "", until_at: datetime | None = None
) -> SourceDegraded | SourceCredentialsRejected:
    """Something began to be wrong with one of the source's resources, the main one unless it is said."""
    common: dict[str, Any] = {"source": SOURCE, "subject": resource, "seen_at": at, "since_at": at, "detail": detail}
    if problem is Problem.REJECTED:
        return SourceCredentialsRejected(**common)
    return SourceDegraded(problem=problem, until_at=until_at, **common)


def recovered(problem: Problem, *, at: datetime, resource: str = "devices") -> SourceRecovered:
    """It is over."""
    return SourceRecovered(source=SOURCE, subject=resource, seen_at=at, problem=problem)


def tunnelled(kind: type[TunnelEvent], tunnel: str = "t-1", *, at: datetime, device: str = "d-1") -> TunnelEvent:
    """A tunnel to a device opened or ended."""
    stands = kind is TunnelOpened
    status = TunnelStatus.OPEN if stands else TunnelStatus.CLOSED
    return kind(source=SOURCE, subject=tunnel, seen_at=at, tunnel=Tunnel(id=tunnel, device=device, status=status))


def contradicting(deployment: Deployment, **reports: str) -> Deployment:
    """The deployment of which these devices, named `d_1`, report other versions than it should have brought."""
    reported = {device.replace("_", "-"): version for device, version in reports.items()}
    return msgspec.structs.replace(deployment, contradicted=reported)


def removed(*, at: datetime) -> SourceRemoved:
    """The source is no longer configured."""
    return SourceRemoved(source=SOURCE, subject=SOURCE, seen_at=at)


def default(name: str) -> Rule:
    """One of the default rules."""
    return next(each for each in DEFAULT_RULES if each.name == name)


def rule(name: str, rules: Sequence[Rule] = DEFAULT_RULES, **changed: Any) -> tuple[Rule, ...]:
    """The rules with one of them changed."""
    return tuple(msgspec.structs.replace(each, **changed) if each.name == name else each for each in rules)


def subjects(notification: Notification, status: AlertStatus, *, new: bool | None = None) -> list[str]:
    """The devices or deployments that a notification tells of in this status."""
    return sorted(
        next(
            alert.labels[name]
            for name in ("device", "deployment", "bulk_job", "tunnel", "resource")
            if name in alert.labels
        )
        for alert in notification.alerts
        if alert.status is status and new in {None, alert.new}
    )
