"""Who is next and when, with time as an argument."""

import math

from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.outbound.turns import Priority, Turns


def turns(*, spacing_s: float = 1.0, in_flight: int = 100) -> Turns[str]:
    return Turns(spacing_s=spacing_s, in_flight=in_flight, now=0.0)


def served(line: Turns[str], count: int, *, start: float = 1000.0) -> list[str]:
    """The next tickets, each asked for far apart and finished at once."""
    order = []
    for turn in range(count):
        ticket = line.grant(start + turn * 1000)
        assert ticket is not None
        line.finish()
        order.append(ticket)
    return order


def test_the_first_turn_waits_one_spacing_so_that_restarts_make_no_burst() -> None:
    line = turns(spacing_s=20.0)

    line.join("first", Priority.STATE)

    assert line.due_at() == 20.0
    assert line.grant(19.999) is None
    assert line.grant(20.0) == "first"


def test_turns_are_evenly_spaced_from_the_last_grant() -> None:
    line = turns()
    line.join("a", Priority.STATE)
    line.join("b", Priority.STATE)

    assert line.grant(1.5) == "a"

    assert line.due_at() == 2.5
    assert line.grant(2.4) is None
    assert line.grant(2.5) == "b"


def test_nobody_waiting_means_nothing_is_due() -> None:
    assert turns().due_at() is None
    assert turns().grant(100.0) is None


def test_priority_goes_before_arrival_and_arrival_decides_within_one() -> None:
    line = turns()
    line.join("detail", Priority.DETAIL)
    line.join("work", Priority.WORK)
    line.join("state 1", Priority.STATE)
    line.join("state 2", Priority.STATE)

    order = served(line, 4)

    assert order == ["state 1", "state 2", "work", "detail"]


def test_every_tenth_turn_goes_to_the_longest_waiting_lower_priority() -> None:
    line = turns()
    line.join("detail", Priority.DETAIL)
    line.join("work", Priority.WORK)
    for number in range(30):
        line.join(f"state {number}", Priority.STATE)

    order = served(line, 20)

    assert order[9] == "detail"
    assert order[19] == "work"
    assert all(name.startswith("state") for place, name in enumerate(order) if place not in {9, 19})


def test_no_more_than_the_cap_are_in_flight() -> None:
    line = turns(in_flight=1)
    line.join("a", Priority.STATE)
    line.join("b", Priority.STATE)
    line.grant(10.0)

    assert line.due_at() is None
    assert line.grant(100.0) is None

    line.finish()

    assert line.grant(100.0) == "b"


def test_who_leaves_gets_no_turn() -> None:
    line = turns()
    line.join("a", Priority.STATE)
    line.join("b", Priority.STATE)

    line.leave("a")

    assert line.grant(10.0) == "b"


def test_a_turn_handed_back_goes_on_at_once() -> None:
    line = turns(in_flight=1)
    line.join("a", Priority.STATE)
    line.join("b", Priority.STATE)
    line.grant(10.0)

    line.hand_back("a")

    assert line.grant(10.0) == "b"


def test_a_turn_handed_back_late_gives_no_second_turn_in_the_same_spacing() -> None:
    line = turns()
    for name in ("a", "b", "c"):
        line.join(name, Priority.STATE)
    line.grant(10.0)
    line.grant(11.0)

    line.hand_back("a")

    assert line.grant(11.0) is None
    assert line.grant(12.0) == "c"


def test_a_refusal_doubles_the_spacing_down_to_a_sixteenth() -> None:
    line = turns()
    line.join("a", Priority.STATE)
    line.join("b", Priority.STATE)
    line.grant(10.0)

    line.slow_down(10.0)

    assert line.due_at() == 12.0

    for hour in range(1, 20):
        line.slow_down(3600.0 * hour)

    assert line.due_at() == 26.0
    assert line.granted(1e9) == 1 / 16


def test_refusals_of_one_burst_halve_once() -> None:
    line = turns()

    for delay in (0.0, 0.1, 0.2, 0.3):
        line.slow_down(10.0 + delay)

    assert line.granted(1e9) == 1 / 2


def test_a_pause_asked_for_blocks_everybody() -> None:
    line = turns()
    line.join("a", Priority.STATE)

    line.slow_down(10.0, pause_s=300.0)

    assert line.due_at() == 310.0
    assert line.granted(100.0) == 0.0
    assert line.granted(310.0) > 0


def test_an_absurd_pause_counts_as_absent() -> None:
    line = turns()
    line.join("a", Priority.STATE)

    for pause_s in (-1.0, 3600.1, math.nan, math.inf):
        line.slow_down(10.0, pause_s=pause_s)

    assert line.due_at() == 2.0


def test_success_creeps_back_to_the_ceiling_and_not_beyond() -> None:
    line = turns()
    line.slow_down(10.0)
    halved = line.granted(11.0)

    line.speed_up()
    little = line.granted(11.0)
    for _ in range(100):
        line.speed_up()

    assert halved == 0.5
    assert 0.5 < little < 0.6
    assert line.granted(11.0) == 1.0


steps = st.lists(
    st.tuples(
        st.sampled_from(["join", "grant", "finish", "leave", "slow", "speed", "back"]),
        st.sampled_from(list(Priority)),
        st.floats(0, 3),
    ),
    max_size=200,
)


@given(steps)
def test_whatever_happens_turns_keep_their_spacing_and_their_cap(acts: list[tuple[str, Priority, float]]) -> None:
    line: Turns[int] = Turns(spacing_s=1.0, in_flight=3, now=0.0)
    now, tickets, flying, granted_at = 0.0, 0, [], [0.0]
    for act, priority, passed in acts:
        now += passed
        if act == "join":
            tickets += 1
            line.join(tickets, priority)
        elif act == "grant":
            ticket = line.grant(now)
            if ticket is not None:
                assert now - granted_at[-1] >= 1.0
                granted_at.append(now)
                flying.append(ticket)
        elif act == "finish" and flying:
            flying.pop(0)
            line.finish()
        elif act == "leave" and tickets:
            line.leave(tickets)
        elif act == "back" and flying:
            line.hand_back(flying.pop())
            granted_at.pop()
        elif act == "slow":
            line.slow_down(now, pause_s=passed)
        elif act == "speed":
            line.speed_up()

        assert len(flying) <= 3
        assert 1 / 16 <= line.granted(math.inf) <= 1.0


@given(st.lists(st.sampled_from(list(Priority)), min_size=1, max_size=200))
def test_everybody_who_waits_is_served_once(priorities: list[Priority]) -> None:
    line: Turns[int] = Turns(spacing_s=1.0, in_flight=1, now=0.0)
    for ticket, priority in enumerate(priorities):
        line.join(ticket, priority)

    order = []
    while (due_at := line.due_at()) is not None:
        granted = line.grant(due_at)
        assert granted is not None
        line.finish()
        order.append(granted)

    assert sorted(order) == list(range(len(priorities)))
    for priority in Priority:
        mine = [ticket for ticket in order if priorities[ticket] is priority]
        assert mine == sorted(mine)
