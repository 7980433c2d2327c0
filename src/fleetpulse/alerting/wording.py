"""What people read: one sentence for an alert, a headline and a sentence for a group. Plain text, not yet escaped."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final, Protocol

import msgspec

from fleetpulse.alerting.condition import Condition, ConditionKind
from fleetpulse.alerting.notification import EndReason, ToldAlert
from fleetpulse.fleet.deployment import Deployment
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.job import BulkJob

_ERRORS_SHOWN: Final = 3
_ERROR_CHARACTERS: Final = 200
_NAME_CHARACTERS: Final = 80
_SUBJECTS: Final = ("device", "deployment", "bulk_job", "tunnel", "resource")


DEVICES_SHOWN: Final = 10
"""How many of the devices that a deployment failed on are named."""


class SourceFacts(msgspec.Struct, frozen=True):
    """What messages and labels say of a source.

    `title` is the vendor's name for people, `credential` what people call its secret: token, API key. A source that is
    not `watched` is configured but disabled.
    """

    name: str
    vendor: str = ""
    title: str = ""
    main_resource: str = "devices"
    labels: dict[str, str] = {}
    credential: str = "credentials"
    watched: bool = True


class GroupFacts(msgspec.Struct, frozen=True):
    """How many devices a group of the known fleet has, and how many of them are online."""

    devices: int
    online: int


class FleetView(Protocol):
    """What messages say of the fleet around an alert. It is asked on the thread that judges."""

    def devices(self, source: str) -> int:
        """How many devices of a source are known."""
        ...

    def group(self, source: str, group: str) -> GroupFacts | None:
        """The devices of one group, None where the source has none."""
        ...

    def names(self, source: str, devices: Iterable[str]) -> Mapping[str, str]:
        """The names of those devices that are known."""
        ...

    def statuses(self, source: str, devices: Iterable[str]) -> Mapping[str, DeviceStatus]:
        """The present status of those devices that are known."""
        ...


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a group as a whole. `kind` is what all its told alerts are about, None where they differ.

    The numbers are those of `Notification`; `group` counts the devices there, where the group is one of devices.
    `source` is the one that a lone alert is about.
    """

    firing: int
    before: int = 0
    added: int = 0
    ended: int = 0
    kind: ConditionKind | None = None
    group: GroupFacts | None = None
    source: SourceFacts | None = None


def span(duration: timedelta) -> str:
    """A duration as people say it: `50 s`, `18 min`, `3 h`, `2 d`."""
    seconds = max(0, round(duration.total_seconds()))
    for unit, size, at_least in (("d", 86400, 2 * 86400), ("h", 3600, 2 * 3600), ("min", 60, 60)):
        if seconds >= at_least:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def summary(
    condition: Condition,
    source: SourceFacts,
    *,
    devices: int,
    statuses: Mapping[str, DeviceStatus],
    zone: tzinfo,
    read_at: datetime | None = None,
) -> str:
    """One sentence on what is wrong. `devices` counts those of the source, `statuses` holds those of a deployment.

    Times are in `zone`, with the date unless it is that of `read_at`; None where nobody knows when it will be read.
    """
    if condition.device is not None:
        place = f" in {condition.device.group}" if condition.device.group else ""
        return f"{condition.device.name or condition.device.id} is offline{place}"
    if condition.deployment is not None:
        return _deployment(condition.deployment, statuses)
    if condition.bulk_job is not None:
        return _job(condition.bulk_job)
    return _source(condition, source, devices=devices, since=_moment(condition.since_at, zone, read_at))


def errors(deployment: Deployment) -> str:
    """What the failing steps printed last, equal lines counted: `"disk full" (2), "killed" (1)`, three at most."""
    lines = Counter(_last_line(step.output) or step.name for step in deployment.steps)
    lines.pop("", None)
    shown = [f'"{line}" ({number})' for line, number in lines.most_common(_ERRORS_SHOWN)]
    rest = len(lines) - len(shown)
    return ", ".join(shown) + (f" and {_count(rest, 'other error')}" if rest > 0 else "")


def failed_on(deployment: Deployment, names: Mapping[str, str]) -> str:
    """The devices it failed on, `gate-17 (d-1), d-2 and 3 more`: the first ten, by name where that is known."""
    failed = deployment.failed()
    shown = ", ".join(_name_and_id(names.get(device, ""), device) for device in failed[:DEVICES_SHOWN])
    rest = len(failed) - DEVICES_SHOWN
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def headline(alerts: Sequence[ToldAlert], labels: Mapping[str, str], change: Change) -> str:
    """`[FIRING 3 → 5] FleetDeviceOffline · edge-prod · Lyon`; what is no device is told by its own summary."""
    where = " · ".join(labels.values()) or "alerts"
    lone = alerts[0] if len(alerts) == 1 and change.kind is not ConditionKind.DEVICE_OFFLINE else None
    if not change.firing:
        return f"[RESOLVED] {_resolved(alerts, where, labels, change, lone)}"
    if change.kind is ConditionKind.SOURCE_BASELINE:  # nothing fires: it is an introduction
        introduction = f"First look at {labels.get('source', 'several sources')}"
        return introduction if lone is None else lone.annotations.get("summary", introduction)
    if lone is not None:
        return f"[FIRING] {lone.annotations.get('summary', where)}"
    before = f"{change.before:,} → " if change.before not in {0, change.firing} else ""
    return f"[FIRING {before}{change.firing:,}] {where}"


def detail(labels: Mapping[str, str], change: Change) -> str:
    """The sentence below the headline: what changed, and how the rest of the group is. Devices only."""
    if not change.firing or change.kind is not ConditionKind.DEVICE_OFFLINE:
        return ""
    place = f" in {labels['group']}" if labels.get("group") else ""
    if change.before and (change.added or change.ended):
        of = f" of {change.group.devices:,}" if change.group is not None else ""
        return f"+{change.added:,} -{change.ended:,}, now {change.firing:,}{of}{place}"
    still = "still " if change.before else ""
    return f"{still}{_count(change.firing, 'device')} offline{place}{_others(change.group)}"


def _others(group: GroupFacts | None) -> str:
    if group is None:
        return ""
    if not group.online:
        return ", none there is online"
    return f", {_count(group.online, 'other')} there {'is' if group.online == 1 else 'are'} online"


def _resolved(
    alerts: Sequence[ToldAlert], where: str, labels: Mapping[str, str], change: Change, lone: ToldAlert | None
) -> str:
    lasted = max(((alert.ends_at or alert.starts_at) - alert.starts_at for alert in alerts), default=timedelta())
    after = f"after {span(lasted)}"
    if lone is not None:
        if change.source is not None and lone.end_reason is EndReason.RECOVERED:
            return f"{_recovery(change.kind, change.source, _subject(lone))} {after}"
        return f"{where} · {_subject(lone)}: {lone.end_reason} {after}"
    if change.kind is not ConditionKind.DEVICE_OFFLINE:
        return f"{len(alerts):,} alerts · {where}"
    place = f" in {labels['group']}" if labels.get("group") else ""
    reasons = Counter(alert.end_reason for alert in alerts)
    devices = _count(len(alerts), "device")
    if set(reasons) == {EndReason.CAME_BACK}:
        return f"{devices} back online{place} {after}"
    counted = ", ".join(f"{number:,} {reason}" for reason, number in reasons.most_common())
    told = counted if len(reasons) > 1 else next(iter(reasons))
    return f"{devices} no longer alerting{place} {after}: {told}"


def _subject(alert: ToldAlert) -> str:
    return next((alert.labels[name] for name in _SUBJECTS if name in alert.labels), "")


def _deployment(deployment: Deployment, statuses: Mapping[str, DeviceStatus]) -> str:
    failed, number = len(deployment.failed()), len(deployment.devices)
    name = f' "{deployment.name}"' if deployment.name and deployment.name != deployment.id else ""
    said = errors(deployment)
    offline = sum(statuses.get(device) is DeviceStatus.OFFLINE for device in deployment.devices)
    now = f"; of the {number:,}, {offline:,} {'is' if offline == 1 else 'are'} offline now" if offline else ""
    counted = f"failed on {failed:,} of {_count(number, 'device')}"
    return f"Deployment {deployment.id}{name} {counted}" + (f": {said}" if said else "") + now


def _job(job: BulkJob) -> str:
    asked = f", asked for by {job.requester}" if job.requester else ""
    devices = _count(job.device_count, "device")
    return f"Bulk job {job.id} ({job.action}, {devices}) ended as {job.word or job.status}{asked}"


def _source(condition: Condition, source: SourceFacts, *, devices: int, since: str) -> str:
    title = source.title or source.vendor or "The vendor"
    why = f": {condition.detail}" if condition.detail else ""
    kept = f"; its {_count(devices, 'device')} {'keeps its' if devices == 1 else 'keep their'} last state"
    kept = kept if devices else ""
    match condition.key.kind:
        case ConditionKind.SOURCE_BASELINE:
            return _baseline(source.name, condition.key.subject, condition.counts)
        case ConditionKind.SOURCE_DOWN:
            return f"{title} cannot be read for {source.name} since {since}{kept}{why}"
        case ConditionKind.CREDENTIALS_REJECTED:
            stale = f"{kept}, shown as stale" if kept else ""
            return f"{title} rejects the {source.credential} of {source.name} since {since}{stale}{why}"
        case ConditionKind.SOURCE_MISCONFIGURED:
            return f"{source.name} is misconfigured{why}"
        case _:
            return f"{source.name} is degraded ({condition.key.subject}){why}"


def _recovery(kind: ConditionKind | None, source: SourceFacts, resource: str) -> str:
    title = source.title or source.vendor or "The vendor"
    match kind:
        case ConditionKind.SOURCE_DOWN:
            return f"{title} can be read again for {source.name}"
        case ConditionKind.CREDENTIALS_REJECTED:
            return f"{title} accepts the {source.credential} of {source.name} again"
        case ConditionKind.SOURCE_MISCONFIGURED:
            return f"The configuration of {source.name} fits again"
        case _:
            return f"{source.name} is no longer degraded ({resource})"


def _baseline(source: str, resource: str, counts: Mapping[str, int]) -> str:
    if resource != "devices":
        states = ", ".join(f"{number:,} {status}" for status, number in counts.items() if number) or "none"
        return f"First look at the {resource} of {source}: {states}; told once; what was so before is not news"
    number = sum(counts.get(status, 0) for status in DeviceStatus)
    states = ", ".join(f"{counts[status]:,} {status}" for status in DeviceStatus if counts.get(status))
    running = counts.get("running", 0)
    deployments = f", {_count(running, 'deployment')} running" if running else ""
    devices = _count(number, "device") + (f" ({states})" if states else "")
    return f"First look at {source}: {devices}{deployments}, told once; what was so before is not news"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _name_and_id(name: str, device: str) -> str:
    return f"{name[:_NAME_CHARACTERS]} ({device})" if name and name != device else device


def _moment(at: datetime, zone: tzinfo, read_at: datetime | None) -> str:
    local = at.astimezone(zone)
    today = read_at is not None and read_at.astimezone(zone).date() == local.date()
    return f"{local:%H:%M %Z}" if today else f"{local:%Y-%m-%d %H:%M %Z}"


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:_ERROR_CHARACTERS] if lines else ""
