"""Promises of the words that deliveries are counted with."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import get_args

import pytest

from fleetpulse.journal.entries import Delivery
from fleetpulse.notifying.outcomes import OUTCOMES, word
from fleetpulse.notifying.retrying import GIVE_UP_AFTER, record
from fleetpulse.receivers.contract import Delivered, Outcome, Refused, RefusedReason, Retry, RetryReason

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ROW = Delivery(
    id="row-1",
    receiver="ops",
    group_key="g",
    payload=b"{}",
    created_at=AT,
    noticed_at=AT,
    due_at=AT,
    summary="[FIRING]",
)
ANSWERS: list[Outcome] = [
    Delivered(),
    *(Retry(reason) for reason in get_args(RetryReason)),
    *(Refused(reason) for reason in get_args(RefusedReason)),
]


@pytest.mark.parametrize("late", [timedelta(), GIVE_UP_AFTER], ids=["early", "late"])
@pytest.mark.parametrize("answer", ANSWERS, ids=str)
def test_whatever_a_receiver_may_answer_is_counted_from_zero(answer: Outcome, late: timedelta) -> None:
    told = record(ROW, answer, now=AT + late, spread=Random(1))  # noqa: S311 - jitter, no secret

    assert (word(answer, told), told.reason) in OUTCOMES
