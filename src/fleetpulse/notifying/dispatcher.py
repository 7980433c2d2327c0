"""The dispatcher: one courier per receiver carries the outbox, so that a slow receiver delays no other."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from fleetpulse import clock
from fleetpulse.journal.entries import Delivery, DeliveryRecord
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.notifying.retrying import record
from fleetpulse.receivers.contract import Delivered, Outcome, Receiver, Refused, Retry

_AT_ONCE: Final = 8  # rows of different groups on their way to one receiver; more only queue up at its end
_BATCH: Final = 64
_LONGEST_PAUSE_S: Final = 30.0  # between tries at a receiver that fails, whichever row is next

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Courier:
    """Carries the rows of one receiver: oldest first, never two of a group at once, at the receiver's pace."""

    def __init__(self, *, name: str, receiver: Receiver, journal: Journal, meters: Meters) -> None:
        self._name = name
        self._receiver = receiver
        self._journal = journal
        self._meters = meters
        self._spread = random.Random()  # noqa: S311 - jitter, no secret
        self._given: list[Delivery] = []
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._owes_nothing = False
        self._failures = 0
        self._open_at = 0.0  # monotonic; a failing or pacing receiver is left alone until then

    def reserve(self) -> bool:
        """Whether the next rows may be born claimed and given directly: nothing is under way, nothing is owed."""
        return self._idle.is_set() and self._owes_nothing and not self._news.is_set() and not self._failures

    def give(self, deliveries: Sequence[Delivery]) -> None:
        """Hand over rows that were born claimed; with none, only tell that rows were written."""
        self._given += deliveries
        self._news.set()

    async def drained(self) -> None:
        """Wait until nothing is under way and nothing is due."""
        await self._idle.wait()

    async def run(self) -> None:
        """Deliver for ever.

        Cancellation: a row being sent stays claimed, and is sent again, marked doubtful, after the next start.
        """
        while True:
            await self._deliver(await self._rows())

    async def _rows(self) -> list[Delivery]:
        while True:
            self._news.clear()
            if self._given:
                rows, self._given = self._given, []
                return rows
            due_at = await self._journal.next_due(self._name)
            self._owes_nothing = due_at is None
            wait_s = None if due_at is None else (due_at - clock.now()).total_seconds()
            if wait_s is not None and wait_s <= 0:
                await clock.sleep_until(self._open_at)
                rows = await self._journal.claim(self._name, now=clock.now(), limit=self._batch())
                if rows:
                    return rows
                continue
            await self._wait(wait_s)

    async def _wait(self, seconds: float | None) -> None:
        if self._news.is_set():
            return
        self._idle.set()
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass
        finally:
            self._idle.clear()

    def _batch(self) -> int:
        """One by one where the receiver is paced, fails or can't tell a repeat: few are in doubt after a kill."""
        return 1 if self._failures or self._receiver.rate is not None or not self._receiver.dedupes else _BATCH

    async def _deliver(self, rows: Sequence[Delivery]) -> None:
        records: list[DeliveryRecord] = []
        for start in range(0, len(rows), _AT_ONCE):
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._try(row), name=f"deliver to {self._name}")
                    for row in rows[start : start + _AT_ONCE]
                ]
            records += [task.result() for task in tasks]
        await self._journal.record(records)

    async def _try(self, row: Delivery) -> DeliveryRecord:
        await self._pace()
        outcome = await self._send(row)
        now = clock.now()
        told = record(row, outcome, now=now, spread=self._spread)
        self._note(outcome)
        self._meters.delivery_tried(self._name, outcome=_word(outcome, told), reason=told.reason)
        if isinstance(outcome, Delivered):
            self._meters.delivered(
                self._name,
                since_due_s=(now - row.created_at).total_seconds(),
                since_detection_s=(now - row.noticed_at).total_seconds(),
            )
        else:
            _log.warning(
                "delivery failed",
                receiver=self._name,
                delivery=row.id,
                state=told.state,
                reason=told.reason,
                detail=told.detail,
                attempts=row.attempts + 1,
                text=row.summary,
            )
        return told

    async def _send(self, row: Delivery) -> Outcome:
        try:
            return await self._receiver.send(row.id, row.payload)
        except Exception as error:  # noqa: BLE001 - a plug-in's mistake must not end the others' deliveries
            _log.exception("a receiver failed unexpectedly", receiver=self._name)
            return Retry("error", detail=type(error).__name__)

    async def _pace(self) -> None:
        if self._receiver.rate is None:
            return
        await clock.sleep_until(self._open_at)
        self._open_at = max(self._open_at, clock.monotonic()) + 1 / self._receiver.rate.per_second

    def _note(self, outcome: Outcome) -> None:
        if not isinstance(outcome, Retry):
            self._failures = 0
            return
        self._failures += 1
        pause_s = outcome.retry_after_s or min(_LONGEST_PAUSE_S, 2.0 ** min(self._failures - 1, 10))
        self._open_at = max(self._open_at, clock.monotonic() + pause_s)


def _word(outcome: Outcome, told: DeliveryRecord) -> str:
    if isinstance(outcome, Delivered):
        return "delivered"
    if isinstance(outcome, Refused):
        return "refused"
    return "retry" if told.state == "retry" else "expired"


class Dispatcher:
    """All couriers."""

    def __init__(self, *, receivers: Mapping[str, Receiver], journal: Journal, meters: Meters) -> None:
        self._couriers = {
            name: Courier(name=name, receiver=receiver, journal=journal, meters=meters)
            for name, receiver in receivers.items()
        }

    def reserve(self, receiver: str) -> bool:
        """See `Courier.reserve`."""
        return self._couriers[receiver].reserve()

    def give(self, receiver: str, deliveries: Sequence[Delivery]) -> None:
        """See `Courier.give`."""
        self._couriers[receiver].give(deliveries)

    async def drain(self, *, limit_s: float) -> bool:
        """Wait until what is due is delivered or has failed; False when the limit came first."""
        try:
            async with asyncio.timeout(limit_s):
                for courier in self._couriers.values():
                    await courier.drained()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Run every courier."""
        async with asyncio.TaskGroup() as group:
            for name, courier in self._couriers.items():
                group.create_task(courier.run(), name=f"courier {name}")
            if not self._couriers:
                await asyncio.Event().wait()  # without receivers there is nothing to carry, which is no crash
