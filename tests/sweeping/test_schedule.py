"""When a resource is swept next, as pure decisions."""

from datetime import UTC, datetime, timedelta

import pytest

from fleetpulse.sweeping.schedule import Schedule

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SCHEDULE = Schedule(MINUTE)


def test_failures_in_a_row_are_tried_again_ever_later_up_to_the_interval() -> None:
    assert [SCHEDULE.retry_pause_s(count) for count in range(1, 7)] == [5.0, 15.0, 30.0, 60.0, 60.0, 60.0]
    assert Schedule(timedelta(seconds=10)).retry_pause_s(4) == 10.0


@pytest.mark.parametrize(("asked_s", "pause_s"), [(100.0, 100.0), (1.0, 5.0), (7200.0, 5.0), (None, 5.0)])
def test_the_vendors_own_word_is_obeyed_within_reason(asked_s: float | None, pause_s: float) -> None:
    assert SCHEDULE.retry_pause_s(1, retry_after_s=asked_s) == pause_s


def test_the_first_sweep_of_a_process_is_spread_a_little() -> None:
    assert SCHEDULE.first_pause_s(0.0) == 0.0
    assert SCHEDULE.first_pause_s(1.0) == 2.0
    assert Schedule(timedelta(seconds=5)).first_pause_s(1.0) == 0.5


def test_a_source_is_stale_after_three_live_intervals_and_ten_minutes_at_least() -> None:
    assert SCHEDULE.stale_for(MINUTE) == 10 * MINUTE
    assert SCHEDULE.stale_for(10 * MINUTE) == 30 * MINUTE
    assert Schedule(MINUTE, 2 * MINUTE).stale_for(20 * MINUTE) == 2 * MINUTE


@pytest.mark.parametrize(
    ("age", "first", "late"),
    [
        (2 * MINUTE, True, False),
        (2.1 * MINUTE, True, True),
        (10 * MINUTE, False, False),
        (10.1 * MINUTE, False, True),
    ],
)
def test_what_nobody_looked_at_for_long_is_late(age: timedelta, first: bool, late: bool) -> None:
    assert SCHEDULE.late(T0 - age, T0, live=MINUTE, first=first) is late


@pytest.mark.parametrize(
    ("age", "first", "late"), [(25 * MINUTE, True, False), (31 * MINUTE, True, True), (44 * MINUTE, False, False)]
)
def test_what_a_stretched_interval_left_unseen_is_not_late(age: timedelta, first: bool, late: bool) -> None:
    assert SCHEDULE.late(T0 - age, T0, live=15 * MINUTE, first=first) is late


def test_a_baseline_is_never_late() -> None:
    assert SCHEDULE.late(None, T0, live=MINUTE, first=True) is False
