"""The evaluator: committed events and due times in, judgements committed, notifications put into the outbox."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

import structlog

from fleetpulse import clock
from fleetpulse.alerting.judge import Alerting, Observed
from fleetpulse.alerting.notification import Notification
from fleetpulse.alerting.state import Judgement
from fleetpulse.eventqueue.batch import Observation
from fleetpulse.eventqueue.eventqueue import Consumer
from fleetpulse.fleet.events import Event
from fleetpulse.journal.entries import Delivery, StoredEvent, Undecodable
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.notifying.dispatcher import Dispatcher
from fleetpulse.receivers.contract import Receiver

_LARGE_LOOK: Final = 100  # events from which a look costs milliseconds: judged on a thread, the loop goes on

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

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
    ) -> None:
        self._alerting = alerting
        self._consumer = consumer
        self._journal = journal
        self._receivers = receivers
        self._dispatcher = dispatcher
        self._meters = meters
        self._gate = asyncio.Event()
        self._gate.set()

    def hold(self) -> None:
        """Stop judging until `release`: what happens meanwhile stands in the journal."""
        self._gate.clear()

    def release(self) -> None:
        """Go on judging, from the journal where the queue was too small."""
        self._gate.set()

    async def run(self) -> None:
        """Judge for ever.

        Cancellation: safe at any await; a judgement is committed whole or not at all, and accepted only then.
        """
        await self._conclude(self._alerting.begin(clock.now()))
        while True:
            batch = await self._consumer.next(timeout_s=self._patience_s())
            await self._gate.wait()
            observed = [_observed(observation) for observation in batch.observations]
            await self._look(batch.events, observed)

    def _patience_s(self) -> float | None:
        due_at = self._alerting.due_at()
        return None if due_at is None else max(0.0, (due_at - clock.now()).total_seconds())

    async def _look(self, stored: Sequence[StoredEvent | Undecodable], observed: Sequence[Observed]) -> None:
        """Judge a batch as one; where an event can't be judged, one by one, setting that one aside."""
        events = [(entry.id, entry.event) for entry in stored if isinstance(entry, StoredEvent)]
        judgement = None
        if len(events) == len(stored):
            judgement = await self._judge_together(events, observed)
        if judgement is None:
            await self._one_by_one(stored)
            return
        await self._conclude(judgement)
        if stored:
            self._consumer.done(stored[-1].id)

    async def _judge_together(
        self, events: Sequence[tuple[int, Event]], observed: Sequence[Observed]
    ) -> Judgement | None:
        try:
            return await self._off_loop(lambda: self._judge(events, observed), size=len(events))
        except Exception:
            if not events:
                raise  # no event to blame: the evaluator itself is broken, which is a crash
            _log.debug("a batch cannot be judged as one", events=len(events), exc_info=True)
            return None

    async def _one_by_one(self, stored: Sequence[StoredEvent | Undecodable]) -> None:
        for entry in stored:
            if isinstance(entry, Undecodable):
                await self._set_aside(entry.id, entry.error)
                continue
            try:
                judgement = self._judge([(entry.id, entry.event)], ())
            except Exception as error:  # noqa: BLE001 - an odd event must not stop the others
                _log.exception("an event cannot be judged and is set aside", event_id=entry.id, type=entry.event.type)
                await self._set_aside(entry.id, f"{type(error).__name__}: {error}")
            else:
                await self._conclude(judgement)
            self._consumer.done(entry.id)

    async def _set_aside(self, event_id: int, error: str) -> None:
        await self._journal.commit_judgement(Judgement(cursor=event_id), set_aside=[(event_id, error)])
        self._consumer.done(event_id)

    def _judge(self, events: Sequence[tuple[int, Event]], observed: Sequence[Observed]) -> Judgement:
        return self._alerting.judge(events, observed, now=clock.now())

    async def _conclude(self, judgement: Judgement) -> None:
        """Transactions 2 and 3: commit what was decided with the payloads it owes, then let the dispatcher know."""
        if not judgement:
            return
        notifications = judgement.notifications
        payloads = await self._off_loop(
            lambda: [self._receivers[told.receiver].message(told) for told in notifications],
            size=sum(len(told.alerts) for told in notifications),
        )
        deliveries = [_delivery(told, payload) for told, payload in zip(notifications, payloads, strict=True)]
        reserved = {name for name in {told.receiver for told in notifications} if self._dispatcher.reserve(name)}
        committing = self._commit(judgement, deliveries, reserved)
        # commit and accept are one step: cancelled in between, memory would know less than the journal
        await asyncio.shield(committing)

    def _commit(
        self, judgement: Judgement, deliveries: Sequence[Delivery], reserved: set[str]
    ) -> "asyncio.Future[None]":
        return asyncio.ensure_future(self._commit_and_accept(judgement, deliveries, reserved))

    async def _commit_and_accept(
        self, judgement: Judgement, deliveries: Sequence[Delivery], reserved: set[str]
    ) -> None:
        await self._journal.commit_judgement(
            judgement, deliveries=[(delivery, delivery.receiver in reserved) for delivery in deliveries]
        )
        self._alerting.accept(judgement)
        for told in judgement.notifications:
            self._meters.notified(told.receiver, told.reason)
            _log.info("notification", receiver=told.receiver, reason=told.reason, text=told.text)
        for name in {delivery.receiver for delivery in deliveries}:
            mine = [delivery for delivery in deliveries if delivery.receiver == name]
            self._dispatcher.give(name, mine if name in reserved else [])

    async def _off_loop(self, work: Callable[[], Result], *, size: int) -> Result:
        return work() if size < _LARGE_LOOK else await asyncio.to_thread(work)


def _observed(observation: Observation) -> Observed:
    return Observed(observation.source, observation.subjects, observation.at)


def _delivery(told: Notification, payload: bytes) -> Delivery:
    news = [alert.ends_at or alert.starts_at for alert in told.alerts if alert.new]
    return Delivery(
        id=told.id,
        receiver=told.receiver,
        group_key=told.group_key,
        payload=payload,
        created_at=told.at,
        noticed_at=min(news, default=told.at),
        due_at=told.at,
        summary=told.text,
    )
