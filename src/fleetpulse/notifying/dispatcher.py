"""The dispatcher: one courier per receiver carries the outbox, so that a slow receiver delays no other."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog

from fleetpulse import clock
from fleetpulse.journal.entries import Delivery
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.notifying.courier import Courier
from fleetpulse.notifying.retrying import GIVE_UP_AFTER, give_up
from fleetpulse.receivers.contract import Receiver

_LATEST_DUE: Final = GIVE_UP_AFTER + timedelta(minutes=1)  # no row is due later than this from now
_AT_ONCE: Final = 500

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Dispatcher:
    """All couriers."""

    def __init__(self, *, receivers: Mapping[str, Receiver], journal: Journal, meters: Meters) -> None:
        self._journal = journal
        self._couriers = {
            name: Courier(name=name, receiver=receiver, journal=journal, meters=meters)
            for name, receiver in receivers.items()
        }

    def room(self, receiver: str) -> int:
        """See `Courier.room`. Until these rows are given, nobody else may ask."""
        return self._couriers[receiver].room()

    def give(self, receiver: str, deliveries: Sequence[Delivery]) -> None:
        """See `Courier.give`."""
        self._couriers[receiver].give(deliveries)

    async def drain(self, *, limit_s: float) -> bool:
        """Wait until what is due is delivered or has failed; False when the limit came first."""
        try:
            async with asyncio.timeout(limit_s):
                while busy := [courier for courier in self._couriers.values() if not courier.resting]:
                    await busy[0].rested()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Run every courier; what is owed to receivers that are gone is given up first.

        Errors: those of the journal.
        """
        await self._give_up_orphans()
        async with asyncio.TaskGroup() as group:
            for name, courier in self._couriers.items():
                group.create_task(courier.run(), name=f"courier {name}")
            if not self._couriers:
                await asyncio.Event().wait()  # without receivers there is nothing to carry, which is no crash

    async def _give_up_orphans(self) -> None:
        owing = {receiver for receiver, state in await self._journal.outbox_counts() if state == "owed"}
        for name in sorted(owing - self._couriers.keys()):
            number = 0
            while rows := await self._journal.claim(name, now=clock.now() + _LATEST_DUE, limit=_AT_ONCE):
                now, why = clock.now(), "no receiver of this name is configured any more"
                await self._journal.record([give_up(row, now=now, reason="gone", why=why) for row in rows])
                number += len(rows)
            _log.error("notifications are undeliverable: their receiver is gone", receiver=name, number=number)
