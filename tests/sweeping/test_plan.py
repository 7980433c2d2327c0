"""How often everything can be swept that one budget has to carry."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.outbound import Priority
from fleetpulse.sweeping.plan import LONGEST, Demand, needed, plan

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TINY = 1 + 1e-9  # what is lost in floating point

demand = st.builds(
    Demand,
    source=st.sampled_from("abc"),
    resource=st.integers(0, 10_000).map(str),
    priority=st.sampled_from(Priority),
    interval=st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=30)),
    requests=st.one_of(st.integers(0, 200_000), st.floats(0, 200_000)),
)
demands = st.lists(demand, max_size=12, unique_by=lambda each: each.resource)
rates = st.floats(0.01, 100)


def state(requests: float) -> Demand:
    return Demand("edge", "states", Priority.STATE, MINUTE, requests)


def details(requests: float) -> Demand:
    return Demand("edge", "details", Priority.INVENTORY, HOUR, requests)


def spent(asked: list[Demand], planned: Mapping[tuple[str, str], timedelta]) -> float:
    return sum(each.requests / planned[each.source, each.resource].total_seconds() for each in asked)


def test_what_fits_keeps_its_interval() -> None:
    planned = plan([state(40), details(40)], granted=1.0)

    assert planned == {("edge", "states"): MINUTE, ("edge", "details"): HOUR}


def test_device_state_keeps_its_pace_while_it_fits_and_the_rest_stretches() -> None:
    planned = plan([state(6), details(3600)], granted=0.2)

    assert planned["edge", "states"] == MINUTE
    assert planned["edge", "details"] == 10 * HOUR


def test_where_device_state_alone_does_not_fit_a_tenth_is_left_for_the_rest() -> None:
    planned = plan([state(40), details(40)], granted=0.05)

    assert planned["edge", "states"].total_seconds() == pytest.approx(40 / 0.045)
    assert planned["edge", "details"].total_seconds() == pytest.approx(40 / 0.005)


def test_what_nobody_below_needs_is_not_kept_for_them() -> None:
    planned = plan([state(12.4 * 60)], granted=8.0)

    assert planned["edge", "states"].total_seconds() == pytest.approx(93)


def test_within_a_priority_all_stretch_by_one_factor() -> None:
    other = Demand("lab", "details", Priority.INVENTORY, 2 * HOUR, 100)

    planned = plan([details(7200), other], granted=0.5)

    assert planned["lab", "details"] / planned["edge", "details"] == pytest.approx(2)


def test_what_would_take_centuries_takes_the_longest_there_is() -> None:
    endless = Demand("edge", "stats", Priority.INVENTORY, timedelta(days=36_500), 1e12)

    assert plan([endless], granted=0.01) == {("edge", "stats"): LONGEST}


@given(demands, rates)
def test_never_more_is_asked_than_is_granted(asked: list[Demand], granted: float) -> None:
    planned = plan(asked, granted=granted)

    centuries = [each for each in asked if planned[each.source, each.resource] == LONGEST]
    assert spent(asked, planned) <= (granted + spent(centuries, planned)) * TINY


@given(demands, rates)
def test_all_that_is_granted_is_used_where_all_of_it_is_needed(asked: list[Demand], granted: float) -> None:
    planned = plan(asked, granted=granted)

    if needed(asked) >= granted and max(planned.values()) < LONGEST:
        assert spent(asked, planned) >= granted * (1 - 1e-3)  # intervals are rounded up to whole microseconds


@given(demands, rates)
def test_nothing_is_swept_more_often_than_asked(asked: list[Demand], granted: float) -> None:
    planned = plan(asked, granted=granted)

    assert planned.keys() == {(each.source, each.resource) for each in asked}
    assert all(planned[each.source, each.resource] >= each.interval for each in asked)


@given(demands, rates)
def test_device_state_is_unstretched_while_it_fits_into_nine_tenths(asked: list[Demand], granted: float) -> None:
    states = [each for each in asked if each.priority is Priority.STATE]

    planned = plan(asked, granted=granted)

    if needed(states) <= 0.9 * granted:
        assert all(planned[each.source, each.resource] == each.interval for each in states)


@given(demands, rates, rates)
def test_more_speed_stretches_nothing_further(asked: list[Demand], one: float, another: float) -> None:
    slow, fast = (plan(asked, granted=granted) for granted in sorted((one, another)))

    assert all(fast[key] <= slow[key] * TINY for key in slow)


@given(demands, demand, rates)
def test_one_more_to_sweep_speeds_nobody_up(asked: list[Demand], more: Demand, granted: float) -> None:
    before, after = plan(asked, granted=granted), plan([*asked, more], granted=granted)

    assert all(after[key] * TINY >= before[key] for key in before if key != (more.source, more.resource))
