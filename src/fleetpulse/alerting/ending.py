"""Ending: how alerts end when their condition, their rule or their source does, and when their time is over."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from fleetpulse.alerting.condition import OCCURRENCES, ConditionKey
from fleetpulse.alerting.grouping import Grouping
from fleetpulse.alerting.look import Look
from fleetpulse.alerting.notification import EndReason, EventRef
from fleetpulse.alerting.rules import Rule
from fleetpulse.alerting.state import Alert, AlertState

OCCURRENCE_LISTED: Final = timedelta(hours=24)
"""How long a past fact stays listed after it fired or last grew: as long as its message may still be under way, for
should its receiver be replaced meanwhile, another one is to be told."""


class Ending:
    """Ends alerts. Each end has a reason; nobody hears of it who was not told that the alert fires."""

    def __init__(self, *, rules: Mapping[str, Rule], grouping: Grouping) -> None:
        self._rules = rules
        self._grouping = grouping

    def over(
        self, look: Look, key: ConditionKey, reason: EndReason, *, at: datetime, event: EventRef, note: str = ""
    ) -> None:
        """A condition is over: its alerts end, at once or after their rule's `keep_firing_for`."""
        if look.draft.conditions.get(key) is None:
            return
        look.draft.conditions.put(key, None)
        for alert in look.draft.alerts_of(key):
            if alert.state is not AlertState.RESOLVED:
                ended = msgspec.structs.replace(alert, events=(*alert.events, event), end_note=note)
                self.end(look, ended, reason, at=at)

    def end(self, look: Look, alert: Alert, reason: EndReason, *, at: datetime) -> None:
        """What an alert tells is over, at once or after its rule's `keep_firing_for`."""
        rule = self._rules.get(alert.rule)
        if alert.state is AlertState.PENDING or rule is None or not rule.keep_firing_for:
            self._resolve(look, alert, reason, at=at)
            return
        until_at = at + rule.keep_firing_for
        kept = msgspec.structs.replace(alert, keep_until_at=until_at, end_reason=reason)
        look.draft.put_alert(alert.fingerprint, kept)
        look.decide("kept firing", kept, detail=f"{reason}; until {until_at.isoformat()}")

    def withdraw(self, look: Look, alert: Alert, reason: EndReason, *, at: datetime) -> None:
        """Nobody watches for this any more: it ends at once, a past fact without a word."""
        if alert.state is AlertState.RESOLVED:
            return
        if alert.occurrence:
            self._grouping.forget(look, alert)
            look.decide("ended", alert, detail=reason)
        else:
            self._resolve(look, alert, reason, at=at)

    def lapse(self, look: Look, alert: Alert) -> None:
        """An alert's `keep_until_at` has come.

        A past fact that may still grow, or was not told to all, stays listed. Alerts of several rules over the same
        fact are forgotten together: a restart would let the one forgotten first fire again.
        """
        if not alert.occurrence:
            at = alert.keep_until_at or look.now
            self._resolve(look, alert, alert.end_reason or EndReason.RECOVERED, at=at)
            return
        alerts = look.draft.alerts_of(alert.condition)
        condition = look.draft.conditions.get(alert.condition)
        grows = condition is not None and condition.open_end
        if grows or not all(self._is_told(look, other) for other in alerts):
            later = msgspec.structs.replace(alert, keep_until_at=look.now + OCCURRENCE_LISTED)
            look.draft.put_alert(alert.fingerprint, later)
            return
        look.draft.conditions.put(alert.condition, None)
        for other in alerts:
            self._grouping.forget(look, other)
            look.decide("ended", other, detail="told")

    def settle(self, look: Look, key: ConditionKey) -> None:
        """Forget a past fact that can't grow and that no rule wants: nothing would ever end it."""
        condition = look.draft.conditions.get(key)
        if key.kind not in OCCURRENCES or condition is None or condition.open_end:
            return
        if not look.draft.alerts_of(key):
            look.draft.conditions.put(key, None)

    def _is_told(self, look: Look, alert: Alert) -> bool:
        return alert.state is AlertState.FIRING and self._grouping.all_told(look, alert)

    def _resolve(self, look: Look, alert: Alert, reason: EndReason, *, at: datetime) -> None:
        if not self._grouping.was_told(look, alert):
            self._grouping.forget(look, alert)
            look.decide("ended before anyone was told", alert, detail=reason)
            return
        resolved = msgspec.structs.replace(
            alert, state=AlertState.RESOLVED, ended_at=at, end_reason=reason, keep_until_at=None
        )
        look.draft.put_alert(alert.fingerprint, resolved)
        look.decide("resolved", resolved, detail=reason)
        self._grouping.wake(look, resolved)
