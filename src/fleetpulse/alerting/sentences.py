"""One sentence for each alert: what is wrong, by the kind of its condition, and how it ended well. Plain text."""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Final

import msgspec

from fleetpulse.alerting import deployments
from fleetpulse.alerting.condition import Condition, ConditionKind
from fleetpulse.alerting.conditions import problem_of, resource_of
from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.alerting.notification import EndReason, ToldAlert
from fleetpulse.alerting.phrases import count, days, moment, named
from fleetpulse.fleet.device import DeviceStatus, SimState
from fleetpulse.fleet.events import Problem

_BASELINE_END: Final = "told once; what was so before is not news"


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What a sentence says of the world around a condition.

    `since_at` is when it began. `devices` counts those of the source; `statuses` and `names` are of the devices that it
    concerns. Times are in `zone`, with the date unless it is that of `read_at`; None where nobody knows when it will be
    read. `now` is when it is written.
    """

    since_at: datetime
    zone: tzinfo
    now: datetime
    read_at: datetime | None = None
    devices: int = 0
    statuses: Mapping[str, DeviceStatus] = {}
    names: Mapping[str, str] = {}

    def moment(self, at: datetime) -> str:
        """A time as it is read."""
        return moment(at, self.zone, self.read_at)

    @property
    def since(self) -> str:
        """Since when it is so."""
        return self.moment(self.since_at)


Sentence = Callable[[Condition, SourceFacts, Around], str]


def summary(when: ConditionKind, condition: Condition, source: SourceFacts, around: Around) -> str:
    """What is wrong, for a rule of this `when`."""
    return _SENTENCES[when](condition, source, around)


def ended_well(kind: ConditionKind, alert: ToldAlert, source: SourceFacts) -> str:
    """That what was wrong with something else than a device is over; empty where its end is not that."""
    if alert.end_reason is EndReason.RECOVERED:
        return _recovered(kind, alert.labels.get("resource", ""), source)
    if alert.end_reason in {EndReason.CLOSED, EndReason.TERMINATED}:
        device = alert.annotations.get("name", "")
        return f"Tunnel {alert.labels.get('tunnel', '')}{f' to {device}' if device else ''} was {alert.end_reason}"
    return ""


def _offline(condition: Condition, _source: SourceFacts, _around: Around) -> str:
    return f"{_device(condition)} is offline{_place(condition)}"


def _silent(condition: Condition, _source: SourceFacts, around: Around) -> str:
    return f"{_device(condition)}{_place(condition)} is silent since {around.since}"


def _sim_paused(condition: Condition, _source: SourceFacts, _around: Around) -> str:
    return f"The SIM of {_device(condition)}{_place(condition)} is paused by the system"


def _device(condition: Condition) -> str:
    device = condition.device
    return condition.key.subject if device is None else device.name or device.id


def _place(condition: Condition) -> str:
    return f" in {condition.device.group}" if condition.device is not None and condition.device.group else ""


def _deployment(condition: Condition, _source: SourceFacts, around: Around) -> str:
    if condition.deployment is None:
        return f"Deployment {condition.key.subject} failed"
    return deployments.sentence(condition.deployment, around.statuses)


def _job(condition: Condition, _source: SourceFacts, _around: Around) -> str:
    job = condition.bulk_job
    if job is None:
        return f"Bulk job {condition.key.subject} failed"
    asked = f", asked for by {job.requester}" if job.requester else ""
    devices = count(job.device_count, "device")
    return f"Bulk job {job.id} ({job.action}, {devices}) ended as {job.word or job.status}{asked}"


def _tunnel(condition: Condition, _source: SourceFacts, around: Around) -> str:
    tunnel = condition.tunnel
    to = "" if tunnel is None else f" to {named(around.names.get(tunnel.device, ''), tunnel.device)}"
    return f"Tunnel {condition.key.subject}{to} is open since {around.since}"


def _down(condition: Condition, source: SourceFacts, around: Around) -> str:
    return f"{_title(source)} cannot be read for {source.name} since {around.since}{_kept(around)}{_why(condition)}"


def _misconfigured(condition: Condition, source: SourceFacts, _around: Around) -> str:
    return f"{source.name} is misconfigured{_why(condition)}"


def _rejected(condition: Condition, source: SourceFacts, around: Around) -> str:
    kept = _kept(around)
    stale = f"{kept}, shown as stale" if kept else ""
    since = f"since {around.since}"
    return f"{_title(source)} rejects the {source.credential} of {source.name} {since}{stale}{_why(condition)}"


def _expiring(condition: Condition, source: SourceFacts, around: Around) -> str:
    until_at = condition.until_at
    if until_at is None:
        return f"The {source.credential} of {source.name} expires soon"
    at = moment(until_at, around.zone, None)
    if around.read_at is None:
        return f"The {source.credential} of {source.name} expires at {at}"
    if until_at <= around.now:
        return f"The {source.credential} of {source.name} expired at {at}"
    return f"The {source.credential} of {source.name} expires in {days(until_at - around.now)} ({at})"


def _degraded(condition: Condition, source: SourceFacts, around: Around) -> str:
    resource = resource_of(condition.key)
    said = {
        Problem.RATE_LIMITED: f"{_title(source)} limits the requests of {source.name} for its {resource}",
        Problem.DOUBTED: f"{_title(source)} lists too few devices for {source.name}",
        Problem.STALE: f"What is known of {source.name} is stale",
    }.get(problem_of(condition.key), f"The {resource} of {source.name} cannot be read")
    return f"{said} since {around.since}{_why(condition)}"


def _baseline(condition: Condition, source: SourceFacts, _around: Around) -> str:
    counts = {status: number for status, number in condition.counts.items() if number}
    paused = ""
    if condition.key.subject == "devices":  # in the order of the words, so that it reads alike for every source
        paused = _paused(counts.get(SimState.PAUSED_BY_SYSTEM, 0))
        counts = {status: counts[status] for status in DeviceStatus if status in counts}
    states = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in counts.items())
    things = count(sum(counts.values()), condition.key.subject.removesuffix("s"))
    return f"First look at {source.name}: {things}" + (f" ({states})" if states else "") + f"{paused}, {_BASELINE_END}"


def _paused(sims: int) -> str:
    return f", {count(sims, 'SIM')} paused by the system" if sims else ""


def _recovered(kind: ConditionKind, subject: str, source: SourceFacts) -> str:
    if kind is ConditionKind.SOURCE_DEGRADED:
        resource, _, problem = subject.partition("/")
        words = {
            Problem.RATE_LIMITED: f"{_title(source)} no longer limits the requests of {source.name} for its {resource}",
            Problem.DOUBTED: f"{_title(source)} lists the devices of {source.name} again",
            Problem.STALE: f"What is known of {source.name} is fresh again",
        }
        return words.get(Problem(problem), f"The {resource} of {source.name} can be read again")
    return {
        ConditionKind.SOURCE_DOWN: f"{_title(source)} can be read again for {source.name}",
        ConditionKind.SOURCE_MISCONFIGURED: f"The configuration of {source.name} fits again",
        ConditionKind.CREDENTIALS_REJECTED: f"{_title(source)} accepts the {source.credential} of {source.name} again",
        ConditionKind.CREDENTIALS_EXPIRING: f"The {source.credential} of {source.name} was replaced",
    }.get(kind, "")


def _title(source: SourceFacts) -> str:
    return source.title or source.vendor or "The vendor"


def _why(condition: Condition) -> str:
    return f": {condition.detail}" if condition.detail else ""


def _kept(around: Around) -> str:
    if not around.devices:
        return ""
    keep = "keeps its" if around.devices == 1 else "keep their"
    return f"; its {count(around.devices, 'device')} {keep} last state"


_SENTENCES: Final[Mapping[ConditionKind, Sentence]] = {
    ConditionKind.DEVICE_OFFLINE: _offline,
    ConditionKind.DEVICE_SILENT: _silent,
    ConditionKind.SIM_PAUSED_BY_SYSTEM: _sim_paused,
    ConditionKind.DEPLOYMENT_FAILED: _deployment,
    ConditionKind.JOB_FAILED: _job,
    ConditionKind.TUNNEL_OPEN: _tunnel,
    ConditionKind.SOURCE_DOWN: _down,
    ConditionKind.SOURCE_DEGRADED: _degraded,
    ConditionKind.SOURCE_MISCONFIGURED: _misconfigured,
    ConditionKind.CREDENTIALS_REJECTED: _rejected,
    ConditionKind.CREDENTIALS_EXPIRING: _expiring,
    ConditionKind.SOURCE_BASELINE: _baseline,
}
