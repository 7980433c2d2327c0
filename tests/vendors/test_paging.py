"""When a walk ends, and when a guard has to end it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.vendors.wire import Paging, Step


def ids(first: int, count: int) -> list[str]:
    return [f"d-{number}" for number in range(first, first + count)]


def test_a_cursor_leads_on() -> None:
    assert Paging(pages_max=100).after(ids(0, 3), rows=3, cursor="t", total=9) == Step("t")


def test_an_empty_page_ends_the_walk() -> None:
    assert Paging(pages_max=100).after([], rows=0, cursor="t", total=9) == Step()


def test_no_cursor_ends_the_walk() -> None:
    assert Paging(pages_max=100).after(ids(0, 3), rows=3, cursor=None, total=9) == Step()


def test_as_many_rows_as_the_total_end_the_walk_despite_a_cursor() -> None:
    paging = Paging(limit=3, pages_max=100)
    paging.after(ids(0, 3), rows=3, cursor="t1", total=5)

    assert paging.after(ids(3, 2), rows=2, cursor="t2", total=5) == Step()


def test_odd_rows_count_towards_the_total() -> None:
    assert Paging(limit=10, pages_max=100).after(ids(0, 1), rows=3, cursor="t", total=3) == Step()


def test_a_total_that_may_count_the_page_is_asked_past() -> None:
    paging = Paging(limit=3, pages_max=100)

    first = paging.after(ids(0, 3), rows=3, cursor="t1", total=3)
    second = paging.after(ids(3, 3), rows=3, cursor="t2", total=3)
    last = paging.after(ids(6, 1), rows=1, cursor="t3", total=1)

    assert (first, second, last) == (Step("t1"), Step("t2"), Step())


def test_a_total_below_the_pages_rows_counts_as_absent() -> None:
    assert Paging(limit=3, pages_max=100).after(ids(0, 3), rows=3, cursor="t", total=0) == Step("t")


def test_a_repeated_cursor_ends_the_walk_by_guard() -> None:
    paging = Paging(pages_max=100)
    paging.after(ids(0, 3), rows=3, cursor="t", total=None)

    assert paging.after(ids(3, 3), rows=3, cursor="t", total=None) == Step(guard="page 2 repeats a cursor")


def test_a_page_of_the_same_ids_ends_the_walk_by_guard_even_when_the_total_is_reached() -> None:
    paging = Paging(limit=3, pages_max=100)
    paging.after(ids(0, 3), rows=3, cursor="t1", total=6)

    assert paging.after(ids(0, 3), rows=3, cursor="t2", total=6) == Step(guard="page 2 repeats the page before")


def test_too_many_pages_end_the_walk_by_guard() -> None:
    paging = Paging(pages_max=2)
    paging.after(ids(0, 3), rows=3, cursor="t1", total=None)

    assert paging.after(ids(3, 3), rows=3, cursor="t2", total=None) == Step(guard="more than 2 pages")


def test_a_resumed_walk_counts_on() -> None:
    paging = Paging(limit=3, pages_max=100, seen=6, pages=2)

    assert paging.after(ids(6, 1), rows=1, cursor="t3", total=7) == Step()
    assert paging.pages == 3


pages = st.tuples(st.integers(0, 3), st.none() | st.text(max_size=2), st.none() | st.integers(-1, 20))


@given(st.lists(pages, min_size=30, max_size=30))
def test_every_walk_ends(listed: list[tuple[int, str | None, int | None]]) -> None:
    paging = Paging(limit=3, pages_max=20)

    ends = [
        paging.after(ids(3 * number, rows), rows=rows, cursor=cursor, total=total).cursor is None
        for number, (rows, cursor, total) in enumerate(listed)
    ]

    assert any(ends[:20])


@pytest.mark.parametrize("cursor", ["\ud800", "a\nb", "x" * 3000])
def test_a_cursor_that_cannot_stand_in_an_address_ends_the_walk_by_a_guard(cursor: str) -> None:
    paging = Paging(pages_max=10)

    step = paging.after(["d-1"], rows=1, cursor=cursor, total=5)

    assert step == Step(guard="page 1 gives a cursor that cannot be sent")
