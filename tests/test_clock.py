"""Promises of the one source of time."""

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fleetpulse import clock


def test_now_is_aware_and_in_utc() -> None:
    before = datetime.now(UTC)

    now = clock.now()

    assert now.tzinfo is UTC
    assert before <= now <= datetime.now(UTC)


async def test_both_clocks_follow_the_lead_of_a_loop_that_moves_time() -> None:
    wall, steady = clock.now(), clock.monotonic()
    loop = asyncio.get_running_loop()
    loop.skew_s = 86_400.0  # type: ignore[attr-defined]  # what a loop of moved time carries

    later_wall, later_steady = clock.now(), clock.monotonic()

    assert later_wall - wall >= timedelta(days=1)
    assert later_steady - steady >= 86_400.0


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_microseconds_keep_a_time_whole(at: datetime) -> None:
    assert clock.from_us(clock.to_us(at)) == at


@given(
    st.datetimes(
        min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - likewise
        timezones=st.timezones(),
    )
)
def test_a_time_of_any_zone_is_kept_as_the_same_moment(at: datetime) -> None:
    assert clock.from_us(clock.to_us(at)) == at.astimezone(UTC)


async def test_a_due_time_that_passed_is_no_sleep() -> None:
    due = clock.monotonic() - 3600

    await asyncio.wait_for(clock.sleep_until(due), timeout=5)

    assert clock.monotonic() >= due


async def test_sleeping_ends_when_the_time_has_come() -> None:
    due = clock.monotonic() + 0.01

    await clock.sleep_until(due)

    assert clock.monotonic() >= due
