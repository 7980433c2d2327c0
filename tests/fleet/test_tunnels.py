"""The known tunnels: what lists and answers change, and how one ended that no list holds any more."""

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.sightings import T0
from fleetpulse.fleet import tunnels
from fleetpulse.fleet.events import TunnelEvent
from fleetpulse.fleet.tunnel import Tunnel, TunnelStatus
from fleetpulse.fleet.tunnels import REMEMBERED_FOR, KnownTunnels, TunnelChanges

PENDING, OPEN, CLOSED, TERMINATED = TunnelStatus
OPENED, WAS_CLOSED, WAS_TERMINATED = (f"fleet.tunnel.{word}" for word in ("opened", "closed", "terminated"))
DAY = timedelta(days=1)


class Story:
    """Known tunnels whose changes are accepted at once; methods give the types of the events."""

    def __init__(self) -> None:
        self.known = KnownTunnels("edge-prod")
        self.last = TunnelChanges()

    def listed(self, *found: Tunnel, at: datetime = T0, baseline: bool = False, complete: bool = True) -> list[str]:
        return self._accept(self.known.listed(found, complete=complete, baseline=baseline, seen_at=at, late=False))

    def told(self, found: Tunnel, at: datetime = T0) -> list[str]:
        return self._accept(self.known.told(found, seen_at=at, late=False))

    def gone(self, id_: str = "t-1", at: datetime = T0) -> list[str]:
        return self._accept(self.known.gone(id_, seen_at=at, late=False))

    def status(self, id_: str = "t-1") -> TunnelStatus | None:
        found = self.known.tunnel(id_)
        return None if found is None else found.status

    def _accept(self, changes: TunnelChanges) -> list[str]:
        self.known.accept(changes)
        self.last = changes
        return [event.type for event in changes.events]


def tunnel(status: TunnelStatus = OPEN, *, id_: str = "t-1", finished_at: datetime | None = None) -> Tunnel:
    return Tunnel(id=id_, device="d-1", status=status, created_at=T0 - DAY, finished_at=finished_at)


@pytest.mark.parametrize("status", [PENDING, CLOSED, TERMINATED])
def test_what_is_not_open_at_the_first_list_is_no_event(status: TunnelStatus) -> None:
    story = Story()

    assert story.listed(tunnel(status), baseline=True) == []
    assert story.listed(tunnel(status)) == []


def test_what_is_open_at_the_first_list_is_told_once_and_late() -> None:
    story = Story()

    assert story.listed(tunnel(), baseline=True) == [OPENED]
    assert story.last.events[0].late
    assert story.listed(tunnel(), baseline=True) == story.listed(tunnel()) == []


def test_what_was_told_to_be_open_is_told_to_end_at_another_baseline_too() -> None:
    story = Story()
    story.listed(tunnel())

    assert story.listed(tunnel(CLOSED), baseline=True) == [WAS_CLOSED]


def test_those_that_stay_open_are_confirmed_by_each_list_and_answer() -> None:
    story = Story()
    story.listed(tunnel(), tunnel(PENDING, id_="t-2"), tunnel(CLOSED, id_="t-3"), baseline=True)
    first = story.last.confirmed
    story.listed(tunnel(), tunnel(CLOSED, id_="t-3"), complete=False)
    again = story.last.confirmed
    story.listed()
    lacked = story.last.confirmed
    story.told(tunnel())
    told = story.last.confirmed
    story.told(tunnel(CLOSED))

    assert (first, again, lacked, told, story.last.confirmed) == (("t-1",), ("t-1",), (), ("t-1",), ())


def test_a_tunnel_of_the_baseline_that_closes_later_is_news() -> None:
    story = Story()
    story.listed(tunnel(), baseline=True)

    assert story.listed(tunnel(CLOSED)) == [WAS_CLOSED]


@pytest.mark.parametrize(("end", "event"), [(CLOSED, WAS_CLOSED), (TERMINATED, WAS_TERMINATED)])
def test_a_tunnel_opens_and_ends_once_and_a_terminated_one_was_not_closed(end: TunnelStatus, event: str) -> None:
    story = Story()

    told = [story.listed(tunnel(status)) for status in (PENDING, OPEN, OPEN, end, end)]

    assert told == [[], [OPENED], [], [event], []]
    assert story.status() is end


def test_a_tunnel_first_seen_at_its_end_is_told_by_its_end_alone() -> None:
    assert Story().listed(tunnel(TERMINATED)) == [WAS_TERMINATED]


def test_events_say_when_the_vendor_says_it_happened() -> None:
    story = Story()

    story.listed(tunnel())
    opened_at = story.last.events[0].occurred_at
    story.listed(tunnel(CLOSED, finished_at=T0 - timedelta(minutes=1)))

    assert (opened_at, story.last.events[0].occurred_at) == (T0 - DAY, T0 - timedelta(minutes=1))


def test_a_tunnel_that_a_complete_list_lacks_is_asked_for_once_a_list() -> None:
    story = Story()
    story.listed(tunnel(), tunnel(PENDING, id_="t-2"), tunnel(CLOSED, id_="t-3"))

    lists = [story.listed(complete=False), story.known.lacking(), story.listed(), story.known.lacking()]
    answer, after = story.told(tunnel()), story.known.lacking()
    story.listed()

    assert lists == [[], [], [], ["t-1", "t-2"]]
    assert (answer, after) == ([], ["t-2"])
    assert story.known.lacking() == ["t-1", "t-2"]


@pytest.mark.parametrize(("end", "event"), [(CLOSED, WAS_CLOSED), (TERMINATED, WAS_TERMINATED)])
def test_an_answer_tells_how_a_tunnel_ended_that_no_list_holds(end: TunnelStatus, event: str) -> None:
    story = Story()
    story.listed(tunnel())
    story.listed()

    assert (story.told(tunnel(end)), story.told(tunnel(end))) == ([event], [])
    assert story.known.lacking() == []


def test_an_answer_about_another_tunnel_changes_nothing() -> None:
    story = Story()
    story.listed(tunnel())
    story.listed()

    assert story.told(tunnel(CLOSED, id_="t-9")) == []
    assert story.last == TunnelChanges()
    assert story.known.lacking() == ["t-1"]


def test_a_tunnel_that_vanished_and_that_the_vendor_does_not_know_was_closed() -> None:
    story = Story()
    story.listed(tunnel())
    story.listed()

    assert (story.gone(), story.gone(), story.gone("t-9")) == ([WAS_CLOSED], [], [])
    assert story.status() is CLOSED
    assert story.known.lacking() == []


def test_a_tunnel_that_is_back_on_the_list_is_not_lacking() -> None:
    story = Story()
    story.listed(tunnel())
    story.listed()

    assert story.listed(tunnel(), complete=False) == []
    assert story.known.lacking() == []


@pytest.mark.parametrize("word", [PENDING, OPEN, TERMINATED])
def test_an_end_stands(word: TunnelStatus) -> None:
    story = Story()
    story.listed(tunnel(CLOSED))

    assert story.listed(tunnel(word)) == []
    assert story.told(tunnel(word)) == []
    assert story.status() is CLOSED


def test_an_empty_list_for_days_makes_no_old_tunnel_news_again() -> None:
    story = Story()
    story.listed(tunnel(CLOSED))
    for days in range(7):
        story.listed(at=T0 + days * DAY)

    assert story.listed(tunnel(CLOSED), at=T0 + timedelta(days=6, hours=23)) == []


def test_an_ended_tunnel_is_forgotten_a_week_after_it_left_the_list() -> None:
    story = Story()
    story.listed(tunnel(CLOSED))
    story.listed(tunnel(CLOSED), at=T0 + 30 * DAY)
    story.listed(at=T0 + 31 * DAY)

    story.listed(at=T0 + 31 * DAY + REMEMBERED_FOR - timedelta(seconds=1))
    assert len(story.known) == 1
    story.listed(at=T0 + 31 * DAY + REMEMBERED_FOR)

    assert len(story.known) == 0


def test_a_list_that_changes_all_its_ids_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnels, "MOST_REMEMBERED", 10)
    story = Story()

    for number in range(100):
        story.listed(*(tunnel(id_=f"t-{number}-{each}") for each in range(5)))
        for id_ in story.known.lacking():
            story.gone(id_)

    assert len(story.known) <= 10 + 3 * 5


def test_open_and_lately_ended_tunnels_are_shown_and_counted() -> None:
    story = Story()
    story.listed(tunnel(TERMINATED, id_="t-old", finished_at=T0 - 2 * DAY), baseline=True)
    story.listed(tunnel(), tunnel(CLOSED, id_="t-2"))

    early = [each.id for each in story.known.shown(T0 + DAY / 2, DAY)]
    later = [each.id for each in story.known.shown(T0 + DAY, DAY)]

    assert (early, later) == (["t-1", "t-2"], ["t-1"])
    assert story.known.counts() == {"open": 1, "closed": 1, "terminated": 1}


def test_an_end_in_the_future_is_no_reason_to_show_a_tunnel_for_ever() -> None:
    story = Story()
    story.listed(tunnel(CLOSED, finished_at=T0 + 9999 * DAY), baseline=True)

    assert story.known.shown(T0 + DAY, DAY) == []


_lists = st.lists(
    st.tuples(
        st.lists(
            st.builds(tunnel, st.sampled_from(list(TunnelStatus)), id_=st.sampled_from(["t-1", "t-2", "t-3"])),
            max_size=4,
        ),
        st.booleans(),
        st.sampled_from([None, *TunnelStatus]),
    ),
    max_size=8,
)


@given(_lists)
def test_whatever_is_listed_a_tunnel_opens_at_most_once_and_ends_at_most_once(
    lists: list[tuple[list[Tunnel], bool, TunnelStatus | None]],
) -> None:
    story = Story()
    events: list[TunnelEvent] = []
    for found, complete, answer in lists:
        story.listed(*found, complete=complete)
        events += story.last.events
        for id_ in story.known.lacking():
            if answer is None:
                story.gone(id_)
            else:
                story.told(tunnel(answer, id_=id_))
            events += story.last.events

    told = [(event.subject, event.type == OPENED) for event in events]
    assert len(told) == len(set(told))
    for id_, opening in told:
        assert opening or (id_, True) not in told[told.index((id_, False)) :]  # nothing opens after its end


def test_what_is_followed_loads_as_it_was_kept() -> None:
    story = Story()
    story.listed(tunnel(), tunnel(CLOSED, id_="t-2"))
    story.listed()
    loaded = KnownTunnels("edge-prod")

    loaded.load({id_: msgspec.msgpack.encode(followed) for id_, followed in story.known._followed.items()})

    assert loaded._followed == story.known._followed


def test_a_row_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="tunnel t-9 of edge-prod"):
        KnownTunnels("edge-prod").load({"t-9": b"\xc1"})
