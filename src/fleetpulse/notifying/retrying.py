"""When an undelivered notification is tried again, and when it is given up. Pure."""

import random
from datetime import datetime, timedelta
from typing import Final

from fleetpulse.journal.entries import Delivery, DeliveryRecord
from fleetpulse.receivers.contract import Delivered, Outcome, Refused

GIVE_UP_AFTER: Final = timedelta(hours=24)
_FIRST_S: Final = 2.0
_LONGEST_S: Final = 300.0  # a receiver that returns after hours is found within five minutes
_JITTER: Final = 0.2  # so that many rows, or many services, do not knock at the same moment


def backoff(attempts: int, *, spread: random.Random) -> timedelta:
    """The pause after so many failed attempts (1 at least): 2 s, doubling to 5 min, a fifth more or less."""
    pause_s = min(_LONGEST_S, _FIRST_S * 2.0 ** min(attempts - 1, 20))
    return timedelta(seconds=pause_s * spread.uniform(1 - _JITTER, 1 + _JITTER))


def overdue(delivery: Delivery, *, now: datetime) -> bool:
    """Whether its 24 h are over."""
    return now >= delivery.created_at + GIVE_UP_AFTER


def record(delivery: Delivery, outcome: Outcome, *, now: datetime, spread: random.Random) -> DeliveryRecord:
    """What one try means: delivered, to be tried again at a time, or dead.

    Dead is what was refused, and what has no further try within its 24 h. A pause the receiver asked for is never cut.
    """
    if isinstance(outcome, Delivered):
        return DeliveryRecord(id=delivery.id, state="delivered", at=now, status=outcome.status)
    if isinstance(outcome, Refused):
        return DeliveryRecord(id=delivery.id, state="dead", at=now, reason=outcome.reason, detail=outcome.detail)
    tries = delivery.attempts + 1
    pause = max(backoff(tries, spread=spread), timedelta(seconds=outcome.retry_after_s or 0))
    if overdue(delivery, now=now + pause):
        detail = f"given up after 24 h, tries: {tries}; the last: {outcome.detail}"
        return DeliveryRecord(id=delivery.id, state="dead", at=now, reason=outcome.reason, detail=detail)
    return DeliveryRecord(
        id=delivery.id, state="retry", at=now, due_at=now + pause, reason=outcome.reason, detail=outcome.detail
    )


def give_up(delivery: Delivery, *, now: datetime, reason: str, why: str) -> DeliveryRecord:
    """Dead without another try."""
    detail = f"{why}, tries: {delivery.attempts}"
    return DeliveryRecord(id=delivery.id, state="dead", at=now, reason=reason, detail=detail)
