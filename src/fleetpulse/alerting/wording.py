"""What people read of a group: a headline, and a sentence below it. Plain text, not yet escaped."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from fleetpulse.alerting.condition import ConditionKind
from fleetpulse.alerting.facts import GroupFacts, SourceFacts
from fleetpulse.alerting.notification import EndReason, ToldAlert
from fleetpulse.alerting.phrases import count, span
from fleetpulse.alerting.sentences import ended_well

_SUBJECTS: Final = ("device", "deployment", "bulk_job", "tunnel", "resource")


class _Words(msgspec.Struct, frozen=True):
    """How things of one kind are spoken of: `3 devices offline in Lyon`, `3 devices back online in Lyon`.

    `ends` has the ends that are none to worry about. `beside`: how many others are online says something.
    """

    noun: str
    state: str
    ends: Mapping[EndReason | None, str]
    beside: bool = True


_BACK: Final[Mapping[EndReason | None, str]] = {EndReason.CAME_BACK: "back online"}
_DEVICES: Final = {
    ConditionKind.DEVICE_OFFLINE: _Words("device", "offline", _BACK),
    ConditionKind.DEVICE_SILENT: _Words("device", "silent", {**_BACK, EndReason.SEEN_AGAIN: "seen again"}),
    ConditionKind.SIM_PAUSED_BY_SYSTEM: _Words(
        "SIM",
        "paused by the system",
        {EndReason.NO_LONGER_PAUSED: "no longer paused by the system"},
        beside=False,
    ),
}
"""The kinds that are about devices: many alike are counted, each is listed by its name."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a group as a whole. `kind` is what all its told alerts are about, None where they differ.

    The numbers are those of `Notification`; `group` counts the devices there, where the group is one of devices.
    `source` is the one that all of it comes from, None where it is several.
    """

    firing: int
    before: int = 0
    added: int = 0
    ended: int = 0
    kind: ConditionKind | None = None
    group: GroupFacts | None = None
    source: SourceFacts | None = None

    @property
    def of_devices(self) -> bool:
        """Whether all of it is about devices, in the same way."""
        return self.kind in _DEVICES


def headline(alerts: Sequence[ToldAlert], labels: Mapping[str, str], change: Change) -> str:
    """`[FIRING 3 → 5] FleetDeviceOffline · edge-prod · Lyon`; what is no device is told by its own summary."""
    where = " · ".join(labels.values()) or "alerts"
    lone = alerts[0] if len(alerts) == 1 and not change.of_devices else None
    if not change.firing:
        return f"[RESOLVED] {_resolved(alerts, where, labels, change, lone)}"
    if change.kind is ConditionKind.SOURCE_BASELINE:  # nothing fires: it is an introduction
        introduction = f"First look at {labels.get('source', 'several sources')}"
        return introduction if lone is None else lone.annotations.get("summary", introduction)
    if lone is not None:
        return f"[FIRING] {lone.annotations.get('summary', where)}"
    before = f"{change.before:,} → " if change.before not in {0, change.firing} else ""
    return f"[FIRING {before}{change.firing:,}] {where}"


def detail(alerts: Sequence[ToldAlert], labels: Mapping[str, str], change: Change) -> str:
    """The sentence below the headline: what changed, how the rest of the group is, why some went missing."""
    words = _DEVICES.get(change.kind) if change.kind is not None else None
    if words is None:
        return ""
    sentences = [_state(words, labels, change), *_hints(alerts)]
    return ". ".join(filter(None, sentences))


def _state(words: _Words, labels: Mapping[str, str], change: Change) -> str:
    if not change.firing:
        return ""
    place = f" in {labels['group']}" if labels.get("group") else ""
    if change.before and (change.added or change.ended):
        of = f" of {change.group.devices:,}" if change.group is not None else ""
        return f"+{change.added:,} -{change.ended:,}, now {change.firing:,}{of}{place}"
    still = "still " if change.before else ""
    others = _others(change.group) if words.beside else ""
    return f"{still}{count(change.firing, words.noun)} {words.state}{place}{others}"


def _hints(alerts: Sequence[ToldAlert]) -> list[str]:
    return sorted({alert.end_note for alert in alerts if alert.end_reason is EndReason.WENT_MISSING})


def _others(group: GroupFacts | None) -> str:
    if group is None:
        return ""
    if not group.online:
        return ", none there is online"
    return f", {count(group.online, 'other')} there {'is' if group.online == 1 else 'are'} online"


def _resolved(
    alerts: Sequence[ToldAlert], where: str, labels: Mapping[str, str], change: Change, lone: ToldAlert | None
) -> str:
    after = f"after {span(max((alert.lasted for alert in alerts), default=timedelta()))}"
    if lone is not None:
        well = ended_well(change.kind, lone, change.source) if change.kind and change.source else ""
        return f"{well or f'{where} · {_subject(lone)}: {lone.end}'} {after}"
    words = _DEVICES.get(change.kind) if change.kind is not None else None
    if words is None:
        return f"{len(alerts):,} alerts · {where}"
    place = f" in {labels['group']}" if labels.get("group") else ""
    things = count(len(alerts), words.noun)
    reasons = {alert.end_reason for alert in alerts}
    if len(reasons) == 1 and (reasons <= words.ends.keys()):
        return f"{things} {words.ends[reasons.pop()]}{place} {after}"
    ends = Counter(alert.end for alert in alerts)
    counted = ", ".join(
        f"{number:,} {end}" for end, number in sorted(ends.items(), key=lambda each: (-each[1], each[0]))
    )
    return f"{things} no longer alerting{place} {after}: {counted if len(ends) > 1 else next(iter(ends))}"


def _subject(alert: ToldAlert) -> str:
    return next((alert.labels[name] for name in _SUBJECTS if name in alert.labels), "")
