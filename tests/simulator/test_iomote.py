"""The Iomote look-alike."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio

from fleetpulse.simulator import serve
from fleetpulse.simulator.iomote import Iomote
from fleetpulse.simulator.iomote.devices import device_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

USER = "/api/user/u-1/demo-key"


@dataclass
class Account:
    vendor: Iomote
    url: str
    client: aiohttp.ClientSession

    async def ask(self, path: str, account: str = USER) -> tuple[int, bytes]:
        async with self.client.get(self.url + account + path) as answer:
            return answer.status, await answer.read()

    async def get(self, path: str) -> Any:
        status, body = await self.ask(path)
        assert status == 200, body
        return json.loads(body)


@pytest_asyncio.fixture
async def account(client: aiohttp.ClientSession) -> AsyncIterator[Account]:
    vendor = Iomote(devices=6)
    async with serve(vendor) as url:
        yield Account(vendor, url, client)


async def test_the_list_is_bare_and_has_the_documented_fields(account: Account) -> None:
    rows = await account.get("/devices")

    assert len(rows) == 6
    assert set(rows[0]) == {"device", "status"}
    assert set(rows[0]["device"]) == {
        "id", "device_id", "device_key", "user_id", "group_id", "name", "type", "location", "connectivity", "fwversion",
        "app_name", "app_version", "stat_device_id", "ICCID",
    }  # fmt: skip
    assert all(isinstance(value, str) for value in rows[0]["device"].values())
    assert rows[0]["status"] == "Connected"
    assert rows[0]["device"]["device_id"] == account.vendor.uuids()[0]
    assert len(device_key(account.vendor.uuids()[0])) == 64


async def test_one_device_is_a_list_of_one_or_an_object(account: Account) -> None:
    uuid = account.vendor.uuids()[0]

    one = await account.get(f"/devices/{uuid}")
    account.vendor.switch(one_device="object")
    bare = await account.get(f"/devices/{uuid}")

    assert one == [bare]
    assert bare["device"]["device_id"] == uuid


async def test_the_status_call_has_another_name_for_it(account: Account) -> None:
    [uuid] = account.vendor.drop(1)

    found = await account.get(f"/devices/{uuid}/status")

    assert found == {"connectionState": "Disconnected"}


async def test_statistics_count_what_a_device_sends(account: Account) -> None:
    uuid = account.vendor.uuids()[0]
    before = await account.get(f"/devices/{uuid}/stat")
    account.vendor.send(uuid, 10)

    after = await account.get(f"/devices/{uuid}/stat")

    days = [f"{what}_{day}" for what in ("msg", "bytes") for day in range(1, 8)]
    assert set(after) == {
        "id", "stat_of_device_id", "msg_tot", "msg_current", "bytes_tot", "bytes_current", *days,
    }  # fmt: skip
    assert after["msg_tot"] == before["msg_tot"] + 10
    assert after["bytes_tot"] > before["bytes_tot"]


async def test_a_groups_devices_come_without_status(account: Account) -> None:
    [lyon, *_] = await account.get("/groups")

    rows = await account.get(f"/devices/group/{lyon['id']}")

    assert lyon["name"] == "Lyon"
    assert [row["device_id"] for row in rows] == account.vendor.uuids(group="Lyon")
    assert {"status", "connectionState"}.isdisjoint(rows[0])


@pytest.mark.parametrize("where", ["/api/user/u-1/other-key", "/api/user/u-2/demo-key"])
@pytest.mark.parametrize("path", ["/devices", "/groups", "/devices/x/stat"])
async def test_another_user_or_key_is_an_error_with_status_200(account: Account, where: str, path: str) -> None:
    status, body = await account.ask(path, where)

    assert (status, json.loads(body)) == (200, {"error": "The user id or the API key is not valid"})


@pytest.mark.parametrize(("dress", "body"), [("word", b"ERROR"), ("json_word", b'"ERROR"')])
async def test_an_error_comes_in_other_dresses_with_any_status(account: Account, dress: str, body: bytes) -> None:
    account.vendor.switch(error_dress=dress, error_status=418)
    account.vendor.revoke()

    assert await account.ask("/devices") == (418, body)


async def test_a_key_is_renewed(account: Account) -> None:
    account.vendor.revoke()
    account.vendor.set_key("new-key")

    status, body = await account.ask("/devices", "/api/user/u-1/new-key")

    assert status == 200
    assert len(json.loads(body)) == 6


@pytest.mark.parametrize(
    ("missing", "answer"),
    [("error", (200, {"error": "Device not found"})), ("empty", (200, [])), ("not_found", (404, None))],
)
async def test_a_device_that_is_not_there_is_answered_as_switched(
    account: Account, missing: str, answer: tuple[int, Any]
) -> None:
    account.vendor.switch(missing=missing)

    status, body = await account.ask("/devices/X400_0")

    assert (status, None if status == 404 else json.loads(body)) == answer


@pytest.mark.parametrize(
    ("path_id", "found"), [("device_id", [True, False]), ("id", [False, True]), ("both", [True] * 2)]
)
async def test_paths_take_one_id_the_other_or_both(account: Account, path_id: str, found: list[bool]) -> None:
    account.vendor.switch(path_id=path_id)
    device = account.vendor.fleet.rows[0]

    answers = [await account.get(f"/devices/{each}/status") for each in (device.device_id, device.id)]

    assert ["connectionState" in answer for answer in answers] == found


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("azure", ["Connected", "Disconnected"]),
        ("lower", ["connected", "disconnected"]),
        ("line", ["online", "offline"]),
        ("number", [1, 0]),
        ("boolean", [True, False]),
    ],
)
async def test_a_status_has_other_words(account: Account, words: str, told: list[Any]) -> None:
    first, second, third = account.vendor.uuids()[:3]
    account.vendor.set_status(second, "offline")
    account.vendor.set_status(third, "Resting")
    account.vendor.switch(words=words)

    rows = await account.get("/devices")

    assert [row["status"] for row in rows[:3]] == [*told, "Resting"]
    assert rows[0]["device"]["device_id"] == first


async def test_devices_come_and_go_move_and_change(account: Account) -> None:
    vendor = account.vendor
    gone, moved, renamed, *_ = vendor.uuids()
    await account.get("/devices")
    vendor.remove(gone)
    vendor.move(moved, "Porto")
    vendor.rename(renamed, "Boiler 2")
    added = vendor.add_device(name="new", group="", ICCID="8939")
    vendor.drop(2)
    vendor.restore(1)

    rows = {row["device"]["device_id"]: row for row in await account.get("/devices")}

    assert list(rows) == vendor.uuids()
    assert gone not in rows
    assert (rows[moved]["device"]["group_id"], rows[renamed]["device"]["name"]) == ("g-3", "Boiler 2")
    assert (rows[added]["device"]["group_id"], rows[added]["device"]["ICCID"]) == ("", "8939")
    assert sorted(row["status"] for row in rows.values()) == ["Connected"] * 5 + ["Disconnected"]


async def test_the_list_can_be_halved_and_emptied(account: Account) -> None:
    account.vendor.half_list()
    half = await account.get("/devices")
    account.vendor.empty_list()
    none = await account.get("/devices")
    account.vendor.empty_list(on=False)

    whole = await account.get("/devices")

    assert (half, none, len(whole)) == (whole[:3], [], 6)


async def test_odd_rows_are_undone(account: Account) -> None:
    before = await account.get("/devices")
    account.vendor.odd_rows(6)
    account.vendor.set_raw(account.vendor.uuids()[0], "nonsense")
    status, spoiled = await account.ask("/devices")
    account.vendor.even_rows()

    after = await account.get("/devices")

    assert (status, spoiled[:10]) == (200, b"[nonsense,")
    assert after == before


async def test_groups_may_be_refused_and_renamed(account: Account) -> None:
    account.vendor.rename_group("Lyon", "Lyon 2")
    account.vendor.add_group("Turin")
    names = [row["name"] for row in await account.get("/groups")]
    account.vendor.switch(no_groups=403)

    status, _ = await account.ask("/groups")

    assert (names, status) == (["Lyon 2", "Nantes", "Porto", "Turin"], 403)


async def test_unset_fields_and_numbers_have_other_forms(account: Account) -> None:
    account.vendor.switch(unset=None, ids="int", numbers_as_text=True)

    [row, *_] = await account.get("/devices")
    stat = await account.get(f"/devices/{account.vendor.uuids()[0]}/stat")

    assert (row["device"]["connectivity"], row["device"]["id"]) == (None, 1)
    assert stat["msg_tot"].isdecimal()


async def test_writes_are_recorded_and_refused_and_other_paths_are_not_found(account: Account) -> None:
    uuid = account.vendor.uuids()[0]
    paths = [f"{USER}/devices/{uuid}/newfirmware/7/NOW", f"{USER}/devices/{uuid}/sendjson"]
    for path in paths:
        async with account.client.post(account.url + path, data=b"{}") as answer:
            assert answer.status == 405

    status, _ = await account.ask("/apps")

    assert status == 404
    assert [write.path for write in account.vendor.writes] == paths
    assert account.vendor.counts["GET /{path}"] == 1


async def test_a_ceiling_may_be_set(account: Account) -> None:
    account.vendor.switch(limit_per_s=1)

    statuses = [(await account.ask("/groups"))[0] for _ in range(3)]

    assert statuses == [200, 429, 429]
    assert account.vendor.rude == 2


def test_a_fleet_is_the_same_for_the_same_seed() -> None:
    assert Iomote(devices=5).uuids() == Iomote(devices=5).uuids() != Iomote(devices=5, seed=2).uuids()


def test_what_is_not_there_cannot_be_told_of() -> None:
    vendor = Iomote(devices=1)

    with pytest.raises(LookupError):
        vendor.set_status("X400_0", "offline")
    with pytest.raises(LookupError):
        vendor.move(vendor.uuids()[0], "Turin")
    with pytest.raises(ValueError, match="only 1 devices are online"):
        vendor.drop(2)
    with pytest.raises(ValueError, match="already"):
        vendor.add_device(uuid=vendor.uuids()[0])


def test_one_change_in_many_devices_encodes_one_piece_of_the_list_anew() -> None:
    vendor = Iomote(devices=5_000)
    vendor.fleet.first(5_000, vendor._forms)
    before = dict(vendor.fleet._pieces)
    vendor.drop(1)

    vendor.fleet.first(5_000, vendor._forms)

    kept = [vendor.fleet._pieces[start] is piece for start, piece in before.items()]
    assert sorted(kept) == [False, True, True, True, True]
