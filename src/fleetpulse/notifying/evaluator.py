"""The evaluator: committed events and due times in, judgements committed, notifications put into the outbox."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import structlog

from fleetpulse import clock
from fleetpulse.alerting.judge import Alerting, Observed
from fleetpulse.alerting.notification import Notification, NotifyReason
from fleetpulse.alerting.state import Judgement
from fleetpulse.eventqueue.batch import Batch, Observation
from fleetpulse.eventqueue.eventqueue import Consumer
from fleetpulse.journal.entries import Delivery, StoredEvent
from fleetpulse.journal.errors import JournalRefusedError
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.notifying.dispatcher import Dispatcher
from fleetpulse.receivers.contract import Receiver

_LARGE_LOOK: Final = 100  # things from which a look costs milliseconds: judged on a thread, the loop goes on

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

Born = Sequence[tuple[Delivery, bool]]
"""New rows of the outbox; the bool says that a row is born claimed."""
Result = TypeVar("Result")


class Evaluator:
    """Judges what the consumer hands it, in order, once each; what it decides is durable before it is acted on."""

    def __init__(
        self,
        *,
        alerting: Alerting,
        consumer: Consumer,
        journal: Journal,
        receivers: Mapping[str, Receiver],
        dispatcher: Dispatcher,
        meters: Meters,
        owed_since: Mapping[str, datetime] | None = None,
    ) -> None:
        self.begun = asyncio.Event()
        """Set once the start's own judgement is committed: before that nothing owed to a gone receiver may end."""
        self._owed_since = owed_since
        self._alerting = alerting
        self._consumer = consumer
        self._journal = journal
        self._receivers = receivers
        self._dispatcher = dispatcher
        self._meters = meters

    async def run(self) -> None:
        """Judge for ever.

        Errors: those of the journal; what judging raises without an event that is to blame.
        Cancellation: ends it for good. A judgement that was being committed is there whole or not at all, and the next
        start goes on from what is there.
        """
        beginning = self._alerting.begin(clock.now(), owed_since=self._owed_since)
        self._act_on(beginning, await self._commit(beginning))
        self.begun.set()
        while True:
            await self._look(await self._consumer.next(timeout_s=self._patience_s()))

    def _patience_s(self) -> float | None:
        due_at = self._alerting.due_at()
        return None if due_at is None else max(0.0, (due_at - clock.now()).total_seconds())

    async def _look(self, batch: Batch) -> None:
        """Judge a batch as one; an event that this version cannot read is set aside between those around it."""
        events: list[StoredEvent] = []
        for entry in batch.events:
            if isinstance(entry, StoredEvent):
                events.append(entry)
                continue
            if events:
                await self._judge(events)
            await self._set_aside(entry.id, entry.error)
            events = []
        await self._judge(events, [_observed(observation) for observation in batch.observations])

    async def _judge(self, events: Sequence[StoredEvent], observed: Sequence[Observed] = ()) -> None:
        """Judge as one, with all that is due; where that fails, by halves, to find the event that is to blame."""
        odd = await self._failure(events, observed)
        if odd is None:
            return
        if not events:
            raise odd
        if len(events) > 1:
            middle = len(events) // 2
            await self._judge(events[:middle])
            await self._judge(events[middle:], observed)
            return
        # Fails when what is due, not the event, cannot be judged: that is a crash, or every event would be set aside.
        await self._judge((), observed)
        (event,) = events
        _log.error("an event cannot be judged and is set aside", id=event.id, type=event.event.type, exc_info=odd)
        await self._set_aside(event.id, f"{type(odd).__name__}: {odd}")

    async def _failure(self, events: Sequence[StoredEvent], observed: Sequence[Observed]) -> Exception | None:
        """Judge, commit and act; or why these things can never be judged, or their judgement never be stored."""
        now = clock.now()  # here, for on another thread there is no loop that may have moved time
        judge = partial(self._alerting.judge, [(each.id, each.event) for each in events], observed, now=now)
        due_at = self._alerting.due_at()
        size = len(events) + sum(len(each.subjects) for each in observed)
        if due_at is not None and due_at <= now:
            size += _LARGE_LOOK  # it may be a group of ten thousand alerts
        try:
            judgement = await self._off_loop(judge, size=size)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller finds out whose fault it is
            return error
        try:
            born = await self._commit(judgement)
        except JournalRefusedError as error:  # all else is the journal's own fault, which is a crash
            return error
        self._act_on(judgement, born)
        if events:
            self._consumer.done(events[-1].id)
        return None

    async def _set_aside(self, event_id: int, error: str) -> None:
        await self._journal.commit_judgement(Judgement(cursor=event_id), set_aside=[(event_id, error)])
        self._consumer.done(event_id)

    async def _commit(self, judgement: Judgement) -> Born:
        """Transactions 2 and 3: what was decided, with the payloads it owes."""
        if not judgement:
            return ()
        told = judgement.notifications
        payloads = await self._off_loop(
            lambda: [self._payload(notification) for notification in told],
            size=sum(len(notification.alerts) for notification in told),
        )
        born = self._born(list(map(_delivery, told, payloads)))
        await self._journal.commit_judgement(judgement, deliveries=born)
        return born

    def _payload(self, told: Notification) -> bytes:
        try:
            return self._receivers[told.receiver].message(told)
        except Exception:  # noqa: BLE001 - a plug-in's mistake must not end the house; the row dies, listed and counted
            _log.exception("a receiver cannot make a message", receiver=told.receiver, text=told.text)
            return b""

    def _born(self, deliveries: Sequence[Delivery]) -> Born:
        """Claimed as many as their receivers would take at once, which spares those the transaction that claims."""
        room = Counter({name: self._dispatcher.room(name) for name in {each.receiver for each in deliveries}})
        born = []
        for delivery in deliveries:
            born.append((delivery, room[delivery.receiver] > 0))
            room[delivery.receiver] -= 1
        return born

    def _act_on(self, judgement: Judgement, born: Born) -> None:
        """Take over what was committed, let the dispatcher know, and only then spend time on telling of it."""
        self._alerting.accept(judgement)
        given: dict[str, list[Delivery]] = defaultdict(list)
        for delivery, claimed in born:
            given[delivery.receiver] += [delivery] if claimed else []
        for receiver, deliveries in given.items():
            self._dispatcher.give(receiver, deliveries)
        for told in judgement.notifications:
            self._meters.notified(told.receiver, told.reason)
            _log.info("notification", receiver=told.receiver, reason=told.reason, text=told.text)

    async def _off_loop(self, work: Callable[[], Result], *, size: int) -> Result:
        return work() if size < _LARGE_LOOK else await asyncio.to_thread(work)


def _observed(observation: Observation) -> Observed:
    return Observed(observation.source, observation.subjects, observation.at)


def _delivery(told: Notification, payload: bytes) -> Delivery:
    return Delivery(
        id=told.id,
        receiver=told.receiver,
        group_key=told.group_key,
        payload=payload,
        created_at=told.at,
        noticed_at=_noticed_at(told),
        due_at=told.at,
        summary=told.text,
    )


def _noticed_at(told: Notification) -> datetime:
    """When the first of its news was seen. Not known where a past fact grew: its alert tells when it began."""
    if told.reason is NotifyReason.GREW:
        return told.at
    return min((alert.ends_at or alert.starts_at for alert in told.alerts if alert.new), default=told.at)
