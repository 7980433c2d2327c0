"""JFrog Connect's API v1, with all its documented inconsistencies, over real HTTP."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import SecretStr

from fleetpulse import clock
from fleetpulse.fleet.deployment import Rollout, RolloutStatus
from fleetpulse.fleet.device import Aspect, DeviceStatus, Readings, Sighting
from fleetpulse.fleet.walk import Walk
from fleetpulse.outbound import Account
from fleetpulse.secrets import Redactor, Secret
from fleetpulse.simulator import serve
from fleetpulse.simulator.jfrog_connect_v1 import JFrogConnectV1 as Cloud
from fleetpulse.vendors.contract import (
    AnswerInvalid,
    CredentialsRejected,
    CursorRefused,
    FilterMatchesNothing,
    Page,
    RateLimited,
    ReadsDevices,
    ResourceUnavailable,
    SourceError,
    SourceUnreachable,
    Vendor,
)
from fleetpulse.vendors.jfrog_connect_v1 import JFrogConnectV1, JFrogConnectV1Settings

Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
Build = Callable[..., JFrogConnectV1]
TOKEN = "invented-s3cr3t-token"
NOW = datetime(2025, 3, 2, 9, 0, 0, tzinfo=UTC)


async def walked(vendor: JFrogConnectV1, resource: str = "states") -> list[Page[Sighting]]:
    return [page async for page in vendor.devices(resource)]


def ids(pages: list[Page[Sighting]]) -> list[str]:
    return [sighting.device.id for page in pages for sighting in page.items]


def walk_of(pages: list[Page[Sighting]]) -> Walk:
    """The walk as a poller would take it."""
    walk = Walk(started_at=NOW)
    for page in pages:
        first = walk.first_sightings(page.items)
        walk.note([item.device.id for item in first], odd=page.odd, total=page.total, guard=page.guarded)
    return walk


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(devices=110, user_token=TOKEN)


@pytest.fixture
def client(account: Callable[[str], Account], redactor: Redactor) -> Build:
    """A client of the API at a URL; keyword arguments are settings."""

    def make(url: str, **more: Any) -> JFrogConnectV1:
        given = JFrogConnectV1Settings.model_validate({"name": "old", "user_token": TOKEN, "base_url": url} | more)
        secret = Secret(value=SecretStr(TOKEN), redactor=redactor)
        return JFrogConnectV1(given, account=account(url), secret=secret)

    return make


@pytest_asyncio.fixture
async def build(cloud: Cloud, client: Build) -> AsyncIterator[Build]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serve(cloud))
        yield lambda **more: client(url, **more)


@pytest.fixture
def saying(http_server: Http, client: Build) -> Callable[..., Awaitable[JFrogConnectV1]]:
    """A client of a server that answers everything with one body."""

    async def start(body: object, status: int = 200, **headers: str) -> JFrogConnectV1:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()

        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=status, body=raw, headers=headers)

        return client(await http_server(answer))

    return start


Saying = Callable[..., Awaitable[JFrogConnectV1]]


async def test_it_is_a_vendor_of_devices_whose_census_are_the_states(build: Build) -> None:
    vendor: Vendor = build()

    assert isinstance(vendor, ReadsDevices)
    assert [(name, resource.census) for name, resource in vendor.resources.items()] == [
        ("states", True),
        ("details", False),
    ]


# -- the question


async def test_the_token_is_in_the_body_of_a_get_and_nowhere_else(http_server: Http, client: Build) -> None:
    asked: list[tuple[str, str, str, Any]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.method, request.path_qs, str(request.headers), json.loads(await request.read())))
        return web.json_response({"message": []})

    await walked(client(await http_server(answer)))

    [(method, path, headers, body)] = asked
    assert (method, path) == ("GET", "/v1/get_devices_state")
    assert TOKEN not in headers + path
    assert body == {"user_token": TOKEN, "limit": 50}


async def test_only_the_documented_reads_are_requested(cloud: Cloud, build: Build) -> None:
    vendor = build(project="yard", group="Lyon")

    await walked(vendor)
    await walked(vendor, "details")
    await vendor.check()
    await vendor.device(cloud.uuids()[0])

    assert set(cloud.counts) == {"GET /v1/get_devices_state", "GET /v1/devices_details", "GET /v1/get_device_state"}
    assert (cloud.writes, set(cloud.statuses)) == ([], {200})


# -- states


@pytest.mark.parametrize("devices", [0, 1, 20, 49, 50, 51, 100, 120])
@pytest.mark.parametrize("inclusive", [False, True])
async def test_a_walk_over_the_states_equals_the_truth_and_is_complete(
    client: Build, *, devices: int, inclusive: bool
) -> None:
    cloud = Cloud(devices=devices, user_token=TOKEN, inclusive_offset=inclusive)
    cloud.drop(devices // 3)
    async with serve(cloud) as url:
        pages = await walked(client(url))

    assert ids(pages) == cloud.uuids()
    told = {each.device.id for page in pages for each in page.items if each.status is DeviceStatus.OFFLINE}
    assert told == set(cloud.uuids("offline"))
    assert walk_of(pages).tells_absence


async def test_states_speak_of_the_status_alone(build: Build) -> None:
    pages = await walked(build())

    assert {page.aspects for page in pages} == {Aspect.STATUS}
    assert {page.total for page in pages} == {None}


async def test_a_limit_that_was_not_taken_ends_no_walk_early(cloud: Cloud, build: Build) -> None:
    cloud.switch(limit_ignored=True)
    cloud.remove(cloud.uuids()[50:])  # pages of 20, 20 and 10

    pages = await walked(build())

    assert ids(pages) == cloud.uuids()
    assert walk_of(pages).complete


async def test_a_list_that_begins_anew_is_ended_by_a_guard(cloud: Cloud, build: Build) -> None:
    cloud.switch(stuck_pages=True)

    pages = await walked(build())

    assert len(pages) == 2
    assert pages[-1].guarded == "page 2 repeats the page before"
    assert not walk_of(pages).complete


async def test_a_list_of_known_devices_in_new_orders_is_ended_by_a_guard(http_server: Http, client: Build) -> None:
    """Pages 1 and 2 differ; page 3 has devices of both and an offset that was never used."""
    rows = [{"device_uuid": f"d-{n:04d}", "device_status": "online"} for n in range(100)]
    pages = [rows[:50], rows[50:], [*rows[75:99], *rows[:26]]]

    async def answer(request: web.Request) -> web.Response:
        offset = json.loads(await request.read()).get("offset")
        return web.json_response({"message": pages[{None: 0, "d-0049": 1, "d-0099": 2}[offset]]})

    told = await walked(client(await http_server(answer)))

    assert told[-1].guarded == "a page lists only devices that came before"
    assert told[-1].items == []


async def test_a_broken_walk_goes_on_from_its_offset(cloud: Cloud, build: Build) -> None:
    vendor = build()
    first = await anext(vendor.devices("states"))

    rest = [page async for page in vendor.devices("states", resume=first.resume)]

    assert ids([first, *rest]) == cloud.uuids()


@pytest.mark.parametrize("resume", ["", "{}", "[1.5]", '["d-1",0,0,"more"]', "\ud800"])
async def test_a_place_that_was_never_written_is_a_refused_cursor(build: Build, resume: str) -> None:
    with pytest.raises(CursorRefused):
        _ = [page async for page in build().devices("states", resume=resume)]


async def test_an_offset_of_a_deleted_device_is_a_refused_cursor(cloud: Cloud, build: Build) -> None:
    vendor = build()
    first = await anext(vendor.devices("states"))
    cloud.remove(first.items[-1].device.id)

    with pytest.raises(CursorRefused):
        _ = [page async for page in vendor.devices("states", resume=first.resume)]


@pytest.mark.parametrize(
    ("raw", "status", "told"),
    [
        ("online", DeviceStatus.ONLINE, ""),
        ("Offline", DeviceStatus.OFFLINE, ""),
        ("hibernating", DeviceStatus.UNKNOWN, "hibernating"),
        (None, DeviceStatus.UNKNOWN, "(none)"),
        (["online"], DeviceStatus.UNKNOWN, "(none)"),
        (f"x {TOKEN}", DeviceStatus.UNKNOWN, "x ***"),
    ],
)
async def test_a_status_is_one_of_ours_and_a_strange_one_is_told(
    cloud: Cloud, build: Build, *, raw: object, status: DeviceStatus, told: str
) -> None:
    cloud.set_row(cloud.uuids()[0], device_status=raw)

    page = (await walked(build()))[0]

    assert (page.items[0].status, page.unknown_word) == (status, told)


# -- quirks


async def test_q1_one_object_is_a_list_of_one(client: Build) -> None:
    cloud = Cloud(devices=1, user_token=TOKEN, lone_object=True)
    async with serve(cloud) as url:
        [page] = await walked(client(url))

    assert [(each.device.id, each.status) for each in page.items] == [(cloud.uuids()[0], DeviceStatus.ONLINE)]


async def test_q1_the_documented_example_is_a_page(saying: Saying) -> None:
    vendor = await saying(
        {"message": {"device_status": "online", "device_uuid": "d-1234-abcd", "device_name": "My-Device-1"}}
    )

    [page] = await walked(vendor)

    assert [(each.device.id, each.device.name) for each in page.items] == [("d-1234-abcd", "My-Device-1")]
    assert page.items[0].status is DeviceStatus.ONLINE


@pytest.mark.parametrize("names", ["uuid", "both", "uuid as device_id"])
async def test_q2_a_uuid_under_either_name_is_the_id(cloud: Cloud, build: Build, names: str) -> None:
    cloud.switch(state_ids=names)

    assert ids(await walked(build())) == cloud.uuids()


async def test_q2_a_number_alone_is_the_device_that_details_named(cloud: Cloud, build: Build) -> None:
    cloud.switch(state_ids="number")
    vendor = build()
    await walked(vendor, "details")

    pages = await walked(vendor)

    assert ids(pages) == cloud.uuids()
    assert walk_of(pages).tells_absence


async def test_q2_a_number_that_nothing_explains_is_no_new_device_and_proves_no_absence(
    cloud: Cloud, build: Build
) -> None:
    cloud.switch(state_ids="number")
    vendor = build()
    await walked(vendor, "details")
    cloud.add_device()

    pages = await walked(vendor)

    assert ids(pages) == cloud.uuids()[:-1]
    assert pages[-1].oddity == "row 10: a device_id that no page of details has explained yet"
    assert not walk_of(pages).tells_absence


async def test_q2_numbers_alone_are_refused_until_details_were_read(cloud: Cloud, build: Build) -> None:
    cloud.switch(state_ids="number")

    with pytest.raises(AnswerInvalid, match="none of 50 rows can be read; row 0: a device_id that no page"):
        await walked(build())


@pytest.mark.parametrize("names", ["device_id", "device_uuid", "number", "device_token", "absent"])
async def test_q3_the_state_of_one_device_needs_no_identifier(cloud: Cloud, build: Build, names: str) -> None:
    cloud.switch(lone_id=names)
    [uuid] = cloud.drop(1)

    sighting = await build().device(uuid)

    assert (sighting.device.id, sighting.status) == (uuid, DeviceStatus.OFFLINE)


async def test_q3_the_state_of_another_device_is_no_answer(saying: Saying) -> None:
    vendor = await saying({"message": {"device_status": "online", "device_id": "d-9999-9999"}})

    with pytest.raises(AnswerInvalid, match="the state of another device"):
        await vendor.device("d-1234-abcd")


@pytest.mark.parametrize("names", ["example", "field list"])
async def test_q4_both_spellings_of_an_update_are_read(cloud: Cloud, build: Build, names: str) -> None:
    cloud.switch(update_names=names)
    cloud.now = lambda: datetime(2025, 3, 2, 8, 0, 0, tzinfo=UTC)
    [uuid] = cloud.uuids()[:1]
    cloud.advance(cloud.deploy([uuid], flow="nightly"), uuid, "in_progress")

    page = (await walked(build(), "details"))[0]

    [rollout] = page.rollouts
    assert (rollout.deployment.id, rollout.status) == ("nightly@2025-03-02T08:00:00Z", RolloutStatus.IN_PROGRESS)


async def test_q5_the_documented_details_mended_are_a_page(saying: Saying) -> None:
    [page] = await walked(await saying({"more": False, "message": [DOCUMENTED]}), "details")

    [sighting] = page.items
    assert sighting.device.id == "d-1234-1234"
    assert sighting.device.tags == ("4inch-screen", "Lab Device", "London")
    assert (sighting.device.name, sighting.device.group, sighting.device.version) == ("My-Device", "Production", "5.1")
    assert sighting.readings == Readings(
        last_seen_at=datetime(2020, 2, 8, 16, 12, 11, tzinfo=UTC),
        cpu_usage_ratio=0.65,
        memory_usage_ratio=0.15,
        disk_used_bytes=1022.1e6,
        updates_blocked=False,
    )
    assert [(rollout.deployment.id, rollout.status.value, rollout.error) for rollout in page.rollouts] == [
        ("Some Name@2020-02-08T16:12:11Z", "succeeded", ""),
        ("Some Name2@2020-02-08T16:12:11Z.api-deployment", "failed", "Some kind of a comment"),
        ("update-1234@v1.1", "succeeded", ""),
        ("update-5555@v1.2", "pending", ""),
    ]


async def test_q7_the_body_arrives_with_each_page(cloud: Cloud, build: Build) -> None:
    """The simulator reads nothing but the body; three pages mean that three bodies were read."""
    await walked(build())

    assert cloud.counts["GET /v1/get_devices_state"] == 3


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "application/octet-stream"])
async def test_json_is_read_under_any_content_type(cloud: Cloud, build: Build, content_type: str) -> None:
    cloud.switch(content_type=content_type)

    assert len(ids(await walked(build()))) == 110


# -- details


@pytest.mark.parametrize("flagged", [True, False])
async def test_a_walk_over_the_details_equals_the_truth(cloud: Cloud, build: Build, *, flagged: bool) -> None:
    cloud.switch(more_flag=flagged)

    pages = await walked(build(), "details")

    assert ids(pages) == cloud.uuids()
    assert len(pages) == 3
    assert {page.aspects for page in pages} == {Aspect.ATTRIBUTES | Aspect.READINGS}
    assert {each.status for page in pages for each in page.items} == {DeviceStatus.UNKNOWN}


async def test_more_without_a_number_to_go_on_from_is_ended_by_a_guard(saying: Saying) -> None:
    vendor = await saying({"more": True, "message": [{"device_uuid": "d-1"}]})

    [page] = await walked(vendor, "details")

    assert page.guarded == "a page names no device to go on from"


@pytest.mark.parametrize(("raw", "used"), [(2210.5, 2210.5e6), ("12", 12e6), (-1, None), (10**30, None), (None, None)])
async def test_disk_usage_is_megabytes(cloud: Cloud, build: Build, *, raw: object, used: float | None) -> None:
    cloud.set_row(cloud.uuids()[0], disk_usage=raw)

    page = (await walked(build(), "details"))[0]

    assert page.items[0].readings.disk_used_bytes == used


@pytest.mark.parametrize("resource", ["states", "details"])
async def test_odd_rows_cost_no_other_row(cloud: Cloud, build: Build, resource: str) -> None:
    odd = set(cloud.odd_rows(24))

    pages = await walked(build(), resource)

    told = ids(pages)
    assert set(cloud.uuids()) - odd <= set(told)
    assert sum(page.odd for page in pages) == 24 - len(odd & set(told))


async def test_devices_with_an_agent_of_version_7_are_gone_and_the_settings_say_why(cloud: Cloud, build: Build) -> None:
    uuid = cloud.uuids()[0]
    cloud.upgrade(uuid)

    told = ids(await walked(build()))

    assert uuid not in told
    assert "7.0" in JFrogConnectV1Settings.missing_hint


# -- deployments


DOCUMENTED: dict[str, Any] = {
    "device_id": 123456,
    "device_uuid": "d-1234-1234",
    "device_name": "My-Device",
    "upswift_version": "5.1",
    "project": "Test",
    "group": "Production",
    "device_ip": "192.0.2.10",
    "last_keepalive": "2020-02-08 16:12:11",
    "cpu_usage": 65,
    "ram_usage": 15,
    "disk_usage": 1022.1,
    "is_update_trigger_set": False,
    "registered_date": "2020-02-07 16:12:11",
    "tags": ["London", "Lab Device", "4inch-screen"],
    "updates": [
        {
            "update_id": 1234,
            "update_status": "success",
            "update_version": "v1.1",
            "comment": "Some kind of a comment",
            "deployment_schedule_time": "2020-02-08 16:12:11",
        },
        {
            "update_id": 5555,
            "update_status": "pending",
            "update_version": "v1.2",
            "comment": "Some kind of a comment",
            "deployment_schedule_time": "2020-03-09 19:12:11",
        },
    ],
    "updates_v2": [
        {
            "flow_name": "Some Name",
            "update_status": "success",
            "comment": "Some kind of a comment",
            "deployment_schedule_time": "2020-02-08 16:12:11",
            "deployment_start_time": "2020-02-08 16:12:11",
            "deployment_finish_time": "2020-02-08 16:12:11",
            "apps_updated": [{"app_name": "app1", "app_new_version": "v1.1"}],
            "deployment_type": "manual",
        },
        {
            "flow_name": "Some Name2",
            "update_status": "failed",
            "comment": "Some kind of a comment",
            "deployment_schedule_time": "2020-02-08 16:12:11",
            "deployment_start_time": "2020-02-08 16:12:11",
            "deployment_finish_time": "2020-02-08 16:12:11",
            "apps_updated": [{"app_name": "app1", "app_new_version": "v1.1"}],
            "deployment_type": "api-deployment",
        },
    ],
    "apps": [{"app_name": "default_app", "version": "v1.1"}],
}


async def test_all_devices_of_a_deployment_tell_of_one_and_the_same(cloud: Cloud, build: Build) -> None:
    deployment = cloud.deploy(60)
    failed = cloud.settle(deployment, failed=3, output="disk full")

    told = [rollout for page in await walked(build(), "details") for rollout in page.rollouts]

    assert len(told) == 60
    assert len({repr(rollout.deployment) for rollout in told}) == 1
    assert {rollout.device for rollout in told if rollout.status is RolloutStatus.FAILED} == set(failed)
    assert {rollout.error for rollout in told} == {"", "disk full"}


def rollouts_of(*entries: object, apps: object = None, updates: object = None) -> Callable[..., Awaitable[Any]]:
    async def told(saying: Saying) -> list[Rollout]:
        row = {"device_id": 1, "device_uuid": "d-1", "updates": updates, "updates_v2": list(entries), "apps": apps}
        [page] = await walked(await saying({"more": False, "message": [row]}), "details")
        return list(page.rollouts)

    return told


def flow(name: object = "nightly", **more: object) -> dict[str, object]:
    return {"flow_name": name, "update_status": "success", "deployment_schedule_time": "2025-03-02 08:00:00"} | more


@pytest.mark.parametrize(
    "entry",
    [
        None,
        7,
        [],
        {},
        flow(None),
        flow(""),
        flow(deployment_schedule_time=None),
        flow(deployment_schedule_time=""),
        flow(deployment_schedule_time="0000-00-00 00:00:00"),
        flow(deployment_schedule_time="soon"),
        {"update_status": "pending"},
    ],
)
async def test_an_update_that_names_no_deployment_invents_none(saying: Saying, entry: object) -> None:
    assert await rollouts_of(entry, updates=[entry])(saying) == []


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", RolloutStatus.PENDING),
        ("In Progress", RolloutStatus.IN_PROGRESS),
        ("success", RolloutStatus.SUCCEEDED),
        ("failed", RolloutStatus.FAILED),
        ("aborted", RolloutStatus.ABORTED),
        ("postponed", RolloutStatus.UNKNOWN),
        (None, RolloutStatus.UNKNOWN),
        ({}, RolloutStatus.UNKNOWN),
    ],
)
async def test_an_updates_status_is_one_of_ours(saying: Saying, *, word: object, status: RolloutStatus) -> None:
    [rollout] = await rollouts_of(flow(update_status=word))(saying)

    assert rollout.status is status


async def test_of_two_tries_of_one_deployment_the_later_counts(saying: Saying) -> None:
    first = flow(update_status="failed", deployment_finish_time="2025-03-02 08:10:00")
    second = flow(update_status="success", deployment_finish_time="2025-03-02 08:20:00")

    assert [each.status for each in await rollouts_of(second, first)(saying)] == [RolloutStatus.SUCCEEDED]
    assert [each.status for each in await rollouts_of(first, second)(saying)] == [RolloutStatus.SUCCEEDED]


async def test_flows_of_the_same_name_are_told_apart_by_schedule_and_type(saying: Saying) -> None:
    told = await rollouts_of(
        flow(deployment_type="manual"),
        flow(deployment_type="api-deployment"),
        flow(deployment_type="manual", deployment_schedule_time="2025-03-03 08:00:00"),
    )(saying)

    assert [each.deployment.id for each in told] == [
        "nightly@2025-03-02T08:00:00Z",
        "nightly@2025-03-02T08:00:00Z.api-deployment",
        "nightly@2025-03-03T08:00:00Z",
    ]
    assert told[0].deployment.created_at == datetime(2025, 3, 2, 8, tzinfo=UTC)


async def test_a_comment_is_an_error_only_where_it_failed_and_is_redacted(saying: Saying) -> None:
    long = "x" * 190 + TOKEN
    [failed] = await rollouts_of(flow(update_status="failed", comment=long))(saying)
    [well] = await rollouts_of(flow(comment="planned"))(saying)

    assert failed.error == "x" * 190 + "***"
    assert well.error == ""


async def test_an_unknown_status_of_an_update_is_told(saying: Saying) -> None:
    row = {"device_uuid": "d-1", "updates": [{"update_id": 7}], "updates_v2": [flow(update_status="rolled back")]}

    [page] = await walked(await saying({"more": False, "message": [row]}), "details")

    assert page.unknown_word == "rolled back"
    assert {rollout.status for rollout in page.rollouts} == {RolloutStatus.UNKNOWN}


def installed(version: str, **more: object) -> dict[str, object]:
    return (
        flow(
            deployment_finish_time="2025-03-02 08:00:09",
            apps_updated=[{"app_name": "app", "app_new_version": version}],
        )
        | {"deployment_type": "manual"}
        | more
    )


REPORTED = [{"app_name": "app", "version": "v1.3"}]


async def test_a_success_that_the_device_contradicts_says_what_it_reports(saying: Saying) -> None:
    [rollout] = await rollouts_of(installed("v1.4"), apps=REPORTED)(saying)

    assert rollout.contradiction == "app v1.3 instead of v1.4"


@pytest.mark.parametrize(
    "entries",
    [
        [installed("v1.3")],
        [installed("1.3")],
        [installed("v1.4", update_status="failed")],
        [installed("v1.4", deployment_finish_time="")],
        [installed("v1.4", apps_updated=[{"app_name": "other", "app_new_version": "v9"}])],
        [installed("v1.4", apps_updated=None)],
        [installed("v1.4"), installed("v1.3", flow_name="later", deployment_finish_time="2025-03-02 09:00:00")],
        [installed("v1.4"), flow("later", update_status="in_progress", deployment_start_time="2025-03-02 09:00:00")],
        [installed("v1.4"), flow("later", update_status="failed", deployment_finish_time="2025-03-02 09:00:00")],
    ],
    ids=[
        "the same",
        "the same without v",
        "it failed",
        "without an end",
        "of an app that is not reported",
        "of no app",
        "a later success",
        "a later one in progress",
        "a later one that failed",
    ],
)
async def test_what_may_be_explained_is_no_contradiction(saying: Saying, entries: list[object]) -> None:
    told = await rollouts_of(*entries, apps=REPORTED)(saying)

    assert [rollout.contradiction for rollout in told] == [""] * len(entries)


async def test_what_ended_just_now_is_no_contradiction_yet(saying: Saying) -> None:
    finish = f"{clock.now() - timedelta(minutes=9):%Y-%m-%d %H:%M:%S}"

    told = await rollouts_of(installed("v1.4", deployment_finish_time=finish), apps=REPORTED)(saying)

    assert [rollout.contradiction for rollout in told] == [""]


async def test_a_later_update_that_only_waits_explains_nothing(saying: Saying) -> None:
    waiting = flow("later", update_status="pending", deployment_schedule_time="2025-03-02 09:00:00")

    told = await rollouts_of(installed("v1.4"), waiting, apps=REPORTED)(saying)

    assert [rollout.contradiction for rollout in told] == ["app v1.3 instead of v1.4", ""]


# -- what is watched


async def test_project_and_group_are_asked_for(cloud: Cloud, build: Build) -> None:
    cloud.add_device(project="harbour", group="Lyon")

    mine = ids(await walked(build(project="yard", group="Lyon")))
    whole = ids(await walked(build(project="harbour"), "details"))

    assert mine == cloud.uuids(group="Lyon")[:-1]
    assert whole == cloud.uuids()[-1:]


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ({"project": "yrad"}, "project 'yrad' matches no device; the account has yard"),
        (
            {"project": "yard", "group": "Lion"},
            "group 'Lion' of project 'yard' matches no device; that project has Lyon, Nantes, Porto",
        ),
    ],
)
async def test_a_filter_that_matches_nothing_is_told_with_what_there_is(
    build: Build, *, scope: dict[str, str], told: str
) -> None:
    with pytest.raises(FilterMatchesNothing) as error:
        await walked(build(**scope))

    assert str(error.value) == told


async def test_a_filter_of_an_empty_account_is_told_so(cloud: Cloud, build: Build) -> None:
    cloud.empty_list()

    with pytest.raises(FilterMatchesNothing, match="lists no device at all"):
        await walked(build(project="yard"))


@pytest.mark.parametrize(
    ("scope", "problems"),
    [
        ({}, []),
        ({"project": "yard"}, []),
        ({"project": "yard", "group": "Lyon"}, []),
        ({"group": "Lyon"}, [("group", "works only with project: the vendor ignores a group alone")]),
        ({"project": " "}, [("project", "is empty")]),
    ],
)
def test_a_group_needs_its_project(scope: dict[str, str], problems: list[tuple[str, str]]) -> None:
    given = JFrogConnectV1Settings.model_validate({"name": "old", "user_token": TOKEN} | scope)

    assert given.problems() == problems


def test_the_defaults_keep_the_vendors_limit() -> None:
    given = JFrogConnectV1Settings.model_validate({"name": "old", "user_token": TOKEN})

    assert (str(given.request_rate), given.in_flight, given.bans) == ("3/m", 1, True)
    assert given.requests_of("states", 3000) == 60


# -- on demand


async def test_check_asks_for_one_row(cloud: Cloud, build: Build) -> None:
    assert not await build().check()

    cloud.empty_list()

    assert await build().check() == "no device is listed"


async def test_a_device_that_is_not_there_is_unavailable(build: Build) -> None:
    with pytest.raises(ResourceUnavailable):
        await build().device("d-0000-0000")


@pytest.mark.parametrize("found", [{}, {"message": {}}, {"message": "online"}, [], {"message": [7]}])
async def test_an_answer_without_a_status_is_invalid(saying: Saying, found: object) -> None:
    vendor = await saying(found)

    with pytest.raises(AnswerInvalid):
        await vendor.device("d-1")


# -- refusals


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error_message": "Invalid user_token"}, CredentialsRejected),
        (400, {"error_message": "The token is not valid"}, CredentialsRejected),
        (400, {"error_message": "Unauthorized"}, CredentialsRejected),
        (400, {"message": "user token missing"}, CredentialsRejected),
        (401, {}, CredentialsRejected),
        (403, {}, CredentialsRejected),
        (400, {"error_message": "Project not found"}, ResourceUnavailable),
        (400, {"error_message": "limit must be an integer"}, AnswerInvalid),
        (400, {"error_message": "Unexpected token u in JSON at position 0"}, AnswerInvalid),
        (400, {"error_message": "rate limit exceeded, token bucket empty"}, RateLimited),
        (400, {}, AnswerInvalid),
        (404, {}, ResourceUnavailable),
        (429, {}, RateLimited),
        (500, {"error_message": "Unexpected token < in JSON"}, SourceUnreachable),
        (502, {"error_message": "no token left in the bucket"}, SourceUnreachable),
        (302, {}, AnswerInvalid),
        (200, {"error_message": "something"}, AnswerInvalid),
    ],
)
async def test_a_refusal_has_its_one_meaning(
    saying: Saying, *, status: int, body: object, error: type[SourceError]
) -> None:
    vendor = await saying(body, status)

    with pytest.raises(SourceError) as raised:
        await walked(vendor)

    assert type(raised.value) is error


async def test_a_token_that_is_refused_within_a_walk_is_no_matter_of_its_cursor(cloud: Cloud, build: Build) -> None:
    pages = build().devices("states")
    await anext(pages)
    cloud.revoke()

    with pytest.raises(CredentialsRejected):
        await anext(pages)


async def test_a_403_of_the_details_is_of_the_details_alone(saying: Saying) -> None:
    vendor = await saying({}, 403)

    with pytest.raises(ResourceUnavailable):
        await walked(vendor, "details")


async def test_a_429_warns_of_the_ban_and_keeps_the_account_silent_for_a_minute(
    cloud: Cloud, client: Build, account: Callable[[str], Account], redactor: Redactor
) -> None:
    cloud.switch(limit_per_s=0.05)
    async with serve(cloud) as url:
        mine = account(url)
        given = JFrogConnectV1Settings.model_validate({"name": "old", "user_token": TOKEN, "base_url": url})
        vendor = JFrogConnectV1(given, account=mine, secret=Secret(value=SecretStr(TOKEN), redactor=redactor))
        await walked(vendor)  # its three pages are the minute's three calls

        with pytest.raises(RateLimited, match="the vendor may ban who asks too often"):
            await vendor.check()
        due_at = mine.budget._turns._closed_until - clock.monotonic()

    assert 50 < due_at <= 60
    assert mine.budget.granted == 0


@pytest.mark.parametrize("status", [200, 400, 403, 429, 500])
@pytest.mark.parametrize("ask", ["states", "details", "check", "device"])
async def test_the_token_leaks_into_no_error(http_server: Http, client: Build, *, status: int, ask: str) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(status=status, body=b"sorry: " + await request.read())

    vendor = client(await http_server(echo))

    asks: dict[str, Callable[[], Awaitable[object]]] = {
        "states": lambda: walked(vendor),
        "details": lambda: walked(vendor, "details"),
        "check": vendor.check,
        "device": lambda: vendor.device("d-1"),
    }
    with pytest.raises(SourceError) as error:
        await asks[ask]()

    chain: BaseException | None = error.value
    while chain is not None:
        assert "s3cr3t" not in str(chain) + repr(chain)
        chain = chain.__cause__
    assert "s3cr3t" not in repr(vendor)
