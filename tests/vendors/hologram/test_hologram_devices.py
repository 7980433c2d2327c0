"""Hologram's devices: their sessions, SIMs and pages, with every documented quirk, over real HTTP."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from fleetpulse import simulator
from fleetpulse.fleet.device import Device, DeviceStatus, Readings, Sighting, SimState
from fleetpulse.vendors.contract import (
    PROTOCOLS,
    AnswerInvalid,
    CredentialsRejected,
    CursorRefused,
    Kind,
    ResourceUnavailable,
    SourceError,
    Vendor,
)
from fleetpulse.vendors.hologram import HologramSettings
from fleetpulse.vendors.hologram.devices import DeviceRow, sighting
from fleetpulse.vendors.hologram.sims import sim_state
from vendors.hologram.walks import Build, Http, device_ids, devices, listed, saying

ZERO = "0000-00-00 00:00:00"
NEVER: tuple[object, ...] = (None, {}, [])


def found(**fields: Any) -> Sighting:
    made = sighting(msgspec.convert({"id": 5100232} | fields, DeviceRow))
    assert made is not None
    return made


def linked(*links: object, **fields: Any) -> Sighting:
    return found(links={"cellular": list(links)}, **fields)


@pytest.fixture
def cloud() -> simulator.Hologram:
    """Nine devices on pages of four."""
    return simulator.Hologram(devices=9, most_rows=4)


async def test_it_is_a_vendor_whose_census_is_its_device_list(build: Build) -> None:
    vendor: Vendor = build()

    assert list(vendor.resources) == ["devices", "jobs", "changes"]
    assert [name for name, resource in vendor.resources.items() if resource.census] == ["devices"]
    assert [resource.kind for resource in vendor.resources.values()] == [Kind.DEVICES, Kind.JOBS, Kind.JOBS]
    assert all(isinstance(vendor, PROTOCOLS[resource.kind]) for resource in vendor.resources.values())


def test_the_documented_example_arrives_in_our_words() -> None:
    link = {
        "id": 71, "deviceid": 5100232, "sim": "8900000000000000017", "state": "LIVE",
        "whenclaimed": "2025-01-10 09:00:00", "whenexpires": "2025-03-11 09:00:00", "overagelimit": -1,
        "smslimit": 100, "eid": None, "plan": {"id": 9, "zone": "global", "name": "Flat", "data": 0},
        "last_network_used": "ExampleTel", "last_connect_time": "2025-03-02 07:55:10",
        "cur_billing_data_used": 120034,
    }  # fmt: skip
    row = {
        "id": 5100232, "orgid": 9001, "name": "pump-4", "type": "Unknown", "whencreated": "2025-01-10 09:00:00",
        "phonenumber": "", "phonenumber_cost": "0.0000", "tunnelable": 0, "imei": "490000000000017",
        "tags": [{"id": 3, "name": "north"}], "preflight_starttime": None, "model": "Unknown",
        "manufacturer": "Unknown", "links": {"cellular": [link]},
        "lastsession": {
            "linkid": 71, "session_begin": "2025-03-02 07:55:10", "session_end": ZERO, "bytes": "20418",
            "radio_access_technology": "LTE", "network_name": "ExampleTel", "active": True,
        },
    }  # fmt: skip

    assert found(**row) == Sighting(
        Device("5100232", name="pump-4", tags=("north",), sim=SimState.ACTIVE),
        DeviceStatus.ONLINE,
        Readings(last_seen_at=datetime(2025, 3, 2, 7, 55, 10, tzinfo=UTC), transferred_bytes=120034.0),
    )


# -- sessions


@pytest.mark.parametrize(
    ("session", "status"),
    [
        ({"active": True}, DeviceStatus.ONLINE),
        ({"active": True, "session_end": "2025-03-02 08:00:00"}, DeviceStatus.ONLINE),
        ({"session_end": ZERO}, DeviceStatus.ONLINE),
        ({"active": 1}, DeviceStatus.ONLINE),
        ({"active": "true"}, DeviceStatus.ONLINE),
        ({"active": False, "session_end": "2025-03-02 08:00:00"}, DeviceStatus.OFFLINE),
        ({"session_end": "2025-03-02 08:00:00"}, DeviceStatus.OFFLINE),
        ({"active": False}, DeviceStatus.OFFLINE),
        ({"active": 0, "session_end": None}, DeviceStatus.OFFLINE),
        ({"active": "perhaps"}, DeviceStatus.UNKNOWN),
        ({"active": None, "session_end": ""}, DeviceStatus.UNKNOWN),
        ({"linkid": 71}, DeviceStatus.UNKNOWN),
        ({"active": [], "session_end": {}}, DeviceStatus.UNKNOWN),
        ("yesterday", DeviceStatus.UNKNOWN),
        (True, DeviceStatus.UNKNOWN),
        ([1], DeviceStatus.UNKNOWN),
    ],
)
def test_an_open_session_is_online_and_an_ended_one_offline(session: object, status: DeviceStatus) -> None:
    assert found(lastsession=session).status is status


@pytest.mark.parametrize("never", NEVER)
def test_a_device_that_never_connected_is_offline_and_was_never_seen(never: object) -> None:
    made = linked({"state": "LIVE", "last_connect_time": ZERO}, lastsession=never)

    assert (made.status, made.readings.last_seen_at) == (DeviceStatus.OFFLINE, None)


@pytest.mark.parametrize("connected", [ZERO, "", None])
def test_a_missing_session_of_a_device_that_never_connected_is_offline(connected: object) -> None:
    made = linked({"last_connect_time": connected})

    assert (made.status, made.readings.last_seen_at) == (DeviceStatus.OFFLINE, None)


def test_a_missing_session_of_a_device_that_did_connect_is_unknown() -> None:
    made = linked({"last_connect_time": "2025-03-02 07:55:10"})

    assert made.status is DeviceStatus.UNKNOWN
    assert made.readings.last_seen_at == datetime(2025, 3, 2, 7, 55, 10, tzinfo=UTC)


def test_live_is_not_online() -> None:
    assert linked({"state": "LIVE"}, lastsession={"active": False}).status is DeviceStatus.OFFLINE


def test_a_paused_sim_with_a_running_session_is_online() -> None:
    made = linked({"state": "PAUSED-USER"}, lastsession={"active": True, "session_end": ZERO})

    assert (made.status, made.device.sim) == (DeviceStatus.ONLINE, SimState.PAUSED)


@pytest.mark.parametrize("latest", ["session_begin", "session_end", "last_connect_time"])
def test_last_seen_is_the_latest_sign_of_life(latest: str) -> None:
    old, new = "2025-03-01 00:00:00", "2025-03-02T07:55:10Z"
    times = dict.fromkeys(["session_begin", "session_end", "last_connect_time"], old) | {latest: new}

    made = linked({"last_connect_time": times.pop("last_connect_time")}, {"last_connect_time": 7}, lastsession=times)

    assert made.readings.last_seen_at == datetime(2025, 3, 2, 7, 55, 10, tzinfo=UTC)


@pytest.mark.parametrize("form", ["both", "flag", "zeros"])
async def test_every_sign_of_an_open_session_is_understood(cloud: simulator.Hologram, build: Build, form: str) -> None:
    cloud.switch(open_session=form)

    pages = await devices(build())

    online = [item.device.id for page in pages for item in page.items if item.status is DeviceStatus.ONLINE]
    assert online == cloud.uuids("online")
    assert 0 < len(online) < 9


@pytest.mark.parametrize("form", ["null", "absent", "object", "list"])
async def test_never_connected_is_understood_in_every_form(cloud: simulator.Hologram, build: Build, form: str) -> None:
    cloud.switch(no_session=form)
    uuid = cloud.add_device(status="never")

    pages = await devices(build())

    assert pages[0].items[0].device.id == uuid
    assert (pages[0].items[0].status, pages[0].items[0].readings.last_seen_at) == (DeviceStatus.OFFLINE, None)
    assert pages[0].unknown_word == ""


async def test_a_list_without_sessions_takes_nobody_offline(cloud: simulator.Hologram, build: Build) -> None:
    cloud.switch(sessions="left_out")

    pages = await devices(build())

    assert {item.status for page in pages for item in page.items} == {DeviceStatus.UNKNOWN}
    assert [page.unknown_word for page in pages] == ["(none)"] * 3


async def test_a_session_that_nobody_understands_is_told_short_and_redacted(
    cloud: simulator.Hologram, build: Build
) -> None:
    first, second, *_ = cloud.uuids()
    cloud.set_row(first, lastsession={"active": None})
    cloud.set_row(second, lastsession={"active": "up\ndemo-key " + "x" * 1000})

    pages = await devices(build())

    assert pages[0].unknown_word == ("up *** " + "x" * 1000)[:40]
    assert [page.unknown_word for page in pages[1:]] == ["", ""]


# -- SIMs


@pytest.mark.parametrize(
    ("state", "ours"),
    [
        ("LIVE", SimState.ACTIVE),
        ("ACTIVE (LIVE)", SimState.ACTIVE),
        (" live ", SimState.ACTIVE),
        ("PAUSED", SimState.PAUSED),
        ("PAUSED-USER", SimState.PAUSED),
        ("FROZEN", SimState.PAUSED),
        ("PAUSED-SYS", SimState.PAUSED_BY_SYSTEM),
        ("PAUSED-BY-SYS", SimState.PAUSED_BY_SYSTEM),
        ("PAUSED-SYSTEM", SimState.PAUSED_BY_SYSTEM),
        ("PAUSED (SYS)", SimState.PAUSED_BY_SYSTEM),
        ("PAUSEDSYS", SimState.PAUSED_BY_SYSTEM),
        ("PAUSED-BY-SYSADMIN", SimState.PAUSED),
        ("Paused by system", SimState.PAUSED_BY_SYSTEM),
        ("PAUSED-PENDING-USER", SimState.PENDING),
        ("PAUSED-PENDING-SYS", SimState.PENDING),
        ("LIVE-PENDING", SimState.PENDING),
        ("DEAD-PENDING", SimState.PENDING),
        ("DEAD", SimState.RETIRED),
        ("DEACTIVATED", SimState.RETIRED),
        ("INACTIVE", SimState.INACTIVE),
        ("INACTIVE-TESTED", SimState.INACTIVE),
        ("FACTORY", SimState.INACTIVE),
        ("TEST-ACTIVATE", SimState.INACTIVE),
        ("HIBERNATING", SimState.UNKNOWN),
        ("", SimState.UNKNOWN),
        (None, SimState.UNKNOWN),
        (7, SimState.UNKNOWN),
        (["LIVE"], SimState.UNKNOWN),
    ],
)
def test_a_sim_state_is_read_by_its_prefix(state: object, ours: SimState) -> None:
    assert sim_state(state) is ours


def test_of_several_links_the_one_of_the_last_session_tells_the_sim() -> None:
    links = [{"id": 71, "state": "DEAD"}, {"id": "72", "state": "LIVE"}]

    assert linked(*links, lastsession={"linkid": 72, "active": True}).device.sim is SimState.ACTIVE
    assert linked(*links, lastsession={"linkid": 99, "active": True}).device.sim is SimState.RETIRED
    assert linked(*links, lastsession=None).device.sim is SimState.RETIRED


@pytest.mark.parametrize("links", [None, [], {}, "none", {"cellular": None}, {"cellular": []}, {"cellular": [None, 7]}])
def test_a_device_without_a_cellular_link_has_no_sim(links: object) -> None:
    made = found(links=links)

    assert (made.device.sim, made.readings.transferred_bytes) == (None, None)


def test_links_under_their_ids_are_links() -> None:
    made = found(links={"cellular": {"71": {"id": 71, "state": "LIVE", "cur_billing_data_used": "5"}}})

    assert (made.device.sim, made.readings.transferred_bytes) == (SimState.ACTIVE, 5.0)


@pytest.mark.parametrize(
    ("used", "told"),
    [
        ([120034], 120034.0),
        (["120034"], 120034.0),
        ([0], 0.0),
        ([1, "2"], 3.0),
        ([1, None], 1.0),
        ([-1], None),
        ([1e300], None),
        ([True], None),
        (["much"], None),
        ([None], None),
        ([], None),
    ],
)
def test_the_data_used_is_summed_over_the_links(used: list[object], told: float | None) -> None:
    assert linked(*({"cur_billing_data_used": each} for each in used)).readings.transferred_bytes == told


# -- attributes


@pytest.mark.parametrize("model", ["Unknown", "unknown", "", None, [], " "])
def test_a_model_that_is_not_known_is_none(model: object) -> None:
    assert found(model=model).device.model == ""


def test_a_model_that_is_known_is_told() -> None:
    assert found(model="EG25-G").device.model == "EG25-G"


@pytest.mark.parametrize("form", ["objects", "names"])
async def test_tags_are_understood_in_every_form(cloud: simulator.Hologram, build: Build, form: str) -> None:
    cloud.switch(tags_form=form)
    cloud.add_device(tags=["b", "a", "b"])

    page, *_ = await devices(build())

    assert page.items[0].device.tags == ("a", "b")


@pytest.mark.parametrize("tags", [None, "spare", 7, [], {}, [{"id": 3}, None, {"name": []}, ""]])
def test_tags_without_a_name_are_none(tags: object) -> None:
    assert found(tags=tags).device.tags == ()


async def test_ids_and_numbers_may_come_as_text(cloud: simulator.Hologram, build: Build) -> None:
    as_numbers = await devices(build())
    cloud.switch(ids="str", numbers="str")

    as_text = await devices(build())

    assert as_text == as_numbers


# -- pages


async def test_the_walk_equals_the_truth(cloud: simulator.Hologram, build: Build) -> None:
    pages = await devices(build())

    assert device_ids(pages) == cloud.uuids()
    assert [len(page.items) for page in pages] == [4, 4, 1]
    assert [page.guarded for page in pages] == ["", "", ""]
    assert [page.resume is None for page in pages] == [False, False, True]
    assert [request.parameters for request in cloud.requests] == [
        {"limit": ["500"]},
        {"limit": ["500"], "startafter": [pages[0].items[-1].device.id]},
        {"limit": ["500"], "startafter": [pages[1].items[-1].device.id]},
    ]


async def test_full_pages_need_no_further_one(cloud: simulator.Hologram, build: Build) -> None:
    cloud.switch(most_rows=3)

    pages = await devices(build())

    assert [len(page.items) for page in pages] == [3, 3, 3]
    assert len(cloud.requests) == 3


@pytest.mark.parametrize(
    "switch",
    [
        {"last_page": "false"},
        {"lastid": "absent"},
        {"links_form": "array"},
        {"foreign_next": True},
        {"data_form": "object"},
        {"data_form": "object", "lastid": "absent", "ids": "str"},
    ],
)
async def test_the_list_is_walked_in_every_dress(
    cloud: simulator.Hologram, build: Build, switch: dict[str, Any]
) -> None:
    cloud.switch(**switch)

    pages = await devices(build())

    assert device_ids(pages) == cloud.uuids()
    assert pages[-1].guarded == ""
    assert cloud.counts == {"GET /api/1/devices": 3}


async def test_a_foreign_next_link_is_never_followed(http_server: Http, client: Build) -> None:
    away = await http_server(saying({"success": True, "data": [{"id": 1}]}))
    answer = {"success": True, "data": [{"id": 2}], "links": {"next": f"{away}/api/1/devices", "base": away}}

    pages = await devices(client(await http_server(saying(answer))))

    assert device_ids(pages) == ["2"]


async def test_rows_of_an_object_take_their_id_from_their_key(http_server: Http, client: Build) -> None:
    answer = {"success": True, "data": {"5100232": {"name": "pump-4"}, "5100231": {"id": 5100231}}}

    pages = await devices(client(await http_server(saying(answer))))

    assert device_ids(pages) == ["5100232", "5100231"]


@pytest.mark.parametrize("data", [[], {}, None])
async def test_an_empty_list_is_one_empty_page(http_server: Http, client: Build, data: object) -> None:
    pages = await devices(client(await http_server(saying({"success": True, "data": data}))))

    assert [(page.items, page.resume, page.guarded) for page in pages] == [([], None, "")]


@pytest.mark.parametrize("continues", [False, None, "false", 0, "0", ""])
async def test_a_list_ends_where_it_does_not_continue(http_server: Http, client: Build, continues: object) -> None:
    answer = {"success": True, "continues": continues, "lastid": 7, "data": [{"id": 7}]}

    [page] = await devices(client(await http_server(saying(answer))))

    assert (page.resume, page.guarded) == (None, "")


@pytest.mark.parametrize("continues", [True, "true", 1, "maybe", {"more": True}])
async def test_a_page_that_comes_again_ends_the_walk_by_guard(
    http_server: Http, client: Build, continues: object
) -> None:
    answer = {"success": True, "continues": continues, "lastid": 7, "data": [{"id": 7}]}

    pages = await devices(client(await http_server(saying(answer))))

    assert [page.guarded for page in pages] == ["", "page 2 repeats the page before"]


@pytest.mark.parametrize(
    "beside", [{"data": [], "lastid": 7}, {"data": [{"id": "seven"}]}, {"data": [{"id": "x"}], "lastid": "y"}]
)
async def test_a_list_that_continues_nowhere_is_not_complete(
    http_server: Http, client: Build, beside: dict[str, Any]
) -> None:
    answer = {"success": True, "continues": True} | beside

    [page] = await devices(client(await http_server(saying(answer))))

    assert (page.resume, page.guarded) == (None, "a list that continues does not tell where")


async def test_the_vendor_says_where_a_list_continues_before_its_ids_do(http_server: Http, client: Build) -> None:
    asked: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.query.get("startafter"))
        more = {"continues": True, "lastid": 5} if len(asked) == 1 else {}
        return web.json_response({"success": True, "data": [{"id": 9 - len(asked)}], **more})

    await devices(client(await http_server(answer)))

    assert asked == [None, "5"]


@pytest.mark.parametrize("endless", [True, "fresh"])
async def test_a_list_without_end_is_ended_by_a_guard_or_goes_on(
    cloud: simulator.Hologram, build: Build, *, endless: bool | str
) -> None:
    cloud.switch(endless=endless)

    count, last = 0, None
    async for page in build().devices("devices"):
        count, last = count + 1, page
        if count == 20:
            break

    assert last is not None
    assert (count, bool(last.guarded)) == ((20, False) if endless == "fresh" else (count, True))


async def test_a_walk_goes_on_from_where_it_broke(cloud: simulator.Hologram, build: Build) -> None:
    first, *_ = await devices(build())

    rest = await devices(build(), resume=first.resume)

    assert device_ids(rest) == cloud.uuids()[4:]


@pytest.mark.parametrize("resume", ["", "here", "-1", "7&orgid=1", "\u0663"])
async def test_a_place_that_was_never_written_is_refused_unasked(
    cloud: simulator.Hologram, build: Build, resume: str
) -> None:
    with pytest.raises(CursorRefused):
        await devices(build(), resume=resume)

    assert not cloud.requests


@pytest.mark.parametrize("status", [400, 410, 422])
async def test_a_cursor_that_is_refused_says_so(cloud: simulator.Hologram, build: Build, status: int) -> None:
    first, *_ = await devices(build())
    cloud.faults.fail_next(status=status, body='{"success":false,"error":"no such id"}')

    with pytest.raises(CursorRefused, match="no such id"):
        await devices(build(), resume=first.resume)


async def test_only_the_organisation_asked_for_is_listed(cloud: simulator.Hologram, build: Build) -> None:
    mine, others = await devices(build(org_id=9001)), await devices(build(org_id=17))

    assert (device_ids(mine), device_ids(others)) == (cloud.uuids(), [])
    assert {request.parameters["orgid"][0] for request in cloud.requests} == {"9001", "17"}


async def test_odd_rows_cost_no_other_row(cloud: simulator.Hologram, build: Build) -> None:
    for _ in range(16):
        cloud.add_device()
    cloud.switch(most_rows=1000)
    odd = cloud.odd_rows(16)

    [page] = await devices(build())

    assert set(cloud.uuids()) - set(odd) <= set(device_ids([page]))
    assert (len(page.items), page.odd) == (20, 5)  # no id, {}, [], null and a string are no devices
    assert page.oddity != ""


async def test_a_page_of_which_no_row_can_be_read_is_no_page(http_server: Http, client: Build) -> None:
    url = await http_server(saying({"success": True, "data": [{"name": "pump-4"}, {}]}))

    with pytest.raises(AnswerInvalid, match="none of 2 rows can be read; row 0: no id") as error:
        await devices(client(url))

    assert str(error.value).startswith(url.removeprefix("http://") + " devices: the answer is")


# -- refusals


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
async def test_a_key_that_is_not_logged_in_is_refused_with_any_status(
    cloud: simulator.Hologram, build: Build, status: int
) -> None:
    cloud.revoke(status)

    with pytest.raises(CredentialsRejected, match="Not logged in"):
        await devices(build())
    for resource in ("jobs", "changes"):
        with pytest.raises(CredentialsRejected, match="Not logged in"):
            await listed(build().jobs(resource))


@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "error": ["Not logged in"]},
        {"success": "false", "error": {"message": "not logged in."}},
        {"success": 0, "errors": [{"message": "NOT LOGGED IN"}]},
        {"error": "Not logged in"},
        {"success": False, "error": "Not logged in", "data": [{"id": 1}]},
        "Not logged in",
        ["Not logged in"],
    ],
)
async def test_a_refused_key_is_known_in_any_dress(http_server: Http, client: Build, body: object) -> None:
    with pytest.raises(CredentialsRejected):
        await devices(client(await http_server(saying(body))))


async def test_a_login_page_is_an_invalid_answer(http_server: Http, client: Build, cloud: simulator.Hologram) -> None:
    cloud.faults.garble_next(body="<html><title>Sign in</title></html>")
    async with simulator.serve(cloud) as url:
        with pytest.raises(AnswerInvalid, match="Sign in"):
            await devices(client(url + "/api/1"))


@pytest.mark.parametrize(
    ("status", "error", "text"),
    [
        (401, CredentialsRejected, "401"),
        (403, CredentialsRejected, "may not read the devices"),
        (404, ResourceUnavailable, "no such organisation"),
        (400, AnswerInvalid, "400"),
    ],
)
@pytest.mark.parametrize("body", ["", "<html><title>Nope</title></html>", '{"success":false,"error":"Nope"}'])
async def test_a_refusal_of_the_census_has_its_meaning_whatever_its_body(
    cloud: simulator.Hologram, build: Build, *, status: int, error: type[SourceError], text: str, body: str
) -> None:
    cloud.faults.fail_next(status=status, body=body)

    with pytest.raises(error, match=text) as raised:
        await devices(build())

    assert type(raised.value) is error


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"id": 1}]},
        {"success": True},
        {"success": True, "data": "none"},
        {"success": True, "data": 7},
        {"success": 1, "data": [{"id": 1}]},
        {"success": False, "data": [{"id": 1}]},
        [{"id": 1}],
        7,
    ],
)
async def test_what_is_no_envelope_of_a_good_list_is_invalid(http_server: Http, client: Build, body: object) -> None:
    with pytest.raises(AnswerInvalid):
        await devices(client(await http_server(saying(body))))


async def test_the_key_is_in_no_url_and_nothing_is_written(cloud: simulator.Hologram, build: Build) -> None:
    cloud.start_job()
    cloud.start_change()
    vendor = build(org_id=9001)

    await devices(vendor)
    await listed(vendor.jobs("jobs"))
    await listed(vendor.jobs("changes"))
    await vendor.check()
    await vendor.device(cloud.uuids()[0])

    assert cloud.writes == []
    assert not any("demo-key" in request.path + request.query for request in cloud.requests)
    assert set(cloud.counts) == {
        "GET /api/1/devices",
        "GET /api/1/devices/batch/state",
        "GET /api/1/asyncchangerequests",
        "GET /api/1/users/me",
        "GET /api/1/devices/{device}",
    }


def test_a_device_of_this_vendor_is_told_when_silent_not_when_offline() -> None:
    assert HologramSettings.offline_for is None
    assert HologramSettings.silent_after == timedelta(hours=24)


def test_a_sweep_of_the_devices_takes_a_request_for_each_500() -> None:
    settings = HologramSettings(name="sims", api_key_file=Path("key"))

    assert [settings.requests_of("devices", count) for count in (0, 500, 501, 3000)] == [1, 1, 2, 6]
    assert [settings.requests_of(name, 3000) for name in ("jobs", "changes")] == [1, 1]
