"""The known fleet: what a page changes, by law and by example."""

import time
from collections import Counter
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.sightings import MISSING, OFFLINE, ONLINE, T0, UNKNOWN, WEEK, fleet_of, sighting, sightings, walk_over
from fleetpulse.fleet.device import Aspect, Device, DeviceStatus, Readings, Sighting, SimState
from fleetpulse.fleet.events import (
    DeviceAppeared,
    DeviceBecameUnknown,
    DeviceCameOnline,
    DeviceChanged,
    DeviceEvent,
    DeviceMoved,
    DeviceReturned,
    DeviceWentMissing,
    DeviceWentOffline,
    SimChanged,
    SourceBaselined,
)
from fleetpulse.fleet.known import SEGMENT_DEVICES, Changes, KnownFleet, dump
from fleetpulse.fleet.walk import Walk

LATER = T0 + timedelta(minutes=1)
HOUR = timedelta(hours=1)

_devices = st.builds(
    Device,
    id=st.sampled_from([f"d-{number}" for number in range(12)]),
    name=st.sampled_from(["gate", "lamp"]),
    group=st.sampled_from(["", "Lyon", "Porto"]),
    tags=st.sampled_from([(), ("lab",)]),
    sim=st.sampled_from([None, SimState.ACTIVE, SimState.PAUSED_BY_SYSTEM]),
)
_sightings = st.builds(
    Sighting,
    device=_devices,
    status=st.sampled_from([ONLINE, OFFLINE, UNKNOWN]),
    readings=st.builds(Readings, last_seen_at=st.sampled_from([None, T0 - HOUR, T0, T0 + HOUR])),
)
_pages = st.lists(_sightings, max_size=15)


def look(
    fleet: KnownFleet, device: str, status: DeviceStatus, *, last_seen_at: datetime | None, aspects: Aspect = Aspect.ALL
) -> Changes:
    """See one device again, of which the vendor says when it was last heard of; gives what was accepted."""
    again = sighting(device, status, readings=Readings(last_seen_at=last_seen_at))
    changes = fleet.compare([again], walk=Walk(started_at=LATER), seen_at=LATER, aspects=aspects)
    fleet.accept(changes)
    return changes


def contents(fleet: KnownFleet) -> list[object]:
    return [fleet.segments(), fleet.counts(), fleet.select(limit=10**6)]


@given(_pages, _pages)
def test_compare_changes_nothing(before: list[Sighting], page: list[Sighting]) -> None:
    fleet = fleet_of(before)
    held = [{number: dict(segment) for number, segment in fleet.segments().items()}, *contents(fleet)[1:]]

    fleet.compare(page, walk=Walk(started_at=LATER), seen_at=LATER)

    assert contents(fleet) == held


@given(_pages, st.lists(_sightings, max_size=15, unique_by=lambda each: each.device.id))
def test_an_accepted_page_makes_no_events_a_second_time(before: list[Sighting], page: list[Sighting]) -> None:
    fleet = fleet_of(before)

    fleet.accept(fleet.compare(page, walk=Walk(started_at=LATER), seen_at=LATER))
    again = fleet.compare(page, walk=Walk(started_at=LATER), seen_at=LATER)

    assert again.events == ()
    assert again.segments == {}


@given(_pages, _pages)
def test_every_event_leads_from_the_status_before_to_the_one_after(
    before: list[Sighting], page: list[Sighting]
) -> None:
    fleet = fleet_of(before)
    replayed = {known.device.id: (known.device, known.status) for known in fleet.select(limit=100)}

    changes = fleet.compare(page, walk=Walk(started_at=LATER), seen_at=LATER)
    for event in changes.events:
        assert isinstance(event, DeviceEvent)
        assert event.was == (replayed[event.subject][1] if event.subject in replayed else None)
        changed = isinstance(event, (DeviceChanged, DeviceMoved, SimChanged))  # which tell attributes alone
        replayed[event.subject] = (event.device, replayed[event.subject][1] if changed else event.status)
    fleet.accept(changes)

    for known in fleet.select(limit=100):
        device, status = replayed[known.device.id]
        if device.sim is None and known.device.sim is not SimState.PAUSED_BY_SYSTEM:  # its first SIM is no event
            device = msgspec.structs.replace(device, sim=known.device.sim)
        assert (device, status) == (known.device, known.status)


@given(st.lists(_pages, max_size=5))
def test_counts_equal_a_recount(pages: list[list[Sighting]]) -> None:
    fleet = KnownFleet("edge-prod")

    for minute, page in enumerate(pages):
        walk_over(fleet, page, at=T0 + timedelta(days=5 * minute), baseline=minute == 0)

        everything = fleet.select(limit=10**6)
        assert fleet.counts() == Counter((known.device.group, known.status) for known in everything)
        assert fleet.sims() == Counter(
            known.device.sim for known in everything if known.device.sim is not None and known.status is not MISSING
        )
        assert len(fleet) == len(everything)
        assert all(fleet.device(known.device.id) == known for known in everything)


@given(_pages, _pages)
def test_a_segment_loads_as_it_was_dumped(before: list[Sighting], page: list[Sighting]) -> None:
    fleet = fleet_of(before)
    walk_over(fleet, page, at=LATER)
    loaded = KnownFleet("edge-prod")

    for number, segment in fleet.segments().items():
        loaded.load(number, dump(segment))

    assert contents(loaded) == contents(fleet)


def test_a_segment_that_cannot_be_read_is_named() -> None:
    fleet = KnownFleet("edge-prod")

    with pytest.raises(ValueError, match="segment 3 of edge-prod"):
        fleet.load(3, b"\xc1")


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_select_pages_over_every_device_once(limit: int) -> None:
    fleet = fleet_of(sightings(2 * SEGMENT_DEVICES + 17))
    paged: list[str] = []

    after = None
    while page := fleet.select(after=after, limit=limit if limit > 1 else 500):
        paged += [known.device.id for known in page]
        after = paged[-1]

    assert paged == [each.device.id for each in sightings(2 * SEGMENT_DEVICES + 17)]


def test_select_keeps_to_a_status_and_a_group() -> None:
    fleet = fleet_of(
        [sighting("d-1", OFFLINE, group="Lyon"), sighting("d-2", group="Lyon"), sighting("d-3", OFFLINE, group="Porto")]
    )

    found = fleet.select(status=OFFLINE, group="Lyon")

    assert [known.device.id for known in found] == ["d-1"]


@pytest.mark.parametrize(
    ("query", "tag", "found"),
    [
        ("GATE", None, ["d-1", "D-2"]),
        ("d-2", None, ["D-2"]),
        ("straSSE", None, ["d-3"]),  # as people fold case, not as bytes do
        ("", "north", ["d-1", "d-3"]),
        ("gate", "north", ["d-1"]),
        ("nowhere", None, []),
        ("", "nor", []),
    ],
)
def test_select_looks_for_words_in_names_and_ids_and_for_whole_tags(query: str, tag: str, found: list[str]) -> None:
    devices = [
        Device("d-1", name="Gate 17", tags=("lab", "north")),
        Device("D-2", name="gate 18"),
        Device("d-3", name="Hauptstraße", tags=("north",)),
    ]
    fleet = fleet_of([Sighting(device, ONLINE) for device in devices])

    assert [known.device.id for known in fleet.select(query=query, tag=tag)] == found


def test_a_device_is_listed_while_it_is_known_and_not_missing() -> None:
    fleet = fleet_of([sighting("d-x"), *sightings(20)])

    before = fleet.lists("d-x")
    for _ in range(2):
        walk_over(fleet, sightings(20))

    assert (before, fleet.lists("d-x"), fleet.lists("d-y")) == (True, False, False)


def test_segments_hold_a_thousand_devices_each_and_are_filled_up_first() -> None:
    fleet = fleet_of(sightings(SEGMENT_DEVICES + 1))
    walk_over(fleet, [sighting(f"e-{number}") for number in range(SEGMENT_DEVICES)], at=LATER)

    assert [len(segment) for segment in fleet.segments().values()] == [SEGMENT_DEVICES, SEGMENT_DEVICES, 1]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (ONLINE, OFFLINE, DeviceWentOffline),
        (UNKNOWN, OFFLINE, DeviceWentOffline),
        (OFFLINE, ONLINE, DeviceCameOnline),
        (UNKNOWN, ONLINE, DeviceCameOnline),
        (ONLINE, UNKNOWN, DeviceBecameUnknown),
        (OFFLINE, UNKNOWN, DeviceBecameUnknown),
        (MISSING, ONLINE, DeviceReturned),
        (MISSING, OFFLINE, DeviceReturned),
        (MISSING, UNKNOWN, DeviceReturned),
    ],
)
def test_each_change_of_status_has_its_event(
    before: DeviceStatus, after: DeviceStatus, kind: type[DeviceEvent]
) -> None:
    fleet = fleet_of([sighting("d-1", ONLINE if before is MISSING else before), *sightings(20)])
    if before is MISSING:
        walk_over(fleet, sightings(20))
        walk_over(fleet, sightings(20))

    changes = fleet.compare([sighting("d-1", after)], walk=Walk(started_at=LATER, late=True), seen_at=LATER)

    (event,) = changes.events
    assert type(event) is kind
    assert (event.was, event.status, event.subject, event.seen_at, event.late) == (before, after, "d-1", LATER, True)


def test_a_new_device_appeared() -> None:
    fleet = fleet_of(sightings(1))

    (event,) = fleet.compare([sighting("d-new", OFFLINE)], walk=Walk(started_at=LATER), seen_at=LATER).events

    assert isinstance(event, DeviceAppeared)
    assert (event.status, event.was, event.ever_online) == (OFFLINE, None, False)


@pytest.mark.parametrize("field", ["name", "version", "address", "model"])
def test_a_changed_field_tells_the_device_as_it_was(field: str) -> None:
    fleet = fleet_of([sighting("d-1", OFFLINE)])
    changed = Sighting(msgspec.structs.replace(Device("d-1"), **{field: "other"}), OFFLINE)

    changes = fleet.compare([changed], walk=Walk(started_at=LATER), seen_at=LATER)

    (event,) = changes.events
    assert isinstance(event, DeviceChanged)
    assert (event.before, getattr(event.device, field)) == (Device("d-1"), "other")
    assert changes.confirmed == ("d-1",)  # its status was seen again all the same


def test_a_device_of_another_group_moved_and_a_sim_of_another_state_changed() -> None:
    before = Device("d-1", group="Lyon", sim=SimState.ACTIVE)
    after = Device("d-1", group="Porto", sim=SimState.PAUSED_BY_SYSTEM)
    fleet = fleet_of([Sighting(before, OFFLINE)])

    moved, sim = fleet.compare([Sighting(after, OFFLINE)], walk=Walk(started_at=LATER), seen_at=LATER).events

    assert isinstance(moved, DeviceMoved)
    assert isinstance(sim, SimChanged)
    assert (moved.before, moved.device, moved.to) == (before, after, "")
    assert (sim.before, sim.device, sim.status, sim.was) == (before, after, OFFLINE, OFFLINE)


@pytest.mark.parametrize("name", ["", "gate"])
def test_a_first_group_is_a_change_and_no_move(name: str) -> None:
    fleet = fleet_of([sighting("d-1", OFFLINE)])

    (event,) = fleet.compare(
        [sighting("d-1", OFFLINE, name=name, group="Lyon")], walk=Walk(started_at=LATER), seen_at=LATER
    ).events

    assert isinstance(event, DeviceChanged)
    assert (event.before, event.device) == (Device("d-1"), Device("d-1", name=name, group="Lyon"))


def test_a_device_that_leaves_its_group_moved() -> None:
    fleet = fleet_of([sighting("d-1", group="Lyon")])

    (event,) = fleet.compare([sighting("d-1")], walk=Walk(started_at=LATER), seen_at=LATER).events

    assert isinstance(event, DeviceMoved)


def test_the_first_state_of_a_sim_is_kept_and_no_event_unless_the_system_paused_it() -> None:
    fleet = fleet_of([sighting("d-1"), sighting("d-2")])
    page = [
        Sighting(Device("d-1", sim=SimState.PAUSED), ONLINE),
        Sighting(Device("d-2", sim=SimState.PAUSED_BY_SYSTEM), ONLINE),
    ]

    changes = fleet.compare(page, walk=Walk(started_at=LATER), seen_at=LATER)
    fleet.accept(changes)

    (event,) = changes.events
    assert isinstance(event, SimChanged)
    assert event.subject == "d-2"
    assert fleet.sims() == {SimState.PAUSED: 1, SimState.PAUSED_BY_SYSTEM: 1}


def test_a_sim_that_is_no_longer_told_of_changed() -> None:
    fleet = fleet_of([Sighting(Device("d-1", sim=SimState.PAUSED_BY_SYSTEM), ONLINE)])

    (event,) = fleet.compare([sighting("d-1")], walk=Walk(started_at=LATER), seen_at=LATER).events

    assert isinstance(event, SimChanged)


def test_several_things_that_happened_at_once_are_told_in_order() -> None:
    fleet = fleet_of([Sighting(Device("d-1", name="gate", group="Lyon", sim=SimState.ACTIVE), ONLINE)])
    other = Sighting(Device("d-1", name="lamp", group="Porto", sim=SimState.PENDING), OFFLINE)

    changes = fleet.compare([other], walk=Walk(started_at=LATER), seen_at=LATER)

    assert [type(event) for event in changes.events] == [DeviceChanged, DeviceMoved, SimChanged, DeviceWentOffline]


def test_readings_reach_the_changes_and_make_no_event() -> None:
    fleet = fleet_of([sighting("d-1")])
    readings = Readings(last_seen_at=LATER, cpu_usage_ratio=0.5)

    changes = fleet.compare([sighting("d-1", readings=readings)], walk=Walk(started_at=LATER), seen_at=LATER)

    assert changes.readings == {"d-1": readings}
    assert (changes.events, changes.segments) == ((), {})


@pytest.mark.parametrize("status", [OFFLINE, UNKNOWN])
def test_a_session_between_two_looks_moves_last_seen_and_nothing_else(status: DeviceStatus) -> None:
    fleet = fleet_of([sighting("d-1", status, readings=Readings(last_seen_at=T0 - HOUR))])

    changes = look(fleet, "d-1", status, last_seen_at=T0)

    known = fleet.device("d-1")
    assert known is not None
    assert (known.since_at, known.last_seen_at) == (T0, T0)
    assert (changes.events, list(changes.segments), changes.confirmed) == ((), [0], ("d-1",))


@pytest.mark.parametrize(
    ("kept", "told", "then"),
    [
        (T0 - HOUR, None, T0 - HOUR),
        (T0 - HOUR, T0 - HOUR, T0 - HOUR),
        (T0 - HOUR, T0 - 2 * HOUR, T0 - HOUR),
        (T0 - HOUR, LATER, LATER),
        (T0 - HOUR, LATER + HOUR, T0 - HOUR),  # a time to come is nonsense
        (T0 + 1000 * HOUR, T0 - HOUR, T0 - HOUR),  # and gives way to a time that makes sense
        (T0 + 1000 * HOUR, T0 + 1001 * HOUR, T0 + 1000 * HOUR),
    ],
)
def test_last_seen_of_a_device_that_is_not_online_never_goes_back(
    kept: datetime, told: datetime | None, then: datetime
) -> None:
    fleet = fleet_of([sighting("d-1", OFFLINE, readings=Readings(last_seen_at=kept))])

    changes = look(fleet, "d-1", OFFLINE, last_seen_at=told)

    known = fleet.device("d-1")
    assert known is not None
    assert known.last_seen_at == then
    assert bool(changes.segments) is (then != kept)  # nothing is written where nothing moved


def test_a_device_that_is_online_is_not_written_anew_each_time_it_is_heard_of() -> None:
    fleet = fleet_of([sighting("d-1", readings=Readings(last_seen_at=T0))])

    changes = look(fleet, "d-1", ONLINE, last_seen_at=LATER)

    assert changes.segments == {}


def test_readings_move_last_seen_but_confirm_no_status() -> None:
    fleet = fleet_of([sighting("d-1", OFFLINE, readings=Readings(last_seen_at=T0))])

    changes = look(fleet, "d-1", UNKNOWN, last_seen_at=LATER, aspects=Aspect.READINGS)

    known = fleet.device("d-1")
    assert known is not None
    assert (known.status, known.last_seen_at) == (OFFLINE, LATER)
    assert (changes.events, changes.confirmed) == ((), ())


def test_a_device_never_seen_online_is_known_as_such_until_the_vendor_names_a_time() -> None:
    fleet = fleet_of([sighting("d-1", OFFLINE)])
    before = fleet.device("d-1")

    changes = fleet.compare(
        [sighting("d-1", OFFLINE, readings=Readings(last_seen_at=T0))], walk=Walk(started_at=LATER), seen_at=LATER
    )
    fleet.accept(changes)

    after = fleet.device("d-1")
    assert before is not None
    assert after is not None
    assert (before.ever_online, after.ever_online, changes.events) == (False, True, ())


def test_only_devices_seen_again_in_a_state_that_is_not_online_are_confirmed() -> None:
    fleet = fleet_of([sighting("d-1", OFFLINE), sighting("d-2", ONLINE), sighting("d-3", UNKNOWN)])
    page = [sighting("d-1", OFFLINE), sighting("d-2", OFFLINE), sighting("d-3", UNKNOWN)]

    changes = fleet.compare(page, walk=Walk(started_at=LATER), seen_at=LATER)

    assert changes.confirmed == ("d-1", "d-3")


@pytest.mark.parametrize(
    ("aspects", "confirmed"),
    [(Aspect.ALL, ("d-1", "d-3")), (Aspect.ATTRIBUTES, ("d-1",)), (Aspect.STATUS, ("d-3",)), (Aspect.READINGS, ())],
)
def test_a_sim_that_the_system_paused_is_confirmed_where_the_page_speaks_of_it(
    aspects: Aspect, confirmed: tuple[str, ...]
) -> None:
    page = [
        Sighting(Device("d-1", sim=SimState.PAUSED_BY_SYSTEM), ONLINE),
        Sighting(Device("d-2", sim=SimState.PAUSED), ONLINE),
        Sighting(Device("d-3", sim=SimState.PAUSED_BY_SYSTEM), OFFLINE),
    ]
    fleet = fleet_of(page)

    changes = fleet.compare(page, walk=Walk(started_at=LATER), seen_at=LATER, aspects=aspects)

    assert (changes.confirmed, changes.events, changes.segments) == (confirmed, (), {})


def test_a_page_of_attributes_leaves_the_status_alone_and_confirms_nothing() -> None:
    fleet = fleet_of([sighting("d-1", OFFLINE)])

    changes = fleet.compare(
        [sighting("d-1", UNKNOWN, name="renamed"), sighting("d-2", ONLINE)],
        walk=Walk(started_at=LATER),
        seen_at=LATER,
        aspects=Aspect.ATTRIBUTES,
    )

    assert [(type(event), event.status) for event in changes.events if isinstance(event, DeviceEvent)] == [
        (DeviceChanged, OFFLINE),
        (DeviceAppeared, UNKNOWN),
    ]
    assert (changes.confirmed, changes.readings) == ((), {})


def test_a_first_walk_over_attributes_names_who_went_offline_meanwhile_and_nobody_else() -> None:
    fleet = fleet_of([sighting("d-1"), sighting("d-2"), sighting("d-3", OFFLINE)])
    walk_over(fleet, [sighting("d-1", OFFLINE), sighting("d-2"), sighting("d-3", OFFLINE)])

    changes = fleet.compare(
        [sighting(id_, UNKNOWN, name="gate", group="Lyon") for id_ in ("d-1", "d-2", "d-3", "d-4")],
        walk=Walk(started_at=LATER, baseline=True),
        seen_at=LATER,
        aspects=Aspect.ATTRIBUTES,
    )

    (event,) = changes.events
    assert isinstance(event, DeviceChanged)
    assert (event.subject, event.status, event.device.group) == ("d-1", OFFLINE, "Lyon")


def test_a_first_walk_over_attributes_adds_to_the_baseline_who_was_offline_and_had_been_online_once() -> None:
    fleet = fleet_of([sighting("d-1", OFFLINE), sighting("d-2", OFFLINE), sighting("d-3")])
    seen = Readings(last_seen_at=T0 - HOUR)

    changes = fleet.compare(
        [
            sighting("d-1", UNKNOWN, name="gate", readings=seen),
            sighting("d-2", UNKNOWN, name="lamp"),
            sighting("d-3", UNKNOWN, readings=seen),
        ],
        walk=Walk(started_at=LATER, baseline=True),
        seen_at=LATER,
        aspects=Aspect.ATTRIBUTES | Aspect.READINGS,
    )

    (event,) = changes.events
    assert isinstance(event, SourceBaselined)
    assert (event.subject, event.part, event.parts) == ("devices", 1, 2)
    assert event.counts == {"offline": 2, "online": 1}
    assert [(known.device.name, known.since_at, known.last_seen_at) for known in event.offline] == [
        ("gate", T0, T0 - HOUR)
    ]


def test_a_page_of_statuses_leaves_the_attributes_alone() -> None:
    fleet = fleet_of([sighting("d-1", name="gate-17")])

    changes = fleet.compare(
        [sighting("d-1", OFFLINE)], walk=Walk(started_at=LATER), seen_at=LATER, aspects=Aspect.STATUS
    )

    (event,) = changes.events
    assert isinstance(event, DeviceWentOffline)
    assert event.device.name == "gate-17"


def test_a_missing_device_on_a_page_of_attributes_returned_with_an_unknown_status() -> None:
    fleet = fleet_of([sighting("d-x"), *sightings(20)])
    walk_over(fleet, sightings(20))
    walk_over(fleet, sightings(20))

    changes = fleet.compare([sighting("d-x")], walk=Walk(started_at=LATER), seen_at=LATER, aspects=Aspect.ATTRIBUTES)

    (event,) = changes.events
    assert isinstance(event, DeviceReturned)
    assert event.status is UNKNOWN


def test_a_baseline_is_told_once_in_parts_and_no_device_is_news() -> None:
    fleet = KnownFleet("edge-prod")
    page = [*sightings(1500, OFFLINE), sighting("d-on")]
    page = [
        Sighting(each.device, each.status, Readings(last_seen_at=T0)) if number % 2 else each
        for number, each in enumerate(page)
    ] + [sighting(f"e-{number}", OFFLINE, readings=Readings(last_seen_at=T0)) for number in range(500)]
    walk = Walk(started_at=T0, baseline=True)
    walk.note([each.device.id for each in page])

    changes = fleet.compare(page, walk=walk, seen_at=T0)
    fleet.accept(changes)
    end = fleet.absent(walk, seen_at=T0, forget_after=WEEK)

    assert changes.events == ()
    assert [type(event) for event in end.events] == [SourceBaselined, SourceBaselined]
    parts = [event for event in end.events if isinstance(event, SourceBaselined)]
    assert [(part.part, part.parts, len(part.offline)) for part in parts] == [(0, 2, 1000), (1, 2, 250)]
    assert parts[0].counts == {"online": 1, "offline": 2000}
    assert all(known.ever_online for part in parts for known in part.offline)


def test_a_baseline_lists_the_sims_that_the_system_had_paused_each_device_once() -> None:
    paused = SimState.PAUSED_BY_SYSTEM
    heard = Readings(last_seen_at=T0)
    page = [
        Sighting(Device("on", sim=paused), ONLINE),
        Sighting(Device("off", sim=paused), OFFLINE, heard),
        Sighting(Device("odd", sim=paused), UNKNOWN, heard),
        Sighting(Device("never", sim=paused), OFFLINE),
        Sighting(Device("well", sim=SimState.PAUSED), ONLINE),
        Sighting(Device("gone", sim=None), OFFLINE, heard),
    ]

    (event,) = walk_over(KnownFleet("sims"), page, baseline=True).events

    assert isinstance(event, SourceBaselined)
    assert event.sims == {"paused_by_system": 4, "paused": 1}
    assert event.counts == {"online": 2, "offline": 3, "unknown": 1}
    assert [known.device.id for known in event.offline] == ["off", "gone"]
    assert [known.device.id for known in event.paused] == ["on", "odd"]


def test_what_a_baseline_lists_is_parted_whatever_it_is_of() -> None:
    page = [Sighting(Device(f"on-{number}", sim=SimState.PAUSED_BY_SYSTEM), ONLINE) for number in range(900)]
    page += [sighting(f"off-{number}", OFFLINE, readings=Readings(last_seen_at=T0)) for number in range(900)]

    events = walk_over(KnownFleet("sims"), page, baseline=True).events

    parts = [event for event in events if isinstance(event, SourceBaselined)]
    assert [(part.part, part.parts, len(part.paused), len(part.offline)) for part in parts] == [
        (0, 2, 900, 100),
        (1, 2, 0, 800),
    ]


def test_went_missing_keeps_what_was_last_known() -> None:
    fleet = fleet_of([sighting("d-x", OFFLINE, name="gate-17"), *sightings(20)])
    walk_over(fleet, sightings(20), at=LATER)

    end = walk_over(fleet, sightings(20), at=LATER + timedelta(minutes=1))

    (event,) = end.events
    assert isinstance(event, DeviceWentMissing)
    assert (event.was, event.device.name) == (OFFLINE, "gate-17")


def test_comparing_a_thousand_unchanged_devices_takes_about_a_millisecond() -> None:
    page = sightings(1000)
    fleet = fleet_of(page)
    fastest = 1.0

    for _ in range(20):
        began = time.perf_counter()
        changes = fleet.compare(page, walk=Walk(started_at=LATER), seen_at=LATER)
        fastest = min(fastest, time.perf_counter() - began)

    assert changes.segments == {}
    assert fastest < 0.005  # five times what it takes here: a guard against another order of magnitude


def test_a_fleet_that_looks_elsewhere_knows_who_it_knew_and_forgets_who_is_not_there() -> None:
    fleet = fleet_of([sighting("d-1"), sighting("d-2", OFFLINE, readings=Readings(last_seen_at=T0)), sighting("d-3")])
    fleet.rescope()
    walk = Walk(started_at=T0, baseline=True)
    page = [sighting("d-1", OFFLINE), sighting("d-2", OFFLINE), sighting("d-4", OFFLINE, readings=Readings(T0))]
    walk.note([each.device.id for each in page])

    changes = fleet.compare(page, walk=walk, seen_at=T0)
    fleet.accept(changes)
    ended = fleet.absent(walk, seen_at=T0, forget_after=WEEK)
    fleet.accept(ended)

    assert [(event.type, event.subject) for event in (*changes.events, *ended.events)] == [
        ("fleet.device.went_offline", "d-1"),
        ("fleet.device.forgotten", "d-3"),
        ("fleet.source.baselined", "devices"),
    ]
    (baseline,) = [event for event in ended.events if isinstance(event, SourceBaselined)]
    assert [known.device.id for known in baseline.offline] == ["d-4"]
    assert baseline.counts == {"offline": 3}
    assert fleet.counts() == {("", OFFLINE): 3}


def test_a_baseline_that_tells_no_absence_forgets_nobody() -> None:
    fleet = fleet_of([sighting("d-1"), sighting("d-2")])
    fleet.rescope()

    changes = walk_over(fleet, [sighting("d-1")], baseline=True, odd=1)

    assert [event.type for event in changes.events] == ["fleet.source.baselined"]
    assert len(fleet) == 2


def test_a_device_that_a_page_lists_twice_is_compared_with_what_the_page_made_of_it() -> None:
    fleet = fleet_of(sightings(SEGMENT_DEVICES + 1))
    far = sighting(f"d-{SEGMENT_DEVICES:05}")  # of another segment than the first

    changes = fleet.compare(
        [sighting("d-00000", OFFLINE), far, sighting("d-00000", OFFLINE)], walk=Walk(started_at=LATER), seen_at=LATER
    )

    assert [event.subject for event in changes.events] == ["d-00000"]


def test_a_device_of_which_only_the_place_is_taken_over_yet_is_not_known() -> None:
    fleet = fleet_of([sighting("d-1")])
    fleet._segments._place["d-2"] = 0  # as another thread sees it in the midst of an `accept`
    fleet._segments._place["d-3"] = 7

    assert fleet.device("d-2") is None
    assert fleet.device("d-3") is None
