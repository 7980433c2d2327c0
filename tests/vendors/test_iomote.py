"""Iomote MyMote, with its errors in every dress, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import ValidationError

from fleetpulse.durations import Rate
from fleetpulse.fleet.device import Aspect, Device, DeviceStatus, Readings, Sighting
from fleetpulse.fleet.group import Group
from fleetpulse.outbound import Account
from fleetpulse.secrets import Redactor, Secret
from fleetpulse.simulator import serve
from fleetpulse.simulator.iomote import Iomote as Cloud
from fleetpulse.simulator.iomote.devices import device_key
from fleetpulse.vendors.contract import (
    PROTOCOLS,
    AnswerInvalid,
    CredentialsRejected,
    CursorRefused,
    Kind,
    Page,
    RateLimited,
    ResourceUnavailable,
    SourceError,
    SourceUnreachable,
    Vendor,
)
from fleetpulse.vendors.iomote import Iomote, IomoteSettings
from fleetpulse.vendors.iomote.devices import stated_table
from fleetpulse.vendors.wire import parse_time

Item = TypeVar("Item")
Build = Callable[..., Iomote]
Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
PATH = "GET /api/user/{user}/{key}"
DOCUMENTED = {
    "device": {
        "id": "3f0c",
        "device_id": "X400_00112233445566778899aabbccddeeff00112233",
        "device_key": "invented-device-key",
        "user_id": "u-1",
        "group_id": "",
        "name": "Boiler 2",
        "type": "X400",
        "location": "45.0703,7.6869",
        "connectivity": "ETH",
        "fwversion": "0.8.0",
        "app_name": "boiler",
        "app_version": "1.2.1",
        "stat_device_id": "s-9",
        "ICCID": "",
    },
    "status": "Connected",
}


async def listed(pages: AsyncIterator[Page[Item]]) -> list[Page[Item]]:
    return [page async for page in pages]


def ids(page: Page[Sighting]) -> list[str]:
    return [sighting.device.id for sighting in page.items]


def answer(cloud: Cloud, value: object, path: str = "/devices", status: int = 200) -> None:
    cloud.faults.always(status=status, body=json.dumps(value).encode(), path=path)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(devices=9)


@pytest_asyncio.fixture
async def build(
    cloud: Cloud, account: Callable[[str], Account], secret: Callable[[str], Secret]
) -> AsyncIterator[Build]:
    """A client of `cloud`; keyword arguments are settings."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serve(cloud))

        def make(**more: Any) -> Iomote:
            given = {"name": "gateways", "user_id": "u-1", "api_key": "demo-key", "base_url": url} | more
            settings = IomoteSettings.model_validate(given)
            return Iomote(settings, account=account(url), secret=secret(given["api_key"]))

        yield make


# -- what a source may say


def test_a_source_names_its_host_and_gets_the_documented_defaults() -> None:
    settings = IomoteSettings.model_validate(
        {"name": "gateways", "user_id": "u-1", "api_key": "k", "base_url": "https://iomote.example"}
    )

    assert settings.problems() == []
    assert (settings.interval.total_seconds(), settings.request_rate) == (300, Rate(1, 1.0))
    assert (settings.interval_of("stats").total_seconds(), settings.interval_of("groups").total_seconds()) == (
        21600,
        3600,
    )
    assert (settings.requests_of("devices", 3000), settings.requests_of("stats", 3000)) == (1, 3000)
    assert settings.requests_of("groups", 3000) == 1
    assert settings.offline_for is not None
    assert settings.offline_for.total_seconds() == 600
    assert [name for name, field in IomoteSettings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("wrong", [{"base_url": None}, {"user_id": ""}, {"user_id": None}, {"path_id": "name"}])
def test_a_wrong_shape_is_refused(wrong: dict[str, Any]) -> None:
    given = {"name": "g", "user_id": "u-1", "api_key": "k", "base_url": "https://iomote.example"} | wrong

    with pytest.raises(ValidationError):
        IomoteSettings.model_validate({name: value for name, value in given.items() if value is not None})


def test_another_user_is_another_scope() -> None:
    given = {"name": "g", "user_id": "u-1", "api_key": "k", "base_url": "https://iomote.example"}

    scopes = {IomoteSettings.model_validate(given | {"user_id": user}).scope() for user in ("u-1", "u-2")}

    assert len(scopes) == 2


async def test_it_is_a_vendor_whose_census_is_its_device_list(build: Build) -> None:
    vendor: Vendor = build()

    assert {name: resource.kind for name, resource in vendor.resources.items()} == {
        "devices": Kind.DEVICES,
        "stats": Kind.READINGS,
        "groups": Kind.GROUPS,
    }
    assert next(iter(vendor.resources.values())).census
    assert vendor.resources["stats"].per_device
    assert all(isinstance(vendor, PROTOCOLS[resource.kind]) for resource in vendor.resources.values())


# -- devices


async def test_the_documented_device_arrives_in_our_words(cloud: Cloud, build: Build) -> None:
    answer(cloud, [DOCUMENTED])

    [page] = await listed(build().devices("devices"))

    assert page.items == [
        Sighting(
            Device(id="X400_00112233445566778899aabbccddeeff00112233", name="Boiler 2", model="X400", version="0.8.0"),
            DeviceStatus.ONLINE,
        )
    ]
    assert (page.resume, page.total, page.odd, page.unknown_word) == (None, None, 0, "")


async def test_a_walk_is_one_page_and_equals_the_truth(cloud: Cloud, build: Build) -> None:
    dropped = cloud.drop(4)

    [page] = await listed(build().devices("devices"))

    assert ids(page) == cloud.uuids()
    assert {item.device.id for item in page.items if item.status is DeviceStatus.OFFLINE} == set(dropped)
    for name in cloud.groups.values():
        assert [item.device.id for item in page.items if item.device.group == name] == cloud.uuids(group=name)


async def test_a_list_is_not_said_to_tell_readings(build: Build) -> None:
    [page] = await listed(build().devices("devices"))

    assert page.aspects == Aspect.STATUS | Aspect.ATTRIBUTES


async def test_a_big_account_comes_whole_in_slices(cloud: Cloud, build: Build) -> None:
    for _ in range(1000):
        cloud.add_device()

    [page] = await listed(build().devices("devices"))

    assert ids(page) == cloud.uuids()


async def test_an_account_without_devices_is_an_empty_page(cloud: Cloud, build: Build) -> None:
    cloud.empty_list()

    [page] = await listed(build().devices("devices"))

    assert page.items == []


@pytest.mark.parametrize("words", ["azure", "lower", "line", "number", "boolean"])
async def test_a_connection_is_understood_in_every_word(cloud: Cloud, build: Build, words: str) -> None:
    cloud.switch(words=words)
    dropped = cloud.drop(4)

    [page] = await listed(build().devices("devices"))

    offline = [item.device.id for item in page.items if item.status is DeviceStatus.OFFLINE]
    assert (offline, page.unknown_word) == (dropped, "")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (" CONNECTED ", DeviceStatus.ONLINE),
        ("1", DeviceStatus.ONLINE),
        ("TRUE", DeviceStatus.ONLINE),
        ("0", DeviceStatus.OFFLINE),
        ("False", DeviceStatus.OFFLINE),
        ("Not connected", DeviceStatus.UNKNOWN),
        (2, DeviceStatus.UNKNOWN),
        ("", DeviceStatus.UNKNOWN),
        (None, DeviceStatus.UNKNOWN),
        ({}, DeviceStatus.UNKNOWN),
    ],
)
async def test_any_other_word_is_unknown_and_told(
    cloud: Cloud, build: Build, raw: object, status: DeviceStatus
) -> None:
    cloud.set_row(cloud.uuids()[0], status=raw)

    [page] = await listed(build().devices("devices"))

    shown = {DeviceStatus.UNKNOWN: str(raw) if isinstance(raw, str | int) and raw else "(none)"}
    assert page.items[0].status is status
    assert page.unknown_word == shown.get(status, "")


async def test_a_device_without_a_status_is_unknown(cloud: Cloud, build: Build) -> None:
    cloud.set_row(cloud.uuids()[3], without=["status"])

    [page] = await listed(build().devices("devices"))

    assert page.items[3].status is DeviceStatus.UNKNOWN
    assert page.unknown_word == "(none)"


async def test_nulls_and_numbers_instead_of_strings_are_coerced(cloud: Cloud, build: Build) -> None:
    cloud.switch(unset=None, ids="int")
    uuid = cloud.add_device(group="", fwversion=0.8)
    cloud.set_row(uuid, name=17)

    [page] = await listed(build().devices("devices"))

    assert page.items[-1].device == Device(id=uuid, name="17", model="X400", version="0.8")


async def test_odd_rows_cost_no_other_row(cloud: Cloud, build: Build) -> None:
    for _ in range(11):
        cloud.add_device()
    odd = cloud.odd_rows(13)

    [page] = await listed(build().devices("devices"))

    assert set(cloud.uuids()) - set(odd) <= set(ids(page))
    assert (len(page.items), page.odd) == (15, 5)  # no id, null, a string, {} and a row without a device
    assert page.oddity
    assert all(sighting.device.name.isprintable() for sighting in page.items)


async def test_a_walk_in_one_piece_is_not_resumed(build: Build) -> None:
    with pytest.raises(CursorRefused):
        await listed(build().devices("devices", resume="x"))


async def test_a_list_that_is_too_large_is_refused_before_it_is_read(cloud: Cloud, build: Build) -> None:
    cloud.faults.always(status=200, body=b"[" + b" " * 2_000_001 + b"]", path="/devices")

    with pytest.raises(AnswerInvalid, match="more than 2000000 bytes"):
        await listed(build().devices("devices"))


def test_seven_fraction_digits_are_a_time() -> None:
    at = parse_time("2018-01-24T16:09:23.1432412+00:00")

    assert at is not None
    assert at.microsecond == 143241


# -- the keys of devices, and ours


async def test_a_devices_key_is_dropped_at_the_parser(cloud: Cloud, build: Build) -> None:
    vendor = build()
    uuid = cloud.uuids()[0]

    pages = await listed(vendor.devices("devices"))
    cloud.odd_rows(6)  # so that the careful way of reading is taken, too
    pages += await listed(vendor.devices("devices"))
    cloud.even_rows()
    told = [pages, await vendor.device(uuid), await vendor.group_devices("g-1"), vars(vendor)]
    rows = stated_table().decode(json.dumps([DOCUMENTED]).encode())

    keys = {device_key(each) for each in cloud.uuids()} | {"invented-device-key"}
    assert [key for key in keys if key in repr((told, rows))] == []


KEY = "a/b!c+d=e&f%g h"


async def test_the_key_stands_in_the_path_alone_and_in_no_error(
    http_server: Http, account: Callable[[str], Account], secret: Callable[[str], Secret]
) -> None:
    paths: list[str] = []

    async def echo(request: web.Request) -> web.Response:
        paths.append(request.rel_url.raw_path)
        words = f"no such thing: {request.rel_url.raw_path} {request.path} {request.rel_url.raw_path.lower()}"
        return web.json_response({"error": words}, status=200)

    url = await http_server(echo)
    settings = IomoteSettings.model_validate({"name": "g", "user_id": "u-1", "api_key": KEY, "base_url": url})
    vendor = Iomote(settings, account=account(url), secret=secret(KEY))

    texts = [str(await failure(ask, vendor)) for ask in ASKS]

    assert [text for text in texts for piece in ("a/b", "c+d", "a%2F", "a%2f", "c%2b", "g%20h") if piece in text] == []
    assert all("***" in text for text in texts)
    assert all(path.startswith("/api/user/u-1/a%2Fb!c%2Bd=e&f%25g%20h/") for path in paths)


async def test_no_error_of_the_way_tells_the_key(
    cloud: Cloud, account: Callable[[str], Account], secret: Callable[[str], Secret]
) -> None:
    given = {"name": "g", "user_id": "u-1", "api_key": "invented-s3cr3t"}
    async with serve(cloud) as url:
        settings = IomoteSettings.model_validate(given | {"base_url": url})
        vendor = Iomote(settings, account=account(url), secret=secret("invented-s3cr3t"))
        cloud.faults.reset_next()
        cloud.faults.fail_next(status=302, headers={"Location": f"{url}/api/user/u-1/invented-s3cr3t/devices/"})
        cloud.faults.garble_next()
        cloud.faults.fail_next(status=404, body="/api/user/u-1/invented-s3cr3t/devices was not found")
        errors = [await failure(devices, vendor) for _ in range(4)]
    gone = await failure(devices, vendor)

    assert [type(error) for error in errors] == [SourceUnreachable, AnswerInvalid, AnswerInvalid, ResourceUnavailable]
    assert isinstance(gone, SourceUnreachable)
    assert "s3cr3t" not in "".join(map(str, [*errors, gone])) + repr(settings)


async def test_a_fresh_key_is_used_at_once(
    cloud: Cloud, account: Callable[[str], Account], redactor: Redactor, tmp_path: Any
) -> None:
    file = tmp_path / "key"
    file.write_text("old-key")
    secret = Secret(file=file, redactor=redactor)
    async with serve(cloud) as url:
        settings = IomoteSettings(name="g", user_id="u-1", base_url=url, api_key_file=file)
        vendor = Iomote(settings, account=account(url), secret=secret)
        with pytest.raises(CredentialsRejected, match="The user id or the API key is not valid"):
            await listed(vendor.devices("devices"))
        file.write_text("demo-key")
        secret.refresh()

        [page] = await listed(vendor.devices("devices"))

    assert ids(page) == cloud.uuids()


# -- errors


async def devices(vendor: Iomote) -> None:
    await listed(vendor.devices("devices"))


async def groups(vendor: Iomote) -> None:
    await listed(vendor.groups("groups"))


async def stats(vendor: Iomote) -> None:
    await vendor.readings("stats", "X400_1")


async def one_device(vendor: Iomote) -> None:
    await vendor.device("X400_1")


async def group_devices(vendor: Iomote) -> None:
    await vendor.group_devices("g-1")


async def check(vendor: Iomote) -> None:
    await vendor.check()


ASKS = [devices, groups, stats, one_device, group_devices, check]
Ask = Callable[[Iomote], Awaitable[None]]


async def failure(ask: Ask, vendor: Iomote) -> SourceError:
    with pytest.raises(SourceError) as raised:
        await ask(vendor)
    return raised.value


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 418])
@pytest.mark.parametrize("dress", ["object", "word", "json_word"])
async def test_an_error_in_any_dress_with_any_status_below_500_is_a_refused_key(
    cloud: Cloud, build: Build, *, ask: Ask, status: int, dress: str
) -> None:
    cloud.switch(error_dress=dress, error_status=status)
    cloud.revoke()

    error = await failure(ask, build())

    assert type(error) is CredentialsRejected
    assert f"rejects the credentials ({status})" in str(error)
    assert len(cloud.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"Error":"no"}',
        b'[{"error":"no"}]',
        b"\xef\xbb\xbf" + b'{"error":""}',
        b"error: no such account",
        b' "Error" ',
    ],
)
async def test_an_error_is_known_in_odd_spellings_too(cloud: Cloud, build: Build, body: bytes) -> None:
    cloud.faults.always(status=200, body=body)

    assert type(await failure(devices, build())) is CredentialsRejected


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599])
async def test_an_error_with_the_status_of_an_outage_says_nothing_about_the_key(
    cloud: Cloud, build: Build, status: int
) -> None:
    answer(cloud, {"error": "no key of ours was read"}, status=status)

    assert type(await failure(devices, build())) is SourceUnreachable


@pytest.mark.parametrize("ask", [devices, groups, check])
@pytest.mark.parametrize(
    "text",
    [
        "Internal server error",
        "Service temporarily unavailable",
        "Timeout",
        "the request timed out",
        "Please try again later",
    ],
)
async def test_an_error_that_speaks_of_the_cloud_says_nothing_about_the_key(
    cloud: Cloud, build: Build, ask: Ask, text: str
) -> None:
    answer(cloud, {"error": text}, path="")

    assert type(await failure(ask, build())) is SourceUnreachable


@pytest.mark.parametrize(
    ("status", "text"), [(429, "slow down"), (200, "Too many requests"), (400, "Rate limit reached")]
)
async def test_too_many_requests_are_told_as_that(cloud: Cloud, build: Build, status: int, text: str) -> None:
    answer(cloud, {"error": text}, status=status)

    assert type(await failure(devices, build())) is RateLimited


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Device not found", ResourceUnavailable),
        ("unknown gateway for user u-1", ResourceUnavailable),
        ("No such item", ResourceUnavailable),
        ("the key for this device is wrong", CredentialsRejected),
        ("user not found", CredentialsRejected),
        ("not authorized", CredentialsRejected),
        ("Something went wrong", CredentialsRejected),
    ],
)
@pytest.mark.parametrize("ask", [stats, one_device, group_devices])
async def test_an_error_of_one_thing_is_judged_by_its_words(
    cloud: Cloud, build: Build, *, ask: Ask, text: str, error: type[SourceError]
) -> None:
    answer(cloud, {"error": text})

    assert type(await failure(ask, build())) is error


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("ask", [groups, stats, one_device, group_devices])
async def test_403_and_404_without_an_error_are_the_resources_own(
    cloud: Cloud, build: Build, *, ask: Ask, status: int
) -> None:
    cloud.faults.always(status=status)

    assert type(await failure(ask, build())) is ResourceUnavailable


async def test_on_the_census_403_is_the_key_and_404_the_address(cloud: Cloud, build: Build) -> None:
    cloud.faults.fail_next(status=403)
    cloud.faults.fail_next(status=404)

    errors = [type(await failure(devices, build())) for _ in range(2)]

    assert errors == [CredentialsRejected, ResourceUnavailable]


async def test_an_error_that_is_none_is_no_error(cloud: Cloud, build: Build) -> None:
    uuid = cloud.uuids()[0]
    answer(cloud, {"connectionState": "Disconnected", "error": None}, path="/status")

    found = await build().device(uuid)

    assert found.status is DeviceStatus.OFFLINE


# -- groups


async def test_groups_are_listed_by_name(cloud: Cloud, build: Build) -> None:
    [page] = await listed(build().groups("groups"))

    assert page.items == [Group(id=group_id, name=name) for group_id, name in cloud.groups.items()]


async def test_odd_groups_cost_no_other_group(cloud: Cloud, build: Build) -> None:
    answer(cloud, [{"id": 7, "name": None}, {"name": "nobody"}, None, {"id": "g-1", "name": "Lyon"}], path="/groups")

    [page] = await listed(build().groups("groups"))

    assert page.items == [Group(id="7", name="7"), Group(id="g-1", name="Lyon")]
    assert page.odd == 2


async def test_names_are_asked_for_once_and_then_kept(cloud: Cloud, build: Build) -> None:
    vendor = build()

    pages = [(await listed(vendor.devices("devices")))[0] for _ in range(3)]

    assert {item.device.group for page in pages for item in page.items} == {"Lyon", "Nantes", "Porto"}
    assert dict(cloud.counts) == {f"{PATH}/devices": 3, f"{PATH}/groups": 1}


async def test_names_learned_by_the_groups_own_walk_need_not_be_asked_for_and_follow_it(
    cloud: Cloud, build: Build
) -> None:
    vendor = build()
    await listed(vendor.groups("groups"))
    [before] = await listed(vendor.devices("devices"))
    cloud.rename_group("Lyon", "Lyon 2")
    await listed(vendor.groups("groups"))

    [after] = await listed(vendor.devices("devices"))

    assert (before.items[0].device.group, after.items[0].device.group) == ("Lyon", "Lyon 2")
    assert cloud.counts[f"{PATH}/groups"] == 2


async def test_a_list_of_groups_that_turns_empty_renames_nothing(cloud: Cloud, build: Build) -> None:
    vendor = build()
    await listed(vendor.groups("groups"))
    cloud.groups.clear()
    await listed(vendor.groups("groups"))

    [page] = await listed(vendor.devices("devices"))

    assert page.items[0].device.group == "Lyon"


async def test_a_group_that_is_not_listed_is_called_by_its_id(cloud: Cloud, build: Build) -> None:
    cloud.set_row(cloud.uuids()[0], group_id="g-77")

    [page] = await listed(build().devices("devices"))

    assert page.items[0].device.group == "g-77"


@pytest.mark.parametrize("status", [403, 404])
async def test_without_a_right_to_groups_their_ids_stand_for_the_names(cloud: Cloud, build: Build, status: int) -> None:
    cloud.switch(no_groups=status)
    vendor = build()

    pages = [(await listed(vendor.devices("devices")))[0] for _ in range(2)]

    assert [page.items[0].device.group for page in pages] == ["g-1", "g-1"]
    assert {page.aspects for page in pages} == {Aspect.STATUS | Aspect.ATTRIBUTES}
    assert cloud.counts[f"{PATH}/groups"] == 1


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 429}, {"status": 200, "body": "<html>"}])
async def test_while_names_cannot_be_had_the_list_speaks_of_statuses_alone(
    cloud: Cloud, build: Build, fault: dict[str, Any]
) -> None:
    cloud.faults.fail_next(path="/groups", **fault)
    vendor = build()

    [without] = await listed(vendor.devices("devices"))
    [named] = await listed(vendor.devices("devices"))

    assert (without.aspects, {item.device.group for item in without.items}) == (Aspect.STATUS, {""})
    assert (named.aspects, named.items[0].device.group) == (Aspect.STATUS | Aspect.ATTRIBUTES, "Lyon")


async def test_an_error_instead_of_groups_is_believed_when_it_comes_again(cloud: Cloud, build: Build) -> None:
    answer(cloud, {"error": "no"}, path="/groups")
    vendor = build()

    pages = [(await listed(vendor.devices("devices")))[0] for _ in range(3)]

    assert [page.aspects for page in pages] == [Aspect.STATUS] + 2 * [Aspect.STATUS | Aspect.ATTRIBUTES]
    assert [page.items[0].device.group for page in pages] == ["", "g-1", "g-1"]
    assert cloud.counts[f"{PATH}/groups"] == 2


async def test_names_are_not_asked_for_with_a_refused_key(cloud: Cloud, build: Build) -> None:
    cloud.revoke()

    await failure(devices, build())

    assert dict(cloud.counts) == {f"{PATH}/devices": 1}


async def test_the_devices_of_a_group_come_without_a_status(cloud: Cloud, build: Build) -> None:
    vendor = build()
    [page] = await listed(vendor.devices("devices"))

    found = await vendor.group_devices("g-1")

    assert list(found) == [item.device for item in page.items if item.device.group == "Lyon"]


# -- one device


async def test_one_device_is_told_as_the_list_tells_it(cloud: Cloud, build: Build) -> None:
    [dropped] = cloud.drop(1)
    vendor = build()
    [page] = await listed(vendor.devices("devices"))

    found = await vendor.device(dropped)

    assert found in page.items
    assert found.status is DeviceStatus.OFFLINE


@pytest.mark.parametrize("form", ["list", "object"])
async def test_one_device_is_understood_as_a_list_of_one_and_as_an_object(
    cloud: Cloud, build: Build, form: str
) -> None:
    cloud.switch(one_device=form)
    uuid = cloud.uuids()[0]

    found = await build().device(uuid)

    assert found.device.id == uuid


@pytest.mark.parametrize("missing", ["error", "empty", "not_found"])
async def test_a_device_that_is_not_there_is_unavailable(cloud: Cloud, build: Build, missing: str) -> None:
    cloud.switch(missing=missing)

    assert type(await failure(one_device, build())) is ResourceUnavailable


async def test_an_answer_about_another_device_is_invalid(cloud: Cloud, build: Build) -> None:
    answer(cloud, [DOCUMENTED])

    assert "about another device" in str(await failure(one_device, build()))


@pytest.mark.parametrize(
    ("status", "state", "told"),
    [
        ("Connected", {"connectionState": "Disconnected"}, DeviceStatus.OFFLINE),
        ("Connected", [{"connectionState": "disconnected"}], DeviceStatus.OFFLINE),
        ("Connected", {"status": 0}, DeviceStatus.OFFLINE),
        (None, {"connectionState": "Connected"}, DeviceStatus.ONLINE),
        ("Disconnected", {"connectionState": "Resting"}, DeviceStatus.OFFLINE),
        ("Disconnected", {}, DeviceStatus.OFFLINE),
        ("Disconnected", "<html>", DeviceStatus.OFFLINE),
        ("Disconnected", {"error": "Device not found"}, DeviceStatus.OFFLINE),
    ],
)
async def test_the_status_call_decides_where_it_says_something(
    cloud: Cloud, build: Build, *, status: object, state: object, told: DeviceStatus
) -> None:
    uuid = cloud.uuids()[0]
    cloud.set_row(uuid, status=status)
    answer(cloud, state, path="/status")

    found = await build().device(uuid)

    assert found.status is told


async def test_a_device_is_looked_for_by_its_device_id_first_and_what_worked_is_remembered(
    cloud: Cloud, build: Build
) -> None:
    cloud.switch(path_id="id")
    vendor = build()
    await listed(vendor.devices("devices"))
    first, second, *_ = cloud.uuids()
    cloud.forget_requests()

    await vendor.readings("stats", first)
    await vendor.readings("stats", second)

    ids_asked = [request.path.split("/")[6] for request in cloud.requests]
    assert ids_asked == [first, "0001", "0002"]


@pytest.mark.parametrize("missing", ["error", "empty", "not_found"])
@pytest.mark.parametrize("error_text", [None, "Something went wrong"])
async def test_the_other_id_is_tried_however_the_first_is_answered(
    cloud: Cloud, build: Build, *, missing: str, error_text: str | None
) -> None:
    cloud.switch(path_id="id", missing=missing, error_text=error_text)
    vendor = build()
    await listed(vendor.devices("devices"))
    uuid = cloud.uuids()[0]

    found = await vendor.device(uuid)

    assert found.device.id == uuid


@pytest.mark.parametrize("path_id", ["device_id", "id"])
async def test_a_configured_id_is_the_only_one_tried(cloud: Cloud, build: Build, path_id: str) -> None:
    cloud.switch(path_id=path_id)
    vendor = build(path_id=path_id)
    uuid = cloud.uuids()[0]

    await vendor.readings("stats", uuid)
    await vendor.readings("stats", uuid)

    assert cloud.counts[f"{PATH}/devices/{{device}}/stat"] == 2
    assert cloud.counts[f"{PATH}/devices"] == (path_id == "id")  # once, to learn the other id


async def test_a_configured_id_that_the_list_does_not_have_is_unavailable(build: Build) -> None:
    assert type(await failure(stats, build(path_id="id"))) is ResourceUnavailable


async def test_a_refused_key_is_not_taken_for_a_wrong_id(cloud: Cloud, build: Build) -> None:
    vendor = build()
    await listed(vendor.devices("devices"))
    cloud.revoke()
    cloud.forget_requests()

    with pytest.raises(CredentialsRejected):
        await vendor.readings("stats", cloud.uuids()[0])

    assert len(cloud.requests) == 1


@pytest.mark.parametrize("odd", ["", ".", ".."])
async def test_an_id_that_would_lead_to_another_path_is_not_asked_for(cloud: Cloud, build: Build, odd: str) -> None:
    vendor = build()

    for asking in (vendor.device(odd), vendor.readings("stats", odd), vendor.group_devices(odd)):
        with pytest.raises(ResourceUnavailable):
            await asking

    assert not cloud.requests


# -- statistics


@pytest.mark.parametrize("as_text", [True, False])
async def test_statistics_are_readings(cloud: Cloud, build: Build, *, as_text: bool) -> None:
    cloud.switch(numbers_as_text=as_text)
    uuid = cloud.uuids()[0]
    sent = cloud.fleet[uuid].messages

    found = await build().readings("stats", uuid)

    assert found == Sighting(Device(id=uuid), readings=Readings(messages=sent, transferred_bytes=240 * sent))


@pytest.mark.parametrize(
    ("raw", "readings"),
    [
        ({"msg_tot": 7, "bytes_tot": 100}, Readings(messages=7, transferred_bytes=100)),
        ([{"msg_tot": 7, "bytes_tot": 100}], Readings(messages=7, transferred_bytes=100)),
        ({"msg_tot": None, "bytes_tot": "100"}, Readings(transferred_bytes=100)),
        ({"msg_tot": 0, "bytes_tot": -5}, Readings(messages=0)),
        ({"msg_tot": 10**30, "bytes_tot": 1}, Readings(transferred_bytes=1)),
    ],
)
async def test_an_odd_total_costs_its_field(cloud: Cloud, build: Build, raw: object, readings: Readings) -> None:
    answer(cloud, raw, path="/stat")

    found = await build().readings("stats", "X400_1")

    assert found.readings == readings


@pytest.mark.parametrize("raw", [{"msg_tot": None}, {"msg_1": 7}, {}, 7, [7]])
async def test_statistics_without_totals_are_no_answer(cloud: Cloud, build: Build, raw: object) -> None:
    answer(cloud, raw, path="/stat")

    assert type(await failure(stats, build())) is AnswerInvalid


# -- the account


async def test_a_check_costs_the_groups_alone(cloud: Cloud, build: Build) -> None:
    told = await build().check()

    assert told == "3 groups"
    assert dict(cloud.counts) == {f"{PATH}/groups": 1}


async def test_where_there_are_no_groups_a_check_reads_the_devices(cloud: Cloud, build: Build) -> None:
    cloud.switch(no_groups=404)

    assert await build().check() == "9 devices"


async def test_no_other_path_is_asked_and_nothing_is_written(cloud: Cloud, build: Build) -> None:
    vendor = build()
    uuid = cloud.uuids()[0]

    await vendor.check()
    await listed(vendor.devices("devices"))
    await listed(vendor.groups("groups"))
    await vendor.readings("stats", uuid)
    await vendor.device(uuid)
    await vendor.group_devices("g-1")

    assert dict(cloud.counts) == {
        f"{PATH}/groups": 2,
        f"{PATH}/devices": 1,
        f"{PATH}/devices/{{device}}/stat": 1,
        f"{PATH}/devices/{{device}}": 1,
        f"{PATH}/devices/{{device}}/status": 1,
        f"{PATH}/devices/group/{{group}}": 1,
    }
    assert set(cloud.statuses) == {200}
    assert cloud.writes == []


async def test_walks_that_run_side_by_side_do_not_mix(cloud: Cloud, build: Build) -> None:
    vendor = build()

    both = await asyncio.gather(listed(vendor.devices("devices")), listed(vendor.devices("devices")))

    assert [ids(page) for pages in both for page in pages] == [cloud.uuids()] * 2


async def test_each_fault_on_the_way_is_told_and_the_next_walk_is_whole(cloud: Cloud, build: Build) -> None:
    vendor = build()
    cloud.faults.reset_next()
    cloud.faults.stall_next()
    cloud.faults.truncate_next()
    cloud.faults.garble_next()

    errors = [type(await failure(devices, vendor)) for _ in range(4)]

    assert errors == [SourceUnreachable, SourceUnreachable, AnswerInvalid, AnswerInvalid]
    [page] = await listed(vendor.devices("devices"))
    assert ids(page) == cloud.uuids()
