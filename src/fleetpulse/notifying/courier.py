"""A courier: carries the outbox of one receiver."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog

from fleetpulse import clock
from fleetpulse.journal.entries import Delivery, DeliveryRecord
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.notifying.outcomes import OUT_OF_TIME, word
from fleetpulse.notifying.pacing import Pacing
from fleetpulse.notifying.retrying import give_up, overdue, record
from fleetpulse.receivers.contract import Delivered, Outcome, Receiver, Refused, Retry

_AT_ONCE: Final = 16  # rows on their way together, which outbound's connections to one host can all carry
_IN_HAND: Final = 64  # rows of one claim: more would hardly save time, and be in doubt after a kill

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Courier:
    """Carries the rows of one receiver: oldest first, never two of a group at once, at the receiver's pace."""

    def __init__(self, *, name: str, receiver: Receiver, journal: Journal, meters: Meters) -> None:
        self._name = name
        self._receiver = receiver
        self._journal = journal
        self._meters = meters
        self._spread = random.Random()  # noqa: S311 - jitter, no secret
        self._pacing = Pacing(receiver.rate)
        self._in_hand: list[Delivery] = []  # claimed, not yet sent
        self._due_at: datetime | None = None  # of the first row that is owed beside these
        self._news = asyncio.Event()
        self._resting = asyncio.Event()

    @property
    def resting(self) -> bool:
        """Whether nothing is under way, and nothing is due that the receiver would have now."""
        return self._resting.is_set()

    def room(self) -> int:
        """How many new rows may be born claimed and given directly: those that would be sent at once."""
        idle = self.resting and self._due_at is None and not self._in_hand
        return self._few_or(_IN_HAND) if idle and self._pacing.is_open(clock.monotonic()) else 0

    def give(self, deliveries: Sequence[Delivery]) -> None:
        """Hand over rows that were born claimed; with none, only tell that rows were written."""
        self._in_hand += deliveries
        self._resting.clear()  # now, not when the courier wakes: it has work from this moment on
        self._news.set()

    async def rested(self) -> None:
        """Wait until it is `resting`. A receiver that fails is not waited for."""
        await self._resting.wait()

    async def run(self) -> None:
        """Deliver for ever.

        Errors: those of the journal.
        Cancellation: a row being sent stays claimed, and is sent again, marked doubtful, after the next start.
        """
        records: list[DeliveryRecord] = []
        while True:
            if records or not self._in_hand:  # rows just given are sent first: they are waited for
                self._news.clear()
                await self._record_and_claim(records)
                records = []
            wait_s = self._wait_s()
            if wait_s is None or wait_s > 0:
                await self._rest(wait_s)
            elif self._in_hand:
                records = await self._deliver(self._next())
            else:
                await clock.sleep_until(self._pacing.next_at)

    async def _record_and_claim(self, records: Sequence[DeliveryRecord]) -> None:
        """Transactions 5 and 4. What the pace holds back is not claimed yet: it would be in doubt after a kill."""
        may_claim = not self._in_hand and self._pacing.is_open(clock.monotonic())
        limit, now = self._few_or(_IN_HAND) if may_claim else 0, clock.now()
        if records:
            claimed, self._due_at = await self._journal.record_and_claim(self._name, records, now=now, limit=limit)
        else:
            claimed = await self._journal.claim(self._name, now=now, limit=limit) if limit else []
            self._due_at = await self._journal.next_due(self._name)
        self._in_hand += claimed

    def _wait_s(self) -> float | None:
        """How long it is idle, unless there is news; None where nothing is owed."""
        shut_s = self._pacing.shut_until - clock.monotonic()
        if self._in_hand:
            return shut_s
        return None if self._due_at is None else max(shut_s, (self._due_at - clock.now()).total_seconds())

    async def _rest(self, seconds: float | None) -> None:
        if self._in_hand:
            self._news.clear()  # what is new waits behind these
        if self._news.is_set():
            return
        self._resting.set()
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass
        finally:
            self._resting.clear()

    def _next(self) -> list[Delivery]:
        number = self._few_or(_AT_ONCE)
        rows, self._in_hand = self._in_hand[:number], self._in_hand[number:]
        return rows

    def _few_or(self, many: int) -> int:
        """One by one where the receiver is paced, fails or can't tell a repeat: few are in doubt after a kill."""
        alone = self._pacing.failing or self._receiver.rate is not None or not self._receiver.dedupes
        return 1 if alone else many

    async def _deliver(self, rows: Sequence[Delivery]) -> list[DeliveryRecord]:
        """Send rows together; what became of each."""
        if self._pacing.failing:  # it is asked so seldom now that not every row would come to a last try
            (row,) = rows
            if overdue(row, now=clock.now()):
                return [self._expire(row)]
        async with asyncio.TaskGroup() as group:
            tries = [group.create_task(self._try(row), name=f"deliver to {self._name}") for row in rows]
        outcomes = {row.id: task.result()[0] for row, task in zip(rows, tries, strict=True)}
        self._pacing.note(outcomes, now=clock.monotonic())
        return [task.result()[1] for task in tries]

    def _expire(self, row: Delivery) -> DeliveryRecord:
        told = give_up(row, now=clock.now(), reason=OUT_OF_TIME, why="given up after 24 h")
        self._meters.delivery_tried(self._name, outcome="expired", reason=told.reason)
        self._tell(row, told)
        return told

    async def _try(self, row: Delivery) -> tuple[Outcome, DeliveryRecord]:
        outcome = await self._send(row)
        now = clock.now()
        told = record(row, outcome, now=now, spread=self._spread)
        self._meters.delivery_tried(self._name, outcome=word(outcome, told), reason=told.reason)
        if isinstance(outcome, Delivered):
            since_detection_s = (now - row.noticed_at).total_seconds() if row.noticed_at < row.created_at else None
            self._meters.delivered(
                self._name, since_due_s=(now - row.created_at).total_seconds(), since_detection_s=since_detection_s
            )
        else:
            self._tell(row, told)
        return outcome, told

    async def _send(self, row: Delivery) -> Outcome:
        if not row.payload:
            return Refused("client_error", detail="no message could be made of it; the log has the traceback")
        try:
            return await self._receiver.send(row.id, row.payload)
        except Exception as error:  # noqa: BLE001 - a plug-in's mistake must not end the others' deliveries
            _log.exception("a receiver failed unexpectedly", receiver=self._name)
            return Retry("error", detail=type(error).__name__)

    def _tell(self, row: Delivery, told: DeliveryRecord) -> None:
        dead = told.state == "dead"
        (_log.error if dead else _log.warning)(
            "a notification is undeliverable" if dead else "a delivery failed and is tried again",
            receiver=self._name,
            delivery=row.id,
            reason=told.reason,
            detail=told.detail,
            tries_before=row.attempts,
            text=row.summary,
        )
