"""The window of events in memory."""

import pytest

from eventqueue.commits import AT
from fleetpulse.eventqueue.window import Window
from fleetpulse.fleet.events import SourceRemoved
from fleetpulse.journal.entries import StoredEvent


def events(*ids: int) -> list[StoredEvent]:
    return [StoredEvent(number, SourceRemoved(source="edge", subject="devices", seen_at=AT)) for number in ids]


@pytest.mark.parametrize(
    ("after", "found"),
    [(0, []), (1, [2, 3]), (2, [3]), (3, []), (4, [5, 6, 7, 8]), (5, [6, 7, 8]), (8, []), (99, [])],
)
def test_what_follows_an_id_is_found_up_to_the_next_gap(after: int, found: list[int]) -> None:
    window = Window(100)
    for ids in [(7, 8), (2, 3, 5, 6)]:
        window.add(events(*ids))

    assert [event.id for event in window.after(after, about=100)] == found


def test_runs_are_never_cut_for_the_sake_of_a_number() -> None:
    window = Window(100)
    for ids in [(1, 2), (3, 4, 5), (6,)]:
        window.add(events(*ids))

    assert [event.id for event in window.after(0, about=3)] == [1, 2, 3, 4, 5]


def test_the_oldest_run_makes_room() -> None:
    window = Window(5)
    for ids in [(4, 5), (1, 2), (6, 7)]:
        window.add(events(*ids))

    assert len(window) == 4
    assert window.after(0, about=9) == ()
    assert [event.id for event in window.after(3, about=9)] == [4, 5, 6, 7]


def test_only_runs_that_everybody_had_are_forgotten() -> None:
    window = Window(9)
    for ids in [(1, 2), (3, 4)]:
        window.add(events(*ids))

    window.forget(3)

    assert len(window) == 2
