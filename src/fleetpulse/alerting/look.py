"""One judgement in the making: a draft over the ledger, and the reason of each thing decided in it."""

from datetime import datetime

from fleetpulse.alerting.condition import ConditionKey
from fleetpulse.alerting.ledger import Ledger
from fleetpulse.alerting.notification import Notification
from fleetpulse.alerting.state import Alert, Decision, Judgement


class Look:
    """What was decided so far at one moment. Those who decide write into `draft`; the ledger below stays as it is."""

    def __init__(self, ledger: Ledger, *, now: datetime) -> None:
        self.draft = Ledger(ledger)
        self.now = now
        self._decisions: list[Decision] = []
        self._notifications: list[Notification] = []

    def decide(self, reason: str, alert: Alert, *, detail: str = "") -> None:
        """Note why something was, or was not, done with an alert."""
        self._note(reason, alert.condition, fingerprint=alert.fingerprint, detail=detail)

    def skip(self, reason: str, key: ConditionKey) -> None:
        """Note why something is no condition."""
        self._note(reason, key)

    def flushed(self, group: str, reason: str, notification: Notification | None) -> None:
        """Note what a group's receiver is told, or why nothing."""
        self._decisions.append(Decision(at=self.now, reason=reason, detail=group))
        if notification is not None:
            self._notifications.append(notification)

    def judgement(self, cursor: int | None) -> Judgement:
        """All of it, as one value to be committed."""
        return Judgement(
            cursor=cursor,
            conditions=self.draft.conditions.changes,
            alerts=self.draft.alerts.changes,
            groups=self.draft.groups.changes,
            told=self.draft.told.changes,
            decisions=tuple(self._decisions),
            notifications=tuple(self._notifications),
        )

    def _note(self, reason: str, key: ConditionKey, *, fingerprint: str = "", detail: str = "") -> None:
        decision = Decision(
            at=self.now,
            reason=reason,
            source=key.source,
            subject=key.subject,
            fingerprint=fingerprint,
            detail=detail,
        )
        self._decisions.append(decision)
