"""Judging: events, observations and due times in, decisions out. Changes nothing until its judgement is accepted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo

import msgspec

from fleetpulse.alerting.annotate import Annotator
from fleetpulse.alerting.condition import OF_SOURCES, ConditionKey
from fleetpulse.alerting.conditions import turns
from fleetpulse.alerting.ending import Ending
from fleetpulse.alerting.facts import FleetView, SourceFacts
from fleetpulse.alerting.flush import Flush
from fleetpulse.alerting.grouping import Grouping
from fleetpulse.alerting.holding import Holding
from fleetpulse.alerting.ledger import Ledger
from fleetpulse.alerting.look import Look
from fleetpulse.alerting.notification import EndReason, EventRef
from fleetpulse.alerting.opening import Opening
from fleetpulse.alerting.routes import Route
from fleetpulse.alerting.rules import Rule
from fleetpulse.alerting.state import AlertState, Judgement, Remembered
from fleetpulse.fleet.events import Event, Problem, SourceDegraded, SourceRecovered, SourceRemoved

__all__ = ["Alerting", "FleetView", "Observed"]


class Observed(msgspec.Struct, frozen=True):
    """These subjects of a source were seen again at this time, unchanged and not well."""

    source: str
    subjects: Sequence[str]
    at: datetime


class Alerting:
    """The whole state of alerting, and the one place that judges.

    `begin` comes first. It and `judge` return what they decided and change nothing; after the commit, `accept` takes it
    over. Both may run on another thread as long as nothing is accepted meanwhile. `send_resolved` is by receiver, true
    where it says nothing.
    """

    def __init__(
        self,
        *,
        rules: Sequence[Rule],
        route: Route,
        sources: Mapping[str, SourceFacts],
        send_resolved: Mapping[str, bool],
        fleet: FleetView,
        new_id: Callable[[], str],
        remembered: Remembered | None = None,
        external_url: str = "",
        zone: tzinfo,
    ) -> None:
        self._rules = {rule.name: rule for rule in rules}
        self._ledger = Ledger.of(remembered or Remembered())
        self._grouping = Grouping(route)
        holding = Holding(sources)
        annotator = Annotator(sources=sources, fleet=fleet, external_url=external_url, zone=zone)
        self._ending = Ending(rules=self._rules, grouping=self._grouping)
        self._opening = Opening(
            rules=self._rules,
            annotator=annotator,
            grouping=self._grouping,
            holding=holding,
            ending=self._ending,
            fleet=fleet,
        )
        self._flush = Flush(
            grouping=self._grouping,
            holding=holding,
            rules=self._rules,
            annotator=annotator,
            send_resolved=send_resolved,
            fleet=fleet,
            new_id=new_id,
            external_url=external_url,
        )

    @property
    def ledger(self) -> Ledger:
        """What holds now, for reading."""
        return self._ledger

    def due_at(self) -> datetime | None:
        """When `judge` has something to do even without events."""
        return self._ledger.due_at()

    def accept(self, judgement: Judgement) -> None:
        """Take over what was committed."""
        self._ledger.take(judgement)

    def begin(self, now: datetime, *, owed_since: Mapping[str, datetime] | None = None) -> Judgement:
        """What a start, with perhaps other rules, routes and sources, makes of what is remembered.

        Nothing if none of them changed and no receiver is gone.

        `owed_since` tells of each receiver that is gone since when it was owed a message: when the oldest notification
        that never arrived was made. What it was told since then counts as told to nobody.
        """
        look = Look(self._ledger, now=now)
        self._grouping.follow(look, owed_since=owed_since or {})
        for _, alert in sorted(look.draft.alerts.items()):
            self._opening.review(look, alert, self._rules.get(alert.rule))
        for key, condition in sorted(look.draft.conditions.items()):
            self._opening.open(look, condition, at=condition.since_at, seen=False)
            self._ending.settle(look, key)
        return look.judgement(None)

    def judge(
        self, events: Sequence[tuple[int, Event]], observed: Sequence[Observed] = (), *, now: datetime
    ) -> Judgement:
        """One look: a page's events as one batch, what was seen again, and all that is due at `now`.

        `events` are (journal id, event) in id order. First come the conditions of all events, then what opens, so that
        an opening may depend on the whole batch; how events are cut into batches leaves the same alerts.
        """
        look = Look(self._ledger, now=now)
        touched: dict[ConditionKey, datetime] = {}
        for event_id, event in events:
            self._turn(look, event_id, event, touched)
        for key, seen_at in touched.items():
            self._open(look, key, seen_at)
        for observation in observed:
            self._opening.observe(look, observation.source, observation.subjects, observation.at)
        for alert in look.draft.alerts_due(now):
            if alert.state is AlertState.PENDING:
                self._opening.fire(look, alert)
            else:
                self._ending.lapse(look, alert)
        for group in look.draft.groups_due(now):
            self._flush.tell(look, group)
        return look.judgement(events[-1][0] if events else None)

    def _turn(self, look: Look, event_id: int, event: Event, touched: dict[ConditionKey, datetime]) -> None:
        """Bring the conditions up to date; those whose openings are still to be judged are added to `touched`."""
        if isinstance(event, SourceRemoved):
            self._remove(look, event)
            return
        found = turns(event_id, event, look.draft.conditions.get)
        again = [turn.key for turn in found if turn.key in touched]
        if again:  # the same subject twice in one batch: judged as if in two, for opening may forget a past fact
            for key in dict.fromkeys(again):
                self._open(look, key, touched.pop(key))
            found = turns(event_id, event, look.draft.conditions.get)
        for turn in found:
            if turn.condition is not None:
                look.draft.conditions.put(turn.key, turn.condition)
                touched[turn.key] = event.seen_at
            elif turn.end_reason is not None:
                ref = EventRef(event_id, event.type)
                self._ending.over(look, turn.key, turn.end_reason, at=event.seen_at, event=ref, note=turn.note)
            else:
                look.skip(turn.skipped, turn.key)
        if isinstance(event, SourceDegraded) and event.problem is Problem.PAUSED:
            self._pause(look, event)
        elif isinstance(event, SourceRecovered) and event.problem is Problem.PAUSED:
            self._resume(look, event)

    def _open(self, look: Look, key: ConditionKey, at: datetime) -> None:
        condition = look.draft.conditions.get(key)
        if condition is not None:
            self._opening.open(look, condition, at=at, seen=True)
            self._ending.settle(look, key)

    def _pause(self, look: Look, event: SourceDegraded) -> None:
        """What is wrong with a source that nobody wants to be looked at is told no more."""
        for _, alert in sorted(look.draft.alerts.items()):
            if alert.condition.source == event.source and alert.kind in OF_SOURCES:
                self._ending.withdraw(look, alert, EndReason.SOURCE_PAUSED, at=event.seen_at)

    def _resume(self, look: Look, event: SourceRecovered) -> None:
        """What was wrong with it may be so still, and is told once that is seen."""
        for key, condition in sorted(look.draft.conditions.items()):
            if key.source == event.source and key.kind in OF_SOURCES:
                self._opening.open(look, condition, at=condition.since_at, seen=False)

    def _remove(self, look: Look, event: SourceRemoved) -> None:
        for key, _ in sorted(look.draft.conditions.items()):
            if key.source == event.source:
                look.draft.conditions.put(key, None)
        for _, alert in sorted(look.draft.alerts.items()):
            if alert.condition.source == event.source:
                self._ending.withdraw(look, alert, EndReason.SOURCE_REMOVED, at=event.seen_at)
