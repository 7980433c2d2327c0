"""Laws of the ledger's parts: a draft reads as if it were written through, and changes nothing below."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerting.stage import T0
from fleetpulse.alerting.ledger import Index, Layer, Schedule

KEYS = st.sampled_from("abc")
VALUES = st.none() | st.integers(0, 2)
TIMES = st.none() | st.integers(0, 5).map(lambda minutes: T0 + timedelta(minutes=minutes))


@given(st.lists(st.tuples(KEYS, VALUES)), st.lists(st.tuples(KEYS, VALUES)))
def test_a_layer_reads_as_the_mapping_it_would_become(
    below: list[tuple[str, int | None]], above: list[tuple[str, int | None]]
) -> None:
    bottom: Layer[str, int] = Layer(None)
    plain: dict[str, int | None] = {}
    for key, value in below:
        bottom.put(key, value)
        plain[key] = value
    held = dict(bottom.items())
    draft = Layer(bottom)

    for key, value in above:
        draft.put(key, value)
        plain[key] = value

    assert dict(draft.items()) == {key: value for key, value in plain.items() if value is not None}
    assert {key: draft.get(key) for key in "abc"} == {key: plain.get(key) for key in "abc"}
    assert dict(bottom.items()) == held
    assert {key for key, value in draft.changes.items() if value == held.get(key)} == set()


STEPS = st.lists(st.tuples(st.booleans(), KEYS, st.sampled_from("xyz")))


@given(STEPS, STEPS)
def test_an_index_holds_what_joined_and_did_not_leave(
    below: list[tuple[bool, str, str]], above: list[tuple[bool, str, str]]
) -> None:
    bottom: Index[str] = Index(None)
    plain: dict[str, set[str]] = {key: set() for key in "abc"}
    _walk(bottom, plain, below)
    held = {key: bottom.get(key) for key in "abc"}
    draft = Index(bottom)

    _walk(draft, plain, above)

    assert {key: draft.get(key) for key in "abc"} == {key: sorted(members) for key, members in plain.items()}
    assert {key: draft.count(key) for key in "abc"} == {key: len(members) for key, members in plain.items()}
    assert {key: bottom.get(key) for key in "abc"} == held


def _walk(index: Index[str], plain: dict[str, set[str]], steps: list[tuple[bool, str, str]]) -> None:
    for joins, key, member in steps:
        if joins:
            index.join(key, member)
            plain[key].add(member)
        else:
            index.leave(key, member)
            plain[key].discard(member)


PLANS = st.lists(st.tuples(KEYS, TIMES))


@given(PLANS, PLANS, st.integers(-1, 6))
def test_a_schedule_tells_what_is_due_and_when_the_next_is(
    below: list[tuple[str, datetime | None]], above: list[tuple[str, datetime | None]], minutes: int
) -> None:
    bottom, plain = Schedule(None), {}
    for key, at in below:
        bottom.put(key, at)
        plain[key] = at
    draft = Schedule(bottom)
    for key, at in above:
        draft.put(key, at)
        plain[key] = at
    now = T0 + timedelta(minutes=minutes)
    planned = sorted((at, key) for key, at in plain.items() if at is not None)

    due = draft.due(now)

    assert due == [key for at, key in planned if at <= now]
    assert draft.first() == (planned[0][0] if planned else None)
