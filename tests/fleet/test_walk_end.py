"""The end of a walk: who is missing, which walks are doubted, who is forgotten."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.sightings import MISSING, OFFLINE, ONLINE, T0, UNKNOWN, WEEK, fleet_of, sighting, sightings, walk_over
from fleetpulse.fleet import known
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.events import DeviceForgotten, DeviceMoved, DeviceWentMissing
from fleetpulse.fleet.known import Changes, Elsewhere, KnownFleet
from fleetpulse.fleet.walk import Walk

MINUTE = timedelta(minutes=1)


def missing(fleet: KnownFleet) -> list[str]:
    return [each.device.id for each in fleet.select(status=MISSING, limit=10**6)]


def test_missing_takes_two_complete_walks_in_a_row() -> None:
    fleet = fleet_of(sightings(20))

    first = walk_over(fleet, sightings(19))
    second = walk_over(fleet, sightings(19), at=T0 + MINUTE)

    assert first.events == ()
    assert [type(event) for event in second.events] == [DeviceWentMissing]
    assert missing(fleet) == ["d-00019"]


def test_a_device_that_was_back_in_between_is_not_missing() -> None:
    fleet = fleet_of(sightings(20))

    for listed in (19, 20, 19):
        walk_over(fleet, sightings(listed))

    assert missing(fleet) == []


def test_odd_rows_forbid_absence() -> None:
    fleet = fleet_of(sightings(20))

    for _ in range(3):
        end = walk_over(fleet, sightings(19), odd=1)

        assert end == Changes()
    assert missing(fleet) == []


def test_an_odd_walk_between_two_complete_ones_does_not_break_their_row() -> None:
    fleet = fleet_of(sightings(20))

    walk_over(fleet, sightings(19))
    walk_over(fleet, sightings(19), odd=1)
    walk_over(fleet, sightings(19))

    assert missing(fleet) == ["d-00019"]


@pytest.mark.parametrize("flaw", ["resumed", "guarded", "short"])
def test_a_walk_that_is_not_complete_tells_no_absence(flaw: str) -> None:
    fleet = fleet_of(sightings(20))

    for _ in range(3):
        walk = Walk(started_at=T0)
        ids = [each.device.id for each in sightings(19)]
        walk.note(ids, guard="a cursor came twice" if flaw == "guarded" else "", total=20 if flaw == "short" else None)
        if flaw == "resumed":
            walk.break_off()
        end = fleet.absent(walk, seen_at=T0, forget_after=WEEK)
        fleet.accept(end)

        assert walk.shortfall()
        assert end == Changes()


def test_a_page_of_nothing_new_guards_the_walk() -> None:
    walk = Walk(started_at=T0)

    walk.note(["d-1", "d-2"])
    walk.note(["d-2", "d-1"])

    assert walk.shortfall() == "a page held only devices seen before"


def test_a_row_that_comes_twice_does_not_stand_for_one_that_never_came() -> None:
    walk = Walk(started_at=T0)

    walk.note(["d-1", "d-2", "d-3"], total=5)
    walk.note(["d-3", "d-4"], total=5)

    assert walk.shortfall() == "4 devices came of 5 announced, 1 row came twice"


def test_a_row_that_comes_twice_is_no_harm_where_all_came() -> None:
    walk = Walk(started_at=T0)

    walk.note(["d-1", "d-2"], total=4, odd=1)
    walk.note(["d-2", "d-3"], total=4)

    assert walk.complete


def test_a_walk_that_is_not_complete_is_no_baseline() -> None:
    fleet = KnownFleet("edge-prod")
    walk = Walk(started_at=T0, baseline=True)
    walk.note(["d-1"])
    walk.break_off()

    assert fleet.absent(walk, seen_at=T0, forget_after=WEEK) == Changes()


@pytest.mark.parametrize(("before", "listed", "doubted"), [(60, 48, False), (60, 47, True), (30, 20, False)])
def test_doubt_takes_more_than_a_fifth_and_more_than_ten(before: int, listed: int, doubted: bool) -> None:
    fleet = fleet_of(sightings(before))

    end = walk_over(fleet, sightings(listed))

    assert (fleet.doubt is not None) is doubted
    assert end.doubt == fleet.doubt


def test_an_empty_list_is_doubted_however_small_the_fleet_and_however_long_it_stands() -> None:
    fleet = fleet_of(sightings(3))

    for hours in range(48):
        walk_over(fleet, [], at=T0 + timedelta(hours=hours))

        assert str(fleet.doubt) == "lists 0 of 3 known devices"
    assert missing(fleet) == []


def test_the_same_shorter_list_for_an_hour_ends_the_doubt() -> None:
    fleet = fleet_of(sightings(100))

    for minutes in range(0, 60, 5):
        walk_over(fleet, sightings(40), at=T0 + minutes * MINUTE)
        assert missing(fleet) == []
    walk_over(fleet, sightings(40), at=T0 + timedelta(hours=1))

    assert fleet.doubt is None
    assert len(missing(fleet)) == 60


def test_a_list_that_stays_too_short_is_believed_of_those_it_never_held() -> None:
    fleet = fleet_of(sightings(100))

    for minutes in range(0, 60, 10):
        walk_over(fleet, sightings(45 - minutes // 10), at=T0 + minutes * MINUTE)
        assert missing(fleet) == []
    walk_over(fleet, sightings(39), at=T0 + 60 * MINUTE)

    assert missing(fleet) == [f"d-{number:05}" for number in range(45, 100)]
    assert fleet.doubt is None


def test_a_doubt_goes_on_where_those_absent_for_less_than_its_hour_are_too_many() -> None:
    fleet = fleet_of(sightings(100))
    walk_over(fleet, sightings(80)[5:])  # 25 are absent
    walk_over(fleet, sightings(40), at=T0 + 50 * MINUTE)

    walk_over(fleet, sightings(40), at=T0 + 60 * MINUTE)

    assert len(missing(fleet)) == 20
    assert fleet.doubt is not None
    assert (fleet.doubt.since_at, len(fleet.doubt.absent)) == (T0 + 60 * MINUTE, 40)


def test_an_empty_list_proves_nothing_of_the_hour() -> None:
    fleet = fleet_of(sightings(100))
    walk_over(fleet, [])

    for minutes in (50, 70, 109):
        walk_over(fleet, sightings(40), at=T0 + minutes * MINUTE)
        assert missing(fleet) == []
    walk_over(fleet, sightings(40), at=T0 + 110 * MINUTE)

    assert len(missing(fleet)) == 60


def test_ids_that_change_at_each_walk_do_not_fill_the_fleet() -> None:
    fleet = fleet_of(sightings(50))

    for minute in range(300):
        walk_over(fleet, [sighting(f"d-{minute}-{number}") for number in range(50)], at=T0 + minute * MINUTE)

    assert fleet.doubt is not None
    assert len(fleet) <= 4 * 50


def test_a_newcomer_of_a_doubted_time_that_was_listed_twice_is_not_forgotten_at_once() -> None:
    fleet = fleet_of(sightings(100))
    short = sightings(40)
    walk_over(fleet, short)

    for minute, page in enumerate([[*short, sighting("d-x"), sighting("d-y")], [*short, sighting("d-x")], short], 1):
        end = walk_over(fleet, page, at=T0 + minute * MINUTE)

        if minute == 2:
            assert [(type(event), event.subject) for event in end.events] == [(DeviceForgotten, "d-y")]
    assert fleet.device("d-x") is not None
    assert fleet.device("d-y") is None


def test_rows_that_return_end_the_doubt_and_nobody_is_missing_for_one_walk() -> None:
    fleet = fleet_of(sightings(100))
    walk_over(fleet, [])

    walk_over(fleet, sightings(99), at=T0 + MINUTE)  # one is absent by chance

    assert fleet.doubt is None
    assert missing(fleet) == []


@pytest.mark.parametrize("listed", [0, 40])
def test_an_operator_may_accept_the_shorter_list(listed: int) -> None:
    fleet = fleet_of(sightings(100))
    walk_over(fleet, sightings(listed))

    fleet.accept_shorter_list()
    walk_over(fleet, sightings(listed, OFFLINE), odd=1)  # proves nothing, so the word still stands
    end = walk_over(fleet, sightings(listed), at=T0 + MINUTE)

    assert fleet.doubt is None
    assert len(missing(fleet)) == 100 - listed == len(end.events)


def test_an_accepted_list_is_accepted_once() -> None:
    fleet = fleet_of(sightings(100))
    fleet.accept_shorter_list()
    walk_over(fleet, sightings(100))

    walk_over(fleet, sightings(40))

    assert fleet.doubt is not None


def test_a_missing_device_is_seen_as_missing_by_each_complete_walk() -> None:
    fleet = fleet_of(sightings(20))
    walk_over(fleet, sightings(19))
    walk_over(fleet, sightings(19))

    end = walk_over(fleet, sightings(19), at=T0 + MINUTE)

    assert end.confirmed == ("d-00019",)
    assert end.events == ()


def test_a_missing_device_is_forgotten_after_its_time() -> None:
    fleet = fleet_of(sightings(20))
    walk_over(fleet, sightings(19))
    walk_over(fleet, sightings(19))

    walk_over(fleet, sightings(19), at=T0 + WEEK - MINUTE)
    assert missing(fleet) == ["d-00019"]
    end = walk_over(fleet, sightings(19), at=T0 + WEEK)

    assert [type(event) for event in end.events] == [DeviceForgotten]
    assert fleet.device("d-00019") is None
    assert sum(fleet.counts().values()) == len(fleet) == 19


def test_a_forgotten_device_that_comes_back_appeared_anew() -> None:
    fleet = fleet_of([sighting("d-x"), *sightings(20)])
    for at in (T0, T0, T0 + WEEK):
        walk_over(fleet, sightings(20), at=at)

    (event,) = fleet.compare([sighting("d-x")], walk=Walk(started_at=T0), seen_at=T0 + WEEK).events

    assert event.type == "fleet.device.appeared"


@pytest.mark.parametrize(
    ("live", "fresh", "silent"),
    [
        ([UNKNOWN] * 3, [], 3),  # all of a small fleet
        ([UNKNOWN] * 2 + [ONLINE], [], 0),
        ([UNKNOWN] * 11 + [ONLINE] * 10, [], 11),
        ([UNKNOWN] * 10 + [OFFLINE] * 10, [], 0),
        ([UNKNOWN] * 9 + [ONLINE] * 2, [], 0),
        ([ONLINE] * 5, [UNKNOWN] * 30, 0),  # never online, so never expected to say anything
        ([], [], 0),
    ],
)
def test_a_walk_is_silent_when_most_of_what_was_live_has_no_status(
    live: list[DeviceStatus], fresh: list[DeviceStatus], silent: int
) -> None:
    fleet = fleet_of(sightings(len(live)))
    page = [sighting(f"d-{number:05}", status) for number, status in enumerate(live)]
    page += [sighting(f"d-new-{number}", status) for number, status in enumerate(fresh)]
    walk = Walk(started_at=T0)
    walk.note([each.device.id for each in page])

    fleet.accept(fleet.compare(page, walk=walk, seen_at=T0))

    assert fleet.silent(walk) == silent


def test_a_full_fleet_takes_nobody_new_in_and_goes_on_with_those_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "MOST_DEVICES", 22)
    fleet = fleet_of(sightings(20))

    changes = fleet.compare(sightings(30, OFFLINE), walk=Walk(started_at=T0), seen_at=T0)
    fleet.accept(changes)

    assert fleet.full
    assert len(fleet) == 22 == len(changes.readings)
    assert len(fleet.select(status=OFFLINE)) == 22


def test_a_device_is_told_once_in_a_walk() -> None:
    walk = Walk(started_at=T0)
    walk.note(["d-1"])

    first = walk.first_sightings([sighting("d-1"), sighting("d-2"), sighting("d-2", OFFLINE)])

    assert first == [sighting("d-2")]
    assert walk.repeats == 2


def listing(places: Mapping[str, str], *, since: datetime | None) -> Elsewhere:
    """Other sources that list these devices, since then or all the time."""
    began = since

    def place(device: str, /, *, since: datetime | None = None) -> str:
        return places.get(device, "") if since is None or (began is not None and began >= since) else ""

    return place


def end_of(
    fleet: KnownFleet,
    listed: Iterable[str],
    elsewhere: Mapping[str, str],
    *,
    at: datetime = T0,
    since: datetime | None = T0,
) -> Changes:
    """The end of a complete walk over these, while another source lists those `elsewhere`; accepted."""
    walk = Walk(started_at=at)
    walk.note(listed)
    changes = fleet.absent(walk, seen_at=at, forget_after=WEEK, elsewhere=listing(elsewhere, since=since))
    fleet.accept(changes)
    return changes


def test_a_device_that_another_source_lists_moved_there_at_the_first_walk_that_lacks_it() -> None:
    fleet = fleet_of([sighting("d-x", OFFLINE, name="gate-17"), *sightings(20)])

    end = end_of(fleet, [each.device.id for each in sightings(20)], {"d-x": "lab", "d-00001": "lab"})

    (event,) = end.events
    assert isinstance(event, DeviceMoved)
    assert (event.subject, event.to, event.before.name, event.was, event.status) == (
        "d-x",
        "lab",
        "gate-17",
        OFFLINE,
        OFFLINE,
    )
    assert fleet.device("d-x") is None
    assert sum(fleet.counts().values()) == len(fleet) == 20  # one that is listed by both stays


def test_a_missing_device_that_another_source_finds_later_moved_there() -> None:
    fleet = fleet_of([sighting("d-x"), *sightings(20)])
    for _ in range(2):
        walk_over(fleet, sightings(20))

    end = end_of(fleet, [each.device.id for each in sightings(20)], {"d-x": "lab"})

    assert [(event.type, event.subject) for event in end.events] == [("fleet.device.moved", "d-x")]
    assert end.confirmed == ()
    assert missing(fleet) == []


def test_devices_that_moved_make_no_doubt() -> None:
    fleet = fleet_of(sightings(100))
    ids = [each.device.id for each in sightings(100)]

    end = end_of(fleet, ids[:40], dict.fromkeys(ids[41:], "lab"))

    assert (fleet.doubt, len(end.events), len(fleet)) == (None, 59, 41)


def test_the_rest_is_doubted_by_what_is_left_when_others_moved() -> None:
    fleet = fleet_of(sightings(100))
    ids = [each.device.id for each in sightings(100)]

    end_of(fleet, ids[:20], dict.fromkeys(ids[60:], "lab"))

    assert str(fleet.doubt) == "lists 20 of 60 known devices"


def test_a_bad_list_of_devices_that_another_source_lists_all_the_time_is_doubted() -> None:
    fleet = fleet_of(sightings(100))
    elsewhere = {each.device.id: "all" for each in sightings(100)}

    bad = end_of(fleet, ["d-00000"], elsewhere, at=T0 + MINUTE, since=None)
    good = end_of(fleet, elsewhere, elsewhere, at=T0 + 2 * MINUTE, since=None)

    assert (bad.events, str(bad.doubt)) == ((), "lists 1 of 100 known devices")
    assert (good.events, fleet.doubt, len(fleet)) == ((), None, 100)


def test_a_device_that_another_source_lists_all_the_time_moved_when_it_would_be_missing() -> None:
    fleet = fleet_of(sightings(20))
    ids = [each.device.id for each in sightings(19)]

    first = end_of(fleet, ids, {"d-00019": "all"}, at=T0 + MINUTE, since=None)
    second = end_of(fleet, ids, {"d-00019": "all"}, at=T0 + 2 * MINUTE, since=None)

    assert first.events == ()
    assert [(event.type, event.subject) for event in second.events] == [("fleet.device.moved", "d-00019")]


def test_what_appeared_elsewhere_before_the_last_complete_walk_did_not_leave_for_there() -> None:
    fleet = fleet_of(sightings(20))
    ids = [each.device.id for each in sightings(20)]
    end_of(fleet, ids, {}, at=T0 + 5 * MINUTE)

    before = end_of(fleet, ids[:19], {"d-00019": "all"}, at=T0 + 6 * MINUTE, since=T0 + 4 * MINUTE)

    assert before.events == ()


def test_an_empty_list_in_between_does_not_hide_where_devices_went() -> None:
    fleet = fleet_of(sightings(100))
    ids = [each.device.id for each in sightings(100)]
    end_of(fleet, [], {}, at=T0 + 2 * MINUTE)

    end = end_of(fleet, ids[:40], dict.fromkeys(ids[40:], "lab"), at=T0 + 3 * MINUTE, since=T0 + MINUTE)

    assert (len(end.events), fleet.doubt) == (60, None)


def test_an_empty_list_does_not_prove_that_devices_moved_unless_an_operator_accepts_it() -> None:
    fleet = fleet_of(sightings(3))
    elsewhere = dict.fromkeys((each.device.id for each in sightings(3)), "all")  # a source that watches them too

    empty = end_of(fleet, [], elsewhere)
    doubt = str(fleet.doubt)
    fleet.accept_shorter_list()
    accepted = end_of(fleet, [], elsewhere)

    assert (empty.events, doubt) == ((), "lists 0 of 3 known devices")
    assert [event.type for event in accepted.events] == ["fleet.device.moved"] * 3


@pytest.mark.parametrize("flaw", ["odd", "resumed"])
def test_a_walk_that_tells_no_absence_moves_nobody(flaw: str) -> None:
    fleet = fleet_of(sightings(20))
    walk = Walk(started_at=T0)
    walk.note([each.device.id for each in sightings(19)], odd=flaw == "odd")
    if flaw == "resumed":
        walk.break_off()

    elsewhere = listing({each.device.id: "lab" for each in sightings(20)}, since=T0)
    assert fleet.absent(walk, seen_at=T0, forget_after=WEEK, elsewhere=elsewhere) == Changes()


def test_a_source_that_looks_elsewhere_tells_who_moved_from_who_is_forgotten() -> None:
    fleet = fleet_of([sighting("d-1"), sighting("d-2"), sighting("d-3")])
    fleet.rescope()
    walk = Walk(started_at=T0, baseline=True)
    walk.note(["d-1"])

    ended = fleet.absent(walk, seen_at=T0, forget_after=WEEK, elsewhere=listing({"d-2": "lab"}, since=None))

    assert [(event.type, event.subject) for event in ended.events] == [
        ("fleet.device.moved", "d-2"),
        ("fleet.device.forgotten", "d-3"),
        ("fleet.source.baselined", "devices"),
    ]


_ids = st.sampled_from([f"d-{number}" for number in range(30)])


@given(st.lists(st.tuples(st.sets(_ids), st.sets(_ids)), max_size=6), st.booleans())
def test_what_another_source_lists_is_never_missing_here(walks: list[tuple[set[str], set[str]]], new: bool) -> None:
    fleet = fleet_of([sighting(f"d-{number}") for number in range(30)])

    for minute, (listed, others) in enumerate(walks):
        page = [sighting(id_) for id_ in sorted(listed)]
        at = T0 + minute * MINUTE
        fleet.accept(fleet.compare(page, walk=Walk(started_at=at), seen_at=at))
        known_before = {each.device.id for each in fleet.select(limit=100)}
        end = end_of(fleet, listed, dict.fromkeys(others, "lab"), at=at, since=at if new else None)

        told = {event.subject for event in end.events if isinstance(event, DeviceMoved)}
        went_missing = {event.subject for event in end.events if isinstance(event, DeviceWentMissing)}
        absent = (known_before - listed) & others if listed else set()
        assert told == absent if new else told <= absent
        assert not went_missing & others
