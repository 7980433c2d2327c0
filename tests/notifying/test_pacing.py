"""When a receiver may be sent to, without any time going by."""

import pytest

from fleetpulse.durations import Rate
from fleetpulse.notifying.pacing import Pacing
from fleetpulse.receivers.contract import Delivered, Refused, Retry

DOWN = Retry("unreachable")


def fail(pacing: Pacing, *rows: str, now: float) -> float:
    """These rows fail together; how long it is shut for then."""
    pacing.note(dict.fromkeys(rows, DOWN), now=now)
    return pacing.shut_until - now


def test_the_first_row_is_sent_at_once_and_the_next_a_whole_gap_after_the_answer() -> None:
    pacing = Pacing(Rate(30, 60.0))

    before = pacing.is_open(100)
    pacing.note({"a": Delivered()}, now=100)

    assert before
    assert not pacing.is_open(101.9)
    assert pacing.is_open(102)


@pytest.mark.parametrize("answer", [Delivered(), Refused("gone")])
def test_an_unpaced_receiver_that_answers_is_always_open(answer: Delivered | Refused) -> None:
    pacing = Pacing(None)

    pacing.note({"a": answer}, now=100)

    assert pacing.is_open(100)
    assert not pacing.failing


def test_the_pause_grows_with_the_rows_that_fail_one_after_the_other() -> None:
    pacing = Pacing(None)

    pauses = [fail(pacing, f"row {number}", now=1000 * number) for number in range(8)]

    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert pacing.failing


def test_rows_that_fail_together_are_one_failure() -> None:
    assert fail(Pacing(None), *"abcdefgh", now=0) == 1


def test_one_row_that_fails_for_ever_holds_the_others_up_for_a_second_each_time() -> None:
    pacing = Pacing(None)

    pauses = [fail(pacing, "poison", now=1000 * number) for number in range(20)]

    assert set(pauses) == {1}


def test_one_that_arrives_makes_all_good() -> None:
    pacing = Pacing(None)
    for number in range(5):
        fail(pacing, f"row {number}", now=0)

    pacing.note({"a": DOWN, "b": Delivered()}, now=100)

    assert pacing.is_open(100)
    assert not pacing.failing
    assert fail(pacing, "c", now=200) == 1


def test_a_pause_that_is_asked_for_shuts_the_receiver_even_where_others_arrived() -> None:
    pacing = Pacing(None)

    pacing.note({"a": Retry("rate_limited", retry_after_s=60), "b": Delivered()}, now=100)
    pacing.note({"c": Delivered()}, now=101)

    assert not pacing.is_open(159)
    assert pacing.is_open(160)


def test_a_pause_of_nothing_does_not_make_it_hurry() -> None:
    pacing = Pacing(None)

    pacing.note({"a": Retry("server_error", retry_after_s=0)}, now=100)

    assert not pacing.is_open(100.9)
