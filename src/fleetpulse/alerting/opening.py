"""Opening: how a condition becomes alerts that are pending, and when these fire."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from fleetpulse.alerting.annotate import Annotator
from fleetpulse.alerting.condition import KEPT_AS, OCCURRENCES, OF_SOURCES, Condition, ConditionKey, ConditionKind
from fleetpulse.alerting.ending import OCCURRENCE_LISTED, Ending
from fleetpulse.alerting.facts import FleetView
from fleetpulse.alerting.grouping import Grouping, matchable
from fleetpulse.alerting.holding import Holding
from fleetpulse.alerting.look import Look
from fleetpulse.alerting.notification import EndReason
from fleetpulse.alerting.routes import spell
from fleetpulse.alerting.rules import Rule
from fleetpulse.alerting.state import Alert, AlertState
from fleetpulse.alerting.term import Term, heard_again, speaks_of, term_of
from fleetpulse.durations import format_duration

_SUBJECT_LABEL: Final = {
    ConditionKind.DEVICE_OFFLINE: "device",
    ConditionKind.SIM_PAUSED_BY_SYSTEM: "device",
    ConditionKind.DEPLOYMENT_FAILED: "deployment",
    ConditionKind.JOB_FAILED: "bulk_job",
    ConditionKind.TUNNEL_OPEN: "tunnel",
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
        fleet: FleetView,
    ) -> None:
        self._rules = {
            kind: [rule for rule in rules.values() if KEPT_AS.get(rule.when, rule.when) is kind]
            for kind in ConditionKind
        }
        self._silent = [rule for rule in rules.values() if rule.when is ConditionKind.DEVICE_SILENT and rule.enabled]
        self._annotator = annotator
        self._grouping = grouping
        self._holding = holding
        self._ending = ending
        self._fleet = fleet

    def open(self, look: Look, condition: Condition, *, at: datetime, seen: bool) -> None:
        """Let each rule make an alert of the condition as it was at `at`, or bring the alert it made up to date.

        `seen`: it was observed then, and is not only remembered.
        """
        kind, source = condition.key.kind, self._annotator.source(condition.key.source)
        if not source.watched and kind not in OCCURRENCES:
            return
        if kind in OF_SOURCES and self._holding.paused(look.draft, source.name):
            return
        standing = self._standing(look, condition)
        for rule in self._rules[kind]:
            term = term_of(rule, condition, source, at=at)
            if term is None:
                continue
            alert = standing.get(rule.name)
            if alert is not None:
                self._bring_up_to_date(look, alert, rule, condition, term)
            elif term.starts_at <= at:
                self._want(look, rule, condition, term, seen=seen)

    def review(self, look: Look, alert: Alert, rule: Rule | None) -> None:
        """End an alert that its rule, gone, disabled or changed, no longer wants, or whose source is disabled.

        Past facts of a disabled source stay: they are told once, and known to be true however long nobody looks.
        """
        source = self._annotator.source(alert.condition.source)
        if rule is None or not rule.enabled:
            self._ending.withdraw(look, alert, EndReason.RULE_REMOVED, at=look.now)
        elif not rule.keeps(alert.kind, matchable(alert)) or not speaks_of(rule, source):
            self._ending.withdraw(look, alert, EndReason.RULE_CHANGED, at=look.now)
        elif not alert.occurrence and not source.watched:
            self._ending.withdraw(look, alert, EndReason.SOURCE_DISABLED, at=look.now)

    def observe(self, look: Look, source: str, subjects: Sequence[str], at: datetime) -> None:
        """What was seen again, still not well, may let alerts fire whose `for` ran out before.

        It may also have become by mere time what a rule speaks of: a device silent for too long, a key that ends soon.
        """
        facts = self._annotator.source(source)
        silent = [rule for rule in self._silent if facts.watched and speaks_of(rule, facts)]
        for subject in subjects:
            if silent:
                self._listen(look, ConditionKey(ConditionKind.DEVICE_OFFLINE, source, subject), silent, at)
            if subject == facts.main_resource:
                expiring = look.draft.conditions.get(ConditionKey(ConditionKind.CREDENTIALS_EXPIRING, source, subject))
                if expiring is not None:
                    self.open(look, expiring, at=at, seen=True)
            for alert in look.draft.pending(source, subject):
                condition = look.draft.conditions.get(alert.condition)
                proved = condition is not None and not condition.in_doubt and alert.fires_at <= at
                if proved and not self._holding.held(look.draft, alert):
                    self.fire(look, alert)

    def _listen(self, look: Look, key: ConditionKey, rules: Sequence[Rule], at: datetime) -> None:
        """Whether a device that is not online has been silent for too long, or was heard of meanwhile after all.

        No alert waits for that: where being offline is healthy, most devices wake up in time.
        """
        condition = look.draft.conditions.get(key)
        if condition is None or condition.in_doubt:
            return
        source = self._annotator.source(key.source)
        terms = ((rule, term_of(rule, condition, source, at=at)) for rule in rules)
        due = [rule for rule, term in terms if term is not None and term.starts_at <= at]
        if not due:  # as with nearly all, at any time: so far it is to cost little
            return
        condition = self._heard_of(look, condition, at)
        standing = self._standing(look, condition)
        for rule in due:
            term, alert = term_of(rule, condition, source, at=at), standing.get(rule.name)
            if term is not None and term.starts_at <= at:
                if alert is None:
                    self._want(look, rule, condition, term, seen=True)
            elif alert is not None:
                self._ending.end(look, alert, EndReason.SEEN_AGAIN, at=at)

    def _heard_of(self, look: Look, condition: Condition, at: datetime) -> Condition:
        """The condition with what the vendor says now: there may have been a session between two looks."""
        heard = heard_again(condition, self._fleet.last_seen(condition.key.source, condition.key.subject), at=at)
        if heard is not condition:
            look.draft.conditions.put(condition.key, heard)
        return heard

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

    def _want(self, look: Look, rule: Rule, condition: Condition, term: Term, *, seen: bool) -> None:
        labels, extra = self._labels(rule, condition), _matchable(condition)
        if rule.wants(condition, {**labels, **extra}):
            self._pend(look, self._alert(look, rule, condition, term, labels=labels, extra=extra), term, seen=seen)

    def _bring_up_to_date(self, look: Look, alert: Alert, rule: Rule, condition: Condition, term: Term) -> None:
        """Update an alert; one without a group, told to nobody yet, is made anew once the group is known.

        A vendor may tell of statuses long before it tells of groups, by which alerts are routed.
        """
        labels, extra = self._labels(rule, condition), _matchable(condition)
        learned = "group" in labels and "group" not in alert.labels and term.starts_at <= look.now
        if not learned or not (alert.baseline or not self._grouping.was_told(look, alert)):
            self._update(look, alert, rule, condition, term)
            return
        self._grouping.forget(look, alert)
        look.decide("its group is known now", alert)
        if rule.wants(condition, {**labels, **extra}):
            fresh = self._alert(look, rule, condition, term, labels=labels, extra=extra)
            look.draft.put_alert(fresh.fingerprint, fresh)
            if alert.state is AlertState.FIRING:
                self.fire(look, fresh)

    def _alert(
        self,
        look: Look,
        rule: Rule,
        condition: Condition,
        term: Term,
        *,
        labels: dict[str, str],
        extra: dict[str, tuple[str, ...]],
    ) -> Alert:
        fingerprint = fingerprint_of(labels)
        before = look.draft.alerts.get(fingerprint)  # it ended, and somebody who was told it fires does not know yet
        at_first = term.starts_at <= condition.since_at  # else it became so while we looked
        return Alert(
            fingerprint=fingerprint,
            rule=rule.name,
            condition=condition.key,
            when=None if rule.when is condition.key.kind else rule.when,
            state=AlertState.PENDING,
            labels=labels,
            annotations=self._annotations(look, rule, condition, term, labels),
            starts_at=term.starts_at,
            fires_at=term.fires_at,
            since_at=None if term.since_at == term.starts_at else term.since_at,
            size=condition.size,
            occurrence=rule.occurrence,
            baseline=condition.baseline and at_first,
            late=condition.late and at_first,
            matchable=extra if before is None else before.matchable,
            groups=() if before is None else before.groups,
            events=condition.events,
        )

    def _pend(self, look: Look, alert: Alert, term: Term, *, seen: bool) -> None:
        look.draft.put_alert(alert.fingerprint, alert)
        waits = self._waits(look, alert, term, seen=seen)
        if waits:
            look.decide("pending", alert, detail=waits)
        else:
            self.fire(look, alert)

    def _waits(self, look: Look, alert: Alert, term: Term, *, seen: bool) -> str:
        """Why an alert does not fire at once: until an observation, a past fact until its time."""
        if term.fires_at > term.starts_at:
            return f"for {format_duration(term.fires_at - term.starts_at)}"
        if not seen and not alert.occurrence:
            return "until it is seen again"
        return self._holding.held(look.draft, alert)

    def _update(self, look: Look, alert: Alert, rule: Rule, condition: Condition, term: Term) -> None:
        pending = alert.state is AlertState.PENDING
        grew = alert.occurrence and not pending and condition.size > alert.size
        keep_until_at = look.now + OCCURRENCE_LISTED if grew else alert.keep_until_at
        ends = alert.occurrence or term.starts_at > look.now  # a state that came back is not ending
        changed = msgspec.structs.replace(
            alert,
            annotations=self._annotations(look, rule, condition, term, alert.labels),
            fires_at=alert.starts_at + (term.fires_at - term.starts_at) if pending else alert.fires_at,
            size=condition.size,
            keep_until_at=keep_until_at if ends else None,
            end_reason=alert.end_reason if ends else None,
            end_note=alert.end_note if ends else "",
            events=condition.events,
        )
        look.draft.put_alert(alert.fingerprint, changed)
        if grew:
            look.decide("grew", changed, detail=f"{alert.size} -> {changed.size}")
            self._grouping.wake(look, changed)

    def _annotations(
        self, look: Look, rule: Rule, condition: Condition, term: Term, labels: Mapping[str, str]
    ) -> dict[str, str]:
        return self._annotator.annotations(rule, condition, labels, now=look.now, since_at=term.since_at)

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
