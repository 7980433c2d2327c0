"""ScalePad, as its pages promise it and as they leave it open, over real HTTP."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from fleetpulse import clock
from fleetpulse.durations import Rate
from fleetpulse.fleet.deployment import Deployment, Rollout, RolloutStatus
from fleetpulse.fleet.device import Device, DeviceStatus, Readings, Sighting
from fleetpulse.fleet.summary import Summary
from fleetpulse.outbound import Account, Priority
from fleetpulse.secrets import Redactor, Secret
from fleetpulse.simulator import serve
from fleetpulse.simulator.scalepad import ScalePad as Cloud
from fleetpulse.simulator.scalepad.oddities import LOST, ODDITIES
from fleetpulse.vendors.contract import (
    PROTOCOLS,
    AnswerInvalid,
    CredentialsRejected,
    CursorRefused,
    FilterMatchesNothing,
    Kind,
    Page,
    RateLimited,
    ReadsStalestDevices,
    ResourceUnavailable,
    SourceError,
    SourceUnreachable,
    Vendor,
)
from fleetpulse.vendors.scalepad import ScalePad, ScalePadSettings, api
from fleetpulse.vendors.scalepad.devices import DeviceRow, Freshness, sightings
from fleetpulse.vendors.wire import Rows
from fleetpulse.vendors.wire.values import COUNT_MAX

Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
Build = Callable[..., ScalePad]
Walk = Callable[[ScalePad], Awaitable[object]]
CLIENT = "aa7cf840-9ca9-46a3-9778-9015d6580d50"
NOW = datetime(2026, 2, 24, 21, 30, tzinfo=UTC)
KEY = "invented-s3cr3t"

EXAMPLE: dict[str, Any] = {
    "data": [
        {
            "id": "f1e2d3c4-b5a6-7890-abcd-ef1234567890",
            "name": "DESKTOP-DEV-ALICE",
            "status": "active",
            "serial_number": "5CG1234567",
            "unique_key": "DESKTOP-DEV-ALICE-HWID-5CG1234567",
            "os_name": "Windows",
            "os_version": "10.0.19045",
            "last_seen_at": "2026-02-24T21:23:53.082Z",
            "installed_at": "2025-11-01T08:00:00.000Z",
            "agent_version": "1.2.3",
            "hardware": {
                "manufacturer": "Dell Inc.",
                "model": "XPS 15 9520",
                "cpu_model": "Intel(R) Core(TM) i7-12700H",
                "cpu_cores": 8,
                "ram": 17179869184,
            },
            "extensions": {
                "chrome": {
                    "version": "1.11.0",
                    "installed": True,
                    "auto_update": True,
                    "last_activity_at": "2026-02-24T21:23:53.082Z",
                },
                "firefox": {"version": None, "installed": False, "auto_update": False, "last_activity_at": None},
            },
            "created_at": "2025-11-01T08:00:00.000Z",
            "updated_at": "2026-02-24T21:23:53.082Z",
        },
        {
            "id": "a9b8c7d6-e5f4-3210-fedc-ba9876543210",
            "name": "MacBook-Morgan",
            "status": "active",
            "os_name": "macOS",
            "last_seen_at": "2026-02-24T20:00:00.000Z",
            "agent_version": "1.2.3",
            "hardware": {"manufacturer": "Apple Inc.", "model": "MacBook Pro", "ram": 34359738368},
            "created_at": "2025-10-15T10:30:00.000Z",
        },
    ],
    "total_count": 84,
    "next_cursor": "eyJsYXN0X2lkIjoiYTliOGM3ZDYifQ",
}
NEVER_ENROLLED: dict[str, Any] = {
    "id": "0b7e7c1e-2b54-4d0e-9c51-5f3f8a1d2c10",
    "name": None,
    "status": "pending",
    "serial_number": None,
    "unique_key": "NEW-1",
    "os_name": None,
    "os_version": None,
    "last_seen_at": None,
    "installed_at": None,
    "agent_version": None,
    "hardware": None,
    "extensions": None,
    "created_at": "2026-02-01T10:00:00.000Z",
    "updated_at": "2026-02-01T10:00:00.000Z",
}


async def listed(pages: AsyncIterator[Page[Sighting]]) -> list[Page[Sighting]]:
    return [page async for page in pages]


def ids(pages: list[Page[Sighting]], status: DeviceStatus | None = None) -> list[str]:
    return [each.device.id for page in pages for each in page.items if status in {None, each.status}]


async def judged(**row: Any) -> Sighting:
    """One row as judged at `NOW`, with the default threshold."""
    rows = Rows(items=[DeviceRow(**({"id": "x"} | row))])
    [found] = (await sightings(rows, fresh=Freshness.at(NOW, offline_after=timedelta(minutes=15)))).items
    return found


def ago(**past: float) -> str:
    return (NOW - timedelta(**past)).isoformat()


def given_settings(**more: Any) -> ScalePadSettings:
    given = {"name": "desks", "client_id": CLIENT, "token": KEY, "base_url": "https://api.example.com/v2"} | more
    return ScalePadSettings.model_validate({name: value for name, value in given.items() if value is not None})


@pytest.fixture
def client(account: Callable[[str], Account], redactor: Redactor) -> Build:
    """A client of the API at a URL; keyword arguments are settings."""

    def make(url: str, token: str = KEY, **more: Any) -> ScalePad:
        secret = Secret(value=SecretStr(token), redactor=redactor)
        return ScalePad(given_settings(base_url=url, token=token, **more), account=account(url), secret=secret)

    return make


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(devices=9)


@pytest_asyncio.fixture
async def build(cloud: Cloud, client: Build) -> AsyncIterator[Build]:
    """A client of `cloud`; keyword arguments are settings."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serve(cloud))
        yield lambda **more: client(url + "/v2", **({"token": cloud.token, "client_id": cloud.client_id} | more))


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of four, so that a walk over nine devices has three."""
    monkeypatch.setattr(api, "_PAGE_SIZE", 4)


# -- what it is


async def test_it_reads_what_its_resources_say(build: Build) -> None:
    vendor: Vendor = build()

    assert list(vendor.resources) == ["devices", "summary", "enrolments"]
    assert all(isinstance(vendor, PROTOCOLS[resource.kind]) for resource in vendor.resources.values())
    assert isinstance(vendor, ReadsStalestDevices)
    others = set(Kind) - {resource.kind for resource in vendor.resources.values()}
    assert not any(isinstance(vendor, PROTOCOLS[kind]) for kind in others)


def test_the_census_comes_first_and_is_walked_whole_now_and_then() -> None:
    resources = ScalePadSettings.resources

    assert resources["devices"].census
    assert resources["devices"].whole_every == timedelta(minutes=10)
    assert resources["devices"].requests(3000) == 6
    assert resources["devices"].priority is Priority.STATE
    assert resources["enrolments"].per_device
    assert {name: r.interval for name, r in resources.items()} == {
        "devices": timedelta(seconds=60),
        "summary": timedelta(minutes=5),
        "enrolments": timedelta(hours=1),
    }


def test_a_sleeping_laptop_is_no_trouble_and_one_silent_for_two_weeks_is() -> None:
    assert ScalePadSettings.offline_for is None
    assert ScalePadSettings.silent_after == timedelta(days=14)


def test_a_source_says_little_and_stays_under_the_house_rule() -> None:
    source = given_settings()

    assert source.problems() == []
    assert source.request_rate == Rate(8, 1.0)
    assert source.offline_after == timedelta(minutes=15)
    assert not source.bans
    with pytest.raises(ValidationError):
        ScalePadSettings.model_validate({"name": "desks", "client_id": CLIENT, "token": KEY})  # no base_url


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "yard"},
        {"client_id": "../../x"},
        {"client_id": 7},
        {"user_id": "alice"},
        {"status": "asleep"},
        {"os_name": ""},
        {"q": ""},
        {"offline_after": "soon"},
        {"vendor": "hologram"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        given_settings(**wrong)


def test_a_threshold_of_nothing_is_refused() -> None:
    assert given_settings(offline_after="0s").problems() == [("offline_after", "must be longer than nothing")]


def test_a_client_id_has_one_spelling_and_filters_make_another_fleet() -> None:
    plain = given_settings()
    narrowed = [
        given_settings(client_id=CLIENT.replace("a", "b")),
        given_settings(status="active"),
        given_settings(os_name="macOS"),
        given_settings(user_id=CLIENT),
        given_settings(q="macbook"),
    ]

    assert given_settings(client_id=CLIENT.upper()).client_id == CLIENT
    assert given_settings(client_id=CLIENT.upper()).scope() == plain.scope()
    assert len({source.scope() for source in (plain, *narrowed)}) == 6


# -- a device in our words


async def test_the_documented_example_is_understood(http_server: Http, client: Build) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(
            EXAMPLE if "cursor" not in request.query else {**EXAMPLE, "data": [], "next_cursor": None}
        )

    pages = await listed(client(await http_server(answer)).devices("devices"))

    assert [(page.total, page.odd, page.guarded) for page in pages] == [(84, 0, ""), (84, 0, "")]
    alice, morgan = pages[0].items
    assert alice == Sighting(
        Device(
            "f1e2d3c4-b5a6-7890-abcd-ef1234567890", "DESKTOP-DEV-ALICE", model="Dell Inc. XPS 15 9520", version="1.2.3"
        ),
        DeviceStatus.OFFLINE,  # that day is long gone
        Readings(last_seen_at=datetime(2026, 2, 24, 21, 23, 53, 82000, tzinfo=UTC)),
    )
    assert morgan.device.model == "Apple Inc. MacBook Pro"


async def test_the_documented_empty_result_is_an_account_without_devices(http_server: Http, client: Build) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"data": [], "total_count": 0, "next_cursor": None})

    [page] = await listed(client(await http_server(answer)).devices("devices"))

    assert page == Page(items=[], total=0)


async def test_a_device_that_was_never_enrolled_has_nothing_but_its_id(http_server: Http, client: Build) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"data": [NEVER_ENROLLED], "total_count": 1, "next_cursor": None})

    [page] = await listed(client(await http_server(answer)).devices("devices"))

    assert page.items == [Sighting(Device("0b7e7c1e-2b54-4d0e-9c51-5f3f8a1d2c10"), DeviceStatus.UNKNOWN)]
    assert page.unknown_word == ""


@pytest.mark.parametrize(
    ("word", "fresh", "old", "never"),
    [
        ("active", "online", "offline", "unknown"),
        (" Active", "online", "offline", "unknown"),
        ("inactive", "offline", "offline", "offline"),
        ("pending", "unknown", "unknown", "unknown"),
        (None, "unknown", "offline", "unknown"),
        ("retired", "unknown", "unknown", "unknown"),
        ("", "unknown", "unknown", "unknown"),
        (7, "unknown", "unknown", "unknown"),
        ({}, "unknown", "unknown", "unknown"),
    ],
)
async def test_online_takes_word_and_heartbeat_and_offline_either(
    word: object, fresh: str, old: str, never: str
) -> None:
    seen = [
        (await judged(status=word, last_seen_at=last_seen_at)).status.value
        for last_seen_at in (ago(minutes=14), ago(minutes=16), None)
    ]

    assert seen == [fresh, old, never]


async def test_the_threshold_is_the_one_configured(cloud: Cloud, build: Build) -> None:
    silent = cloud.uuids()[0]
    cloud.set_last_seen(silent, 3600)

    usual = await listed(build().devices("devices"))
    patient = await listed(build(offline_after="2h").devices("devices"))

    assert ids(usual, DeviceStatus.OFFLINE) == [silent]
    assert ids(patient, DeviceStatus.OFFLINE) == []


async def test_a_clock_that_is_a_little_ahead_is_fresh_and_one_far_ahead_is_no_time() -> None:
    ahead = await judged(status="active", last_seen_at=ago(minutes=-10))
    far_ahead = await judged(status="active", last_seen_at="2099-01-01T00:00:00.000Z")

    assert (ahead.status, ahead.readings.last_seen_at) == (DeviceStatus.ONLINE, NOW + timedelta(minutes=10))
    assert (far_ahead.status, far_ahead.readings.last_seen_at) == (DeviceStatus.UNKNOWN, None)


@pytest.mark.parametrize(
    ("hardware", "model"),
    [
        ({"manufacturer": "Dell Inc.", "model": "XPS"}, "Dell Inc. XPS"),
        ({"manufacturer": None, "model": "XPS"}, "XPS"),
        ({"manufacturer": "Dell Inc."}, "Dell Inc."),
        ({"manufacturer": [], "model": {}}, ""),
        (None, ""),
        ("a laptop", ""),
        ({"manufacturer": "x" * 900, "model": "y"}, "x" * 200),
    ],
)
async def test_a_model_is_as_much_of_the_hardware_as_is_told(hardware: object, model: str) -> None:
    assert (await judged(hardware=hardware)).device.model == model


async def test_extensions_may_hold_any_browser(cloud: Cloud, build: Build) -> None:
    cloud.set_row(cloud.uuids()[0], extensions={"opera": {"version": 7}})

    [page] = await listed(build().devices("devices"))

    assert (len(page.items), page.odd) == (9, 0)


@pytest.mark.parametrize(
    ("word", "told"), [("hibernating", "hibernating"), (None, "(none)"), ({}, "(none)"), (17, "17"), ("", "(none)")]
)
async def test_a_status_that_nobody_documents_is_told(cloud: Cloud, build: Build, word: object, told: str) -> None:
    cloud.add_pending()
    cloud.set_row(cloud.uuids()[0], status=word)

    [page] = await listed(build().devices("devices"))

    assert page.items[0].status is DeviceStatus.UNKNOWN
    assert page.unknown_word == told


async def test_an_unknown_word_is_told_short_redacted_and_on_one_line(cloud: Cloud, build: Build) -> None:
    cloud.set_row(cloud.uuids()[0], status=f"up\n{cloud.token} " + "x" * 1000)

    [page] = await listed(build().devices("devices"))

    assert page.unknown_word.startswith("up ")
    assert cloud.token not in page.unknown_word
    assert len(page.unknown_word) == 40


async def test_odd_rows_cost_no_other_row(cloud: Cloud, build: Build) -> None:
    for _ in range(20):
        cloud.add_device()
    odd = cloud.odd_rows(len(ODDITIES))

    [page] = await listed(build().devices("devices"))

    assert set(cloud.uuids()) - set(odd) <= set(ids([page]))
    assert (len(page.items), page.odd) == (29 - LOST, LOST)
    assert page.oddity
    assert all(sighting.device.name.isprintable() for sighting in page.items)


async def test_a_page_of_which_no_row_can_be_read_is_no_page(cloud: Cloud, build: Build) -> None:
    for uuid in cloud.uuids():
        cloud.set_row(uuid, without=["id"])

    with pytest.raises(AnswerInvalid, match=r"127\.0\.0\.1:\d+ devices: the answer is none of 9 rows can be read"):
        await listed(build().devices("devices"))


# -- the whole walk


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("last_cursor", ["null", "absent"])
@pytest.mark.parametrize("devices", [0, 1, 3, 4, 5, 8, 9])
async def test_a_walk_sees_every_device_once_however_the_last_page_says_so(
    cloud: Cloud, build: Build, last_cursor: str, devices: int
) -> None:
    cloud.remove(cloud.uuids()[devices:])
    cloud.switch(last_cursor=last_cursor)

    pages = await listed(build().devices("devices"))

    assert ids(pages) == cloud.uuids()
    assert [page.guarded for page in pages] == [""] * len(pages)
    assert [page.resume is None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert [page.total for page in pages] == [devices] * len(pages)


async def test_a_walk_equals_the_truth_of_a_mixed_fleet(cloud: Cloud, build: Build) -> None:
    dropped, pending = cloud.drop(3), cloud.add_pending()

    pages = await listed(build().devices("devices"))

    assert set(ids(pages, DeviceStatus.OFFLINE)) == set(dropped)
    assert set(ids(pages, DeviceStatus.ONLINE)) == set(cloud.uuids("active"))
    assert ids(pages, DeviceStatus.UNKNOWN) == [pending]


async def test_a_walk_goes_by_creation_in_the_largest_pages(cloud: Cloud, build: Build) -> None:
    await listed(build().devices("devices"))

    [request] = cloud.requests
    assert request.path == f"/v2/clients/{cloud.client_id}/devices"
    assert request.parameters == {"page_size": ["500"], "sort_by": ["created_at"], "sort_order": ["asc"]}


@pytest.mark.usefixtures("small_pages")
async def test_devices_that_come_alive_meanwhile_do_not_disturb_the_walk(cloud: Cloud, build: Build) -> None:
    cloud.drop(5)
    walk = build().devices("devices")
    pages = [await anext(walk)]

    cloud.restore()
    pages += await listed(walk)

    assert ids(pages) == cloud.uuids()


@pytest.mark.usefixtures("small_pages")
async def test_the_count_ends_no_walk(http_server: Http, client: Build) -> None:
    async def answer(request: web.Request) -> web.Response:
        number = int(request.query.get("cursor", "0"))
        following = str(number + 1) if number < 3 else None
        return web.json_response({"data": [{"id": f"d{number}"}], "total_count": 2, "next_cursor": following})

    pages = await listed(client(await http_server(answer)).devices("devices"))

    assert ids(pages) == ["d0", "d1", "d2", "d3"]


@pytest.mark.usefixtures("small_pages")
async def test_a_repeated_cursor_ends_the_walk_by_guard(cloud: Cloud, build: Build) -> None:
    cloud.switch(repeat_cursor=True)

    pages = await listed(build().devices("devices"))

    assert [page.guarded for page in pages] == ["", "page 2 repeats a cursor"]
    assert pages[-1].resume is None


@pytest.mark.usefixtures("small_pages")
async def test_a_list_without_end_ends_by_guard(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_PAGES_MAX", 2)

    pages = await listed(build().devices("devices"))

    assert pages[-1].guarded == "more than 2 pages"


@pytest.mark.parametrize("next_cursor", [17, True, [], {"last_id": "x"}, "\ud800", "a\nb", "x" * 5000])
async def test_a_cursor_that_cannot_be_sent_leaves_the_walk_incomplete(
    http_server: Http, client: Build, next_cursor: object
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=json.dumps({"data": [{"id": "x"}], "next_cursor": next_cursor}).encode())

    [page] = await listed(client(await http_server(answer)).devices("devices"))

    assert page.guarded == "a next_cursor that cannot be sent"
    assert ids([page]) == ["x"]


async def test_an_empty_page_that_announces_another_leaves_the_walk_incomplete(
    http_server: Http, client: Build
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"data": [], "total_count": 9, "next_cursor": "c"})

    [page] = await listed(client(await http_server(answer), q="x").devices("devices"))

    assert (page.guarded, page.resume) == ("an empty page announces another one", None)


@pytest.mark.parametrize(
    ("total", "told"), [(84, 84), ("84", 84), (-1, None), (True, None), (None, None), ([], None), (10**30, 10**9)]
)
async def test_a_count_is_a_count_or_nothing(http_server: Http, client: Build, total: object, told: int | None) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "x"}], "total_count": total})

    [page] = await listed(client(await http_server(answer)).devices("devices"))

    assert page.total == told


@pytest.mark.usefixtures("small_pages")
async def test_a_broken_walk_goes_on_where_it_was(cloud: Cloud, build: Build) -> None:
    first = await anext(build().devices("devices"))
    assert first.resume is not None

    rest = await listed(build().devices("devices", resume=first.resume))

    assert ids([first, *rest]) == cloud.uuids()
    assert len(cloud.requests) == 3


@pytest.mark.parametrize("resume", ["", "\ud800", "a\nb", "x" * 5000])
async def test_a_place_that_cannot_be_read_is_a_refused_cursor(build: Build, resume: str) -> None:
    with pytest.raises(CursorRefused):
        await listed(build().devices("devices", resume=resume))


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("bodies", ["json", "text", "none"])
async def test_a_cursor_the_vendor_no_longer_takes_is_told_as_such(cloud: Cloud, build: Build, bodies: str) -> None:
    cloud.switch(error_bodies=bodies)
    walk = build().devices("devices")
    await anext(walk)
    cloud.expire_cursors()

    with pytest.raises(CursorRefused, match="no longer takes the cursor"):
        await anext(walk)


# -- between whole walks


@pytest.mark.parametrize("nulls", ["first", "last"])
async def test_of_100_000_devices_the_300_silent_ones_are_found_in_3_requests_at_most(
    client: Build, nulls: str
) -> None:
    cloud = Cloud(devices=100_000)
    dropped = cloud.drop(300)
    for uuid in cloud.uuids()[-400:]:
        cloud.set_status(uuid, "pending")
    stale = set(dropped) - set(cloud.uuids("pending"))
    cloud.switch(nulls=nulls)
    async with serve(cloud) as url:
        vendor = client(url + "/v2", token=cloud.token, client_id=cloud.client_id)

        pages = await listed(vendor.stalest_devices("devices"))

    assert set(ids(pages, DeviceStatus.OFFLINE)) == stale
    assert len(cloud.requests) <= 3
    assert pages[-1].resume is None
    assert [request.parameters["sort_by"] for request in cloud.requests] == [["last_seen_at"]] * len(pages)


@pytest.mark.usefixtures("small_pages")
async def test_the_walk_ends_after_the_first_page_that_reaches_a_fresh_device(cloud: Cloud, build: Build) -> None:
    silent = cloud.uuids()[:5]
    for number, uuid in enumerate(silent):
        cloud.set_last_seen(uuid, 86_400 - number)

    pages = await listed(build().stalest_devices("devices"))

    assert [len(page.items) for page in pages] == [4, 4]
    assert ids(pages, DeviceStatus.OFFLINE) == silent
    assert [page.resume is None for page in pages] == [False, True]
    assert [page.guarded for page in pages] == ["", ""]


@pytest.mark.usefixtures("small_pages")
async def test_devices_never_heard_of_neither_end_it_nor_count_as_fresh(cloud: Cloud, build: Build) -> None:
    cloud.switch(nulls="first")
    pending = [cloud.add_pending() for _ in range(6)]
    silent = cloud.drop(3)

    pages = await listed(build().stalest_devices("devices"))

    assert len(pages) == 3
    assert ids(pages, DeviceStatus.UNKNOWN) == pending
    assert set(ids(pages, DeviceStatus.OFFLINE)) == set(silent)


@pytest.mark.usefixtures("small_pages")
async def test_a_silent_fleet_is_walked_to_its_end(cloud: Cloud, build: Build) -> None:
    cloud.drop(9)

    pages = await listed(build().stalest_devices("devices"))

    assert sorted(ids(pages, DeviceStatus.OFFLINE)) == sorted(cloud.uuids())
    assert len(pages) == 3


@pytest.mark.usefixtures("small_pages")
async def test_more_silent_devices_than_the_cap_end_it_by_guard(
    cloud: Cloud, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_STALEST_PAGES_MAX", 2)
    cloud.drop(9)

    pages = await listed(build().stalest_devices("devices"))

    assert [page.guarded for page in pages] == ["", "more than 2 pages"]
    assert pages[-1].resume is None


@pytest.mark.usefixtures("small_pages")
async def test_it_keeps_the_filters(cloud: Cloud, build: Build) -> None:
    cloud.drop(9)

    await listed(build(os_name="Windows").stalest_devices("devices"))

    assert {tuple(request.parameters["os_name"]) for request in cloud.requests} == {("Windows",)}
    assert len(cloud.requests) > 1


# -- filters


@pytest.mark.usefixtures("small_pages")
async def test_every_filter_is_passed_through_on_every_page(cloud: Cloud, build: Build) -> None:
    for uuid in cloud.uuids():
        cloud.rename(uuid, f"MacBook {uuid}")
    user = cloud.fleet.rows[0].user

    for filters in ({"q": "macbook"}, {"status": "active"}, {"os_name": "Windows"}, {"user_id": user}):
        cloud.forget_requests()
        pages = await listed(build(**filters).devices("devices"))

        [(name, value)] = filters.items()
        assert ids(pages)
        assert [request.parameters[name] for request in cloud.requests] == [[value]] * len(pages)


async def test_filters_hold_together(cloud: Cloud, build: Build) -> None:
    found = ids(await listed(build(os_name="Windows", status="active", q="laptop").devices("devices")))

    assert found == [device.uuid for device in cloud.fleet.rows if device.os_name == "Windows"]
    assert 0 < len(found) < 9


async def test_filters_that_match_nothing_are_told_with_what_there_is(build: Build) -> None:
    with pytest.raises(FilterMatchesNothing) as one:
        await listed(build(os_name="windows").devices("devices"))
    with pytest.raises(FilterMatchesNothing) as two:
        await listed(build(status="pending", q="x").devices("devices"))

    assert str(one.value) == "os_name 'windows' matches no device; the client has 9 devices without that"
    assert str(two.value).startswith("status 'pending', q 'x' together match no device; ")


async def test_filters_over_a_client_without_devices_are_no_mistake(cloud: Cloud, build: Build) -> None:
    cloud.remove(cloud.uuids())

    assert await listed(build(q="x").devices("devices")) == [Page(items=[], total=0)]


@pytest.mark.parametrize("status", [403, 500])
async def test_a_filter_is_not_blamed_where_the_count_cannot_be_had(cloud: Cloud, build: Build, status: int) -> None:
    cloud.faults.always(status=status, path="summary")

    assert await listed(build(q="x").devices("devices")) == [Page(items=[], total=0)]


async def test_an_empty_list_without_filters_asks_nothing_more(cloud: Cloud, build: Build) -> None:
    cloud.empty_list()

    assert await listed(build().devices("devices")) == [Page(items=[], total=0)]
    assert len(cloud.requests) == 1


# -- one device, the summary, the enrolments


async def test_one_device_is_asked_for_by_its_id(cloud: Cloud, build: Build) -> None:
    [silent] = cloud.drop(1)

    found = await build().device(silent)

    [listed_row] = [
        each for page in await listed(build().devices("devices")) for each in page.items if each.device.id == silent
    ]
    assert found == listed_row
    assert cloud.requests[0].path == f"/v2/clients/{cloud.client_id}/devices/{silent}"


@pytest.mark.parametrize("device", [CLIENT, "", ".", "..", "\ud800", "  "])
async def test_a_device_that_is_not_there_is_unavailable_or_refused_and_no_other_path_is_asked(
    cloud: Cloud, build: Build, device: str
) -> None:
    with pytest.raises((ResourceUnavailable, AnswerInvalid)):  # 404, or 400 for what is no UUID
        await build().device(device)

    assert set(cloud.counts) <= {"GET /v2/clients/{client_id}/devices/{device_id}"}


async def test_another_device_than_the_one_asked_for_is_no_answer(http_server: Http, client: Build) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"id": "b"})

    with pytest.raises(AnswerInvalid, match="not the device that was asked for"):
        await client(await http_server(answer)).device("a")


async def test_the_summary_counts_devices_and_failed_enrolments(cloud: Cloud, build: Build) -> None:
    one, two, *_ = cloud.uuids()
    failed = [cloud.enrol(one), cloud.enrol(one), cloud.enrol(two)]
    cloud.set_enrolment(failed[0], "success")

    assert await build().summary("summary") == Summary(devices=9, enrolment_errors=2, affected_devices=2)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"total_devices": "84"}, Summary(devices=84)),
        ({"total_devices": None, "deployment_errors": {"total_errors": 0}}, Summary(enrolment_errors=0)),
        ({"deployment_errors": {"total_errors": -1, "affected_devices": 2}}, Summary(affected_devices=2)),
        (
            {"deployment_errors": {"total_errors": 10**12, "affected_devices": 10**12}},
            Summary(enrolment_errors=COUNT_MAX, affected_devices=COUNT_MAX),
        ),
    ],
)
async def test_a_summary_says_what_it_says(http_server: Http, client: Build, body: object, found: Summary) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body)

    assert await client(await http_server(answer)).summary("summary") == found


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        7,
        {"message": "no"},
        {"data": {"total_devices": 1}},
        {"total_devices": ["many"], "agent_versions": 7, "deployment_errors": {"total_errors": {}}},
        {"total_devices": None, "deployment_errors": []},
        {"total_devices": 10**400},
    ],
)
async def test_what_is_no_summary_is_an_invalid_answer(http_server: Http, client: Build, body: object) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body)

    with pytest.raises(AnswerInvalid, match="JSON that is no summary"):
        await client(await http_server(answer)).summary("summary")


async def test_a_check_tells_what_the_client_has(cloud: Cloud, build: Build) -> None:
    before = await build().check()
    cloud.enrol(cloud.uuids()[0])

    assert (before, await build().check()) == ("9 devices", "9 devices, 1 failed enrolments")
    assert {request.path for request in cloud.requests} == {f"/v2/clients/{cloud.client_id}/devices/summary"}


async def test_enrolments_are_deployments_on_one_device_newest_first(cloud: Cloud, build: Build) -> None:
    uuid = cloud.uuids()[0]
    older, newer = cloud.enrol(uuid, "error", ago_s=60), cloud.enrol(uuid, "pending")

    rollouts = (await build().enrolments("enrolments", uuid)).items

    assert [(rollout.deployment.id, rollout.status) for rollout in rollouts[:2]] == [
        (newer, RolloutStatus.PENDING),
        (older, RolloutStatus.FAILED),
    ]
    assert rollouts[2].status is RolloutStatus.SUCCEEDED
    assert {(rollout.device, rollout.deployment.kind) for rollout in rollouts} == {(uuid, "enrolment")}
    assert all(rollout.deployment.created_at is not None for rollout in rollouts)
    assert len(cloud.requests) == 1


async def test_a_device_that_was_never_enrolled_has_a_pending_enrolment(cloud: Cloud, build: Build) -> None:
    [rollout] = (await build().enrolments("enrolments", cloud.add_pending())).items

    assert rollout.status is RolloutStatus.PENDING


async def test_enrolments_are_sorted_bounded_and_tolerant(http_server: Http, client: Build) -> None:
    rows: list[Any] = [
        {"id": "undated", "status": "Success"},
        {"id": "old", "status": "ERROR ", "enrollment_date": "2026-01-01T00:00:00.000Z"},
        {"id": "new", "status": "reverted", "enrollment_date": "2026-02-01T00:00:00.000Z"},
        {"status": "success"},
        None,
    ]

    async def answer(request: web.Request) -> web.Response:
        many = [{"id": str(number)} for number in range(400)]
        return web.json_response({"data": many if "many" in request.path else rows, "next_cursor": "x"})

    vendor = client(await http_server(answer))

    page = await vendor.enrolments("enrolments", "d")

    assert (page.odd, page.unknown_word) == (2, "reverted")
    assert page.items == [
        Rollout(
            deployment=Deployment(id="new", kind="enrolment", created_at=datetime(2026, 2, 1, tzinfo=UTC)),
            device="d",
            status=RolloutStatus.UNKNOWN,
        ),
        Rollout(
            deployment=Deployment(id="old", kind="enrolment", created_at=datetime(2026, 1, 1, tzinfo=UTC)),
            device="d",
            status=RolloutStatus.FAILED,
        ),
        Rollout(deployment=Deployment(id="undated", kind="enrolment"), device="d", status=RolloutStatus.SUCCEEDED),
    ]
    assert len((await vendor.enrolments("enrolments", "many")).items) == 50


async def test_a_device_without_enrolments_has_none(http_server: Http, client: Build) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"data": [], "total_count": 0, "next_cursor": None})

    assert await client(await http_server(answer)).enrolments("enrolments", "d") == Page(items=[])


async def test_enrolments_of_a_device_that_is_gone_are_unavailable(build: Build) -> None:
    with pytest.raises(ResourceUnavailable, match=f"enrolments of device {CLIENT}"):
        await build().enrolments("enrolments", CLIENT)


# -- refusals

ENDPOINTS: dict[str, Walk] = {
    "devices": lambda vendor: listed(vendor.devices("devices")),
    "stalest devices": lambda vendor: listed(vendor.stalest_devices("devices")),
    "device": lambda vendor: vendor.device(CLIENT),
    "summary": lambda vendor: vendor.summary("summary"),
    "enrolments": lambda vendor: vendor.enrolments("enrolments", CLIENT),
    "check": lambda vendor: vendor.check(),
}
endpoints = pytest.mark.parametrize("ask", ENDPOINTS.values(), ids=ENDPOINTS)


@endpoints
async def test_401_is_a_refused_token_everywhere(cloud: Cloud, build: Build, ask: Walk) -> None:
    cloud.revoke()

    with pytest.raises(CredentialsRejected, match=r"rejects the credentials \(401\)"):
        await ask(build())


@endpoints
async def test_403_is_a_refused_token_on_the_census_and_the_resource_elsewhere(
    build: Build, cloud: Cloud, ask: Walk
) -> None:
    with pytest.raises((CredentialsRejected, ResourceUnavailable)) as error:
        await ask(build(client_id=cloud.foreign_client))

    census = " devices: " in str(error.value)
    assert isinstance(error.value, CredentialsRejected) == census
    assert ("has no right to client" in str(error.value)) == census


async def test_404_on_the_census_is_a_wrong_client_id_and_told_as_such(build: Build) -> None:
    with pytest.raises(ResourceUnavailable, match=f"404, client {CLIENT} not found: client_id is wrong"):
        await listed(build(client_id=CLIENT).devices("devices"))


@endpoints
async def test_too_many_requests_are_told_in_the_house_manner(cloud: Cloud, build: Build, ask: Walk) -> None:
    cloud.faults.fail_next(status=429, body="Too Many Requests", headers={"Retry-After": "7"})

    with pytest.raises(RateLimited, match="Too Many Requests") as error:
        await ask(build())

    assert error.value.retry_after_s == 7.0


@endpoints
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, b"", SourceUnreachable),
        (400, b'{"detail":"unknown sort_by"}', AnswerInvalid),
        (302, b"", AnswerInvalid),
        (200, b"<html><title>Sign in</title>", AnswerInvalid),
        (200, b"", AnswerInvalid),
        (200, b"null", AnswerInvalid),
        (200, b"17", AnswerInvalid),
        (200, b'{"data":[{"id":"a', AnswerInvalid),
        (200, b'{"message":"no"}', AnswerInvalid),
        (200, b'{"data":[null]}', AnswerInvalid),
        (200, b"[" * 100_000, AnswerInvalid),
    ],
)
async def test_a_bad_answer_has_its_one_meaning_and_leaks_nothing(
    http_server: Http, client: Build, *, ask: Walk, status: int, body: bytes, error: type[SourceError]
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={"Location": f"https://x.example/{KEY}"})

    url = await http_server(answer)

    with pytest.raises(error) as raised:
        await ask(client(url))

    assert KEY not in str(raised.value)
    assert url.removeprefix("http://") in str(raised.value)


@endpoints
async def test_the_token_travels_in_its_header_alone_and_is_never_told(
    http_server: Http, client: Build, ask: Walk
) -> None:
    seen: list[str] = []

    async def echo(request: web.Request) -> web.Response:
        seen.append(str(request.rel_url))
        return web.json_response({"message": f"bad {request.headers['Authorization']}"}, status=500)

    vendor = client(await http_server(echo))

    with pytest.raises(SourceUnreachable, match=r'"bad Bearer \*\*\*"'):
        await ask(vendor)

    assert KEY not in "".join(seen) + repr(vendor) + repr(vars(vendor))


async def test_each_fault_on_the_way_is_told_and_the_next_walk_is_whole(cloud: Cloud, build: Build) -> None:
    vendor = build()
    cloud.faults.reset_next()
    cloud.faults.stall_next()
    cloud.faults.truncate_next()
    cloud.faults.garble_next()

    for error in (SourceUnreachable, SourceUnreachable, AnswerInvalid, AnswerInvalid):
        with pytest.raises(error):
            await listed(vendor.devices("devices"))

    assert ids(await listed(vendor.devices("devices"))) == cloud.uuids()


async def test_a_fresh_token_is_used_at_once(
    cloud: Cloud, account: Callable[[str], Account], redactor: Redactor, tmp_path: Any
) -> None:
    file = tmp_path / "token"
    file.write_text("old-token")
    secret = Secret(file=file, redactor=redactor)
    async with serve(cloud) as url:
        source = given_settings(base_url=url + "/v2", token=None, token_file=file, client_id=cloud.client_id)
        vendor = ScalePad(source, account=account(url + "/v2"), secret=secret)
        with pytest.raises(CredentialsRejected):
            await vendor.check()
        file.write_text(cloud.token)
        secret.refresh()

        assert await vendor.check() == "9 devices"


async def test_only_documented_paths_are_asked_and_nothing_is_written(cloud: Cloud, build: Build) -> None:
    vendor, device = build(), cloud.uuids()[0]

    await listed(vendor.devices("devices"))
    await listed(vendor.stalest_devices("devices"))
    await vendor.device(device)
    await vendor.summary("summary")
    await vendor.enrolments("enrolments", device)

    path = "GET /v2/clients/{client_id}/devices"
    assert cloud.counts == Counter(
        {path: 2, **dict.fromkeys((f"{path}/summary", f"{path}/{{device_id}}"), 1)}
    ) + Counter({f"{path}/{{device_id}}/deployments": 1})
    assert cloud.writes == []


async def test_walks_that_run_side_by_side_do_not_mix(cloud: Cloud, build: Build) -> None:
    vendor = build()

    both = await asyncio.gather(listed(vendor.devices("devices")), listed(vendor.devices("devices")))

    assert [ids(pages) for pages in both] == [cloud.uuids()] * 2


# -- anything at all

names = st.sampled_from(
    [
        *("data", "total_count", "next_cursor", "id", "name", "status", "last_seen_at", "agent_version", "hardware"),
        *("manufacturer", "model", "enrollment_date", "total_devices", "deployment_errors", "total_errors", "message"),
    ]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["active", "pending", "error", CLIENT, "2026-02-24T21:23:53.082Z", "\ud800"])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6),
    max_leaves=25,
)


@given(row=st.dictionaries(st.sampled_from(["status", "last_seen_at", "hardware", "name"]), values))
async def test_whatever_a_row_says_nobody_is_online_without_word_and_heartbeat(row: dict[str, Any]) -> None:
    found = await judged(**row)

    if found.status is DeviceStatus.ONLINE:
        assert row["status"] == "active"
        assert found.readings.last_seen_at is not None


async def test_now_is_the_clock_of_the_house(cloud: Cloud, build: Build) -> None:
    [page] = await listed(build().devices("devices"))

    seen_at = page.items[0].readings.last_seen_at
    assert seen_at is not None
    assert timedelta(0) <= clock.now() - seen_at < timedelta(minutes=2)
