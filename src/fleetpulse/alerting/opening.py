"""Opening: how a condition becomes alerts that are pending, and when these fire."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from fleetpulse.alerting.annotate import Annotator
from fleetpulse.alerting.condition import OCCURRENCES, Condition, ConditionKind
from fleetpulse.alerting.ending import OCCURRENCE_LISTED, Ending
from fleetpulse.alerting.grouping import Grouping, matchable
from fleetpulse.alerting.holding import Holding
from fleetpulse.alerting.look import Look
from fleetpulse.alerting.notification import EndReason
from fleetpulse.alerting.routes import spell
from fleetpulse.alerting.rules import Rule
from fleetpulse.alerting.state import Alert, AlertState
from fleetpulse.durations import format_duration

_SUBJECT_LABEL: Final = {
    ConditionKind.DEVICE_OFFLINE: "device",
    ConditionKind.DEPLOYMENT_FAILED: "deployment",
    ConditionKind.JOB_FAILED: "bulk_job",
}


class Opening:
    """Makes alerts of conditions, brings them up to date, and lets them fire."""

    def __init__(
        self,
        *,
        rules: Mapping[str, Rule],
        annotator: Annotator,
        grouping: Grouping,
        holding: Holding,
        ending: Ending,
    ) -> None:
        self._rules = {kind: [rule for rule in rules.values() if rule.when is kind] for kind in ConditionKind}
        self._annotator = annotator
        self._grouping = grouping
        self._holding = holding
        self._ending = ending

    def open(self, look: Look, condition: Condition, *, seen: bool) -> None:
        """Let each rule make an alert of the condition, or bring the alert it made up to date.

        `seen`: it was observed just now, and is not only remembered.
        """
        if not self._annotator.source(condition.key.source).watched and condition.key.kind not in OCCURRENCES:
            return
        standing = self._standing(look, condition)
        for rule in self._rules[condition.key.kind]:
            if rule.name in standing:
                self._update(look, standing[rule.name], rule, condition)
                continue
            labels, extra = self._labels(rule, condition), _matchable(condition)
            if rule.wants(condition, {**labels, **extra}):
                self._pend(look, rule, condition, labels, extra, seen=seen)

    def review(self, look: Look, alert: Alert, rule: Rule | None) -> None:
        """End an alert that its rule, gone, disabled or changed, no longer wants, or whose source is disabled.

        Past facts of a disabled source stay: they are told once, and known to be true however long nobody looks.
        """
        if rule is None or not rule.enabled:
            self._ending.withdraw(look, alert, EndReason.RULE_REMOVED, at=look.now)
        elif not rule.keeps(alert.condition.kind, matchable(alert)):
            self._ending.withdraw(look, alert, EndReason.RULE_CHANGED, at=look.now)
        elif not alert.occurrence and not self._annotator.source(alert.condition.source).watched:
            self._ending.withdraw(look, alert, EndReason.SOURCE_DISABLED, at=look.now)

    def observe(self, look: Look, source: str, subjects: Sequence[str], at: datetime) -> None:
        """What was seen again, still not well, may let alerts fire whose `for` ran out before."""
        for subject in subjects:
            for alert in look.draft.pending(source, subject):
                condition = look.draft.conditions.get(alert.condition)
                proved = condition is not None and not condition.in_doubt and alert.fires_at <= at
                if proved and not self._holding.held(look.draft, alert):
                    self.fire(look, alert)

    def fire(self, look: Look, alert: Alert) -> None:
        """Let an alert fire, and put it in the groups of its routes."""
        fired = msgspec.structs.replace(
            alert,
            state=AlertState.FIRING,
            keep_until_at=look.now + OCCURRENCE_LISTED if alert.occurrence else None,
        )
        look.decide("baseline: listed, told in one summary" if alert.baseline else "firing", fired)
        if not self._grouping.place(look, fired).groups:
            look.decide("no receiver", fired)

    def _standing(self, look: Look, condition: Condition) -> dict[str, Alert]:
        """The alerts over a condition by rule, but for those that ended, be it only by this look's late reading."""
        for alert in look.draft.alerts_of(condition.key):
            until_at = alert.keep_until_at
            if until_at is not None and until_at <= condition.since_at and not alert.occurrence:
                self._ending.lapse(look, alert)
        alerts = look.draft.alerts_of(condition.key)
        return {alert.rule: alert for alert in alerts if alert.state is not AlertState.RESOLVED}

    def _pend(
        self,
        look: Look,
        rule: Rule,
        condition: Condition,
        labels: dict[str, str],
        extra: dict[str, tuple[str, ...]],
        *,
        seen: bool,
    ) -> None:
        fingerprint = fingerprint_of(labels)
        before = look.draft.alerts.get(fingerprint)  # it ended, and somebody who was told it fires does not know yet
        alert = Alert(
            fingerprint=fingerprint,
            rule=rule.name,
            condition=condition.key,
            state=AlertState.PENDING,
            labels=labels,
            annotations=self._annotator.annotations(rule, condition, labels, now=look.now),
            starts_at=condition.since_at,
            fires_at=condition.since_at + rule.for_,
            size=condition.size,
            occurrence=rule.occurrence,
            baseline=condition.baseline,
            late=condition.late,
            matchable=extra if before is None else before.matchable,
            groups=() if before is None else before.groups,
            events=condition.events,
        )
        look.draft.put_alert(fingerprint, alert)
        waits = self._waits(look, alert, rule, seen=seen)
        if waits:
            look.decide("pending", alert, detail=waits)
        else:
            self.fire(look, alert)

    def _waits(self, look: Look, alert: Alert, rule: Rule, *, seen: bool) -> str:
        """Why an alert does not fire at once: until an observation, a past fact until its time."""
        if rule.for_:
            return f"for {format_duration(rule.for_)}"
        if not seen and not alert.occurrence:
            return "until it is seen again"
        return self._holding.held(look.draft, alert)

    def _update(self, look: Look, alert: Alert, rule: Rule, condition: Condition) -> None:
        pending = alert.state is AlertState.PENDING
        grew = alert.occurrence and not pending and condition.size > alert.size
        keep_until_at = alert.keep_until_at if alert.occurrence else None  # a state that came back is not ending
        changed = msgspec.structs.replace(
            alert,
            annotations=self._annotator.annotations(rule, condition, alert.labels, now=look.now),
            fires_at=alert.starts_at + rule.for_ if pending else alert.fires_at,
            size=condition.size,
            keep_until_at=look.now + OCCURRENCE_LISTED if grew else keep_until_at,
            end_reason=None,
            events=condition.events,
        )
        look.draft.put_alert(alert.fingerprint, changed)
        if grew:
            look.decide("grew", changed, detail=f"{alert.size} -> {changed.size}")
            self._grouping.wake(look, changed)

    def _labels(self, rule: Rule, condition: Condition) -> dict[str, str]:
        source = self._annotator.source(condition.key.source)
        labels = {
            "alertname": rule.name,
            "severity": rule.severity,
            "source": source.name,
            "vendor": source.vendor,
            _SUBJECT_LABEL.get(condition.key.kind, "resource"): condition.key.subject,
            "group": condition.device.group if condition.device is not None else "",
        }
        return {name: value for name, value in {**labels, **source.labels, **rule.labels}.items() if value}


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """The identity of an alert: 16 hex digits of the hash of its labels."""
    return hashlib.sha256(spell(labels).encode()).hexdigest()[:16]


def _matchable(condition: Condition) -> dict[str, tuple[str, ...]]:
    if condition.device is None:
        return {}
    return {"name": (condition.device.name,), "tag": condition.device.tags}
