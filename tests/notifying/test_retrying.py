"""The rules of trying again, without any time going by."""

import random
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.journal.entries import Delivery
from fleetpulse.notifying.retrying import GIVE_UP_AFTER, backoff, record
from fleetpulse.receivers.contract import Delivered, Refused, Retry

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROW = Delivery(
    id="a", receiver="ops", group_key="g", payload=b"{}", created_at=AT, noticed_at=AT, due_at=AT, summary="headline"
)
SPREAD = random.Random(1)  # noqa: S311 - jitter, no secret


@given(attempts=st.integers(1, 10_000), seed=st.integers())
def test_the_pause_doubles_from_2_s_to_5_min_a_fifth_more_or_less(attempts: int, seed: int) -> None:
    pause = backoff(attempts, spread=random.Random(seed))  # noqa: S311 - likewise
    pause_s = pause.total_seconds()

    middle_s = min(300.0, 2.0**attempts) if attempts < 20 else 300.0
    assert 0.8 * middle_s - 1e-6 <= pause_s <= 1.2 * middle_s + 1e-6


def test_a_try_that_arrived_is_delivered() -> None:
    told = record(ROW, Delivered(204), now=AT, spread=SPREAD)

    assert (told.state, told.status, told.at) == ("delivered", 204, AT)


def test_what_is_refused_is_dead_at_once() -> None:
    told = record(ROW, Refused("gone", "the channel is archived"), now=AT, spread=SPREAD)

    assert (told.state, told.reason, told.detail) == ("dead", "gone", "the channel is archived")


def test_a_longer_pause_that_the_receiver_asks_for_is_kept() -> None:
    told = record(ROW, Retry("rate_limited", retry_after_s=90), now=AT, spread=SPREAD)

    assert (told.state, told.due_at) == ("retry", AT + timedelta(seconds=90))


def test_a_shorter_one_does_not_shorten_the_backoff() -> None:
    worn = msgspec.structs.replace(ROW, attempts=9)

    told = record(worn, Retry("rate_limited", retry_after_s=1), now=AT, spread=SPREAD)

    assert told.due_at is not None
    assert told.due_at - AT >= timedelta(seconds=240)


def test_without_a_further_try_within_24_h_it_is_dead() -> None:
    worn = msgspec.structs.replace(ROW, attempts=289)
    ends = AT + GIVE_UP_AFTER

    early = record(worn, Retry("timeout", "no answer"), now=ends - timedelta(minutes=7), spread=SPREAD)
    late = record(worn, Retry("timeout", "no answer"), now=ends - timedelta(minutes=3), spread=SPREAD)

    assert early.state == "retry"
    assert (late.state, late.reason) == ("dead", "timeout")
    assert late.detail == "given up after 24 h, tries: 290; the last: no answer"


def test_a_pause_beyond_the_24_h_is_not_cut_short() -> None:
    near_the_end = AT + GIVE_UP_AFTER - timedelta(minutes=30)

    told = record(ROW, Retry("rate_limited", retry_after_s=3600), now=near_the_end, spread=SPREAD)

    assert told.state == "dead"
