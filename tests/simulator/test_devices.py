"""The device list and the single device of the JFrog Connect look-alike."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from fleetpulse.simulator import JFrogConnect, serve

if TYPE_CHECKING:
    import aiohttp

    from simulator.conftest import Yard

NOON = datetime(2025, 3, 2, 12, 0, 0, tzinfo=UTC)


def names(page: dict[str, Any]) -> list[str]:
    return [row["device_uuid"] for row in page["devices"]]


def opened(token: str) -> Any:
    return json.loads(base64.b64decode(token))


async def test_pages_follow_the_token_and_cover_the_fleet_in_order_of_creation(yard: Yard) -> None:
    first = await yard.get("/devices", "limit=4")
    second = await yard.get("/devices", f"limit=4&after={quote(first['pagination_info']['after'])}")

    assert names(first) + names(second) == yard.account.uuids()
    assert [page["pagination_info"]["total"] for page in (first, second)] == [6, 6]


async def test_the_token_holds_cursor_and_page_size_and_comes_on_the_last_page_too(yard: Yard) -> None:
    page = await yard.get("/devices", "limit=6")

    assert opened(page["pagination_info"]["after"]) == {"cursor": 6, "limit": 6}


async def test_past_the_last_row_the_page_is_empty_and_has_no_token(yard: Yard) -> None:
    full = await yard.get("/devices", "limit=6")

    past = await yard.get("/devices", f"limit=6&after={quote(full['pagination_info']['after'])}")

    assert past == {"devices": [], "pagination_info": {"after": None, "total": 6}}


async def test_the_last_token_can_be_switched_off(yard: Yard) -> None:
    yard.account.last_token = False

    page = await yard.get("/devices", "limit=6")

    assert page["pagination_info"]["after"] is None


async def test_a_walk_goes_on_past_a_device_deleted_under_it(yard: Yard) -> None:
    uuids = yard.account.uuids()
    first = await yard.get("/devices", "limit=3")

    yard.account.remove(uuids[2])
    second = await yard.get("/devices", f"limit=3&after={quote(first['pagination_info']['after'])}")

    assert names(second) == uuids[3:]


async def test_without_limit_a_page_has_a_hundred_devices(client: aiohttp.ClientSession) -> None:
    account = JFrogConnect(devices=101)
    async with serve(account) as url:
        headers = {"Authorization": "Bearer demo-token"}
        async with client.get(url + "/api/v2/yard/devices", headers=headers) as answer:
            page = await answer.json()

    assert len(page["devices"]) == 100


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1001",
        "limit=ten",
        "limit=",
        "after=garbage",
        "after=eyJhIjoxfQ==",
        "enrich_info=x",
    ],
)
async def test_what_makes_no_sense_is_refused(yard: Yard, query: str) -> None:
    status, body = await yard.ask("/devices", query)

    assert (status, list(body)) == (400, ["message"])


async def test_a_token_of_another_page_size_is_refused(yard: Yard) -> None:
    first = await yard.get("/devices", "limit=2")

    status, _ = await yard.ask("/devices", f"limit=3&after={quote(first['pagination_info']['after'])}")

    assert status == 400


async def test_a_group_filter_lists_that_group_only(yard: Yard) -> None:
    page = await yard.get("/devices", "group_name=Nantes")

    assert names(page) == yard.account.uuids(group="Nantes")
    assert page["pagination_info"]["total"] == 2


async def test_repeated_tags_mean_any_of_them(yard: Yard) -> None:
    red = yard.account.add_device(tags=["red"])
    blue = yard.account.add_device(tags=["blue", "big one"])
    yard.account.add_device(tags=["green"])

    page = await yard.get("/devices", "tags=red&tags=big+one")

    assert names(page) == [red, blue]


@pytest.mark.parametrize("envelope", ["devices", "data", "items"])
async def test_the_list_may_stand_under_another_key(yard: Yard, envelope: str) -> None:
    yard.account.switch(devices_envelope=envelope)

    page = await yard.get("/devices")

    assert [row["device_uuid"] for row in page[envelope]] == yard.account.uuids()
    assert page["pagination_info"]["total"] == 6


async def test_the_list_may_be_bare(yard: Yard) -> None:
    yard.account.devices_envelope = "list"

    assert [row["device_uuid"] for row in await yard.get("/devices")] == yard.account.uuids()


async def test_the_list_may_be_one_bare_device(yard: Yard) -> None:
    yard.account.devices_envelope = "single"

    assert (await yard.get("/devices"))["device_uuid"] == yard.account.uuids()[0]


@pytest.mark.parametrize(("mode", "info"), [("all", {"total": 6}), ("page", {"total": 4}), ("absent", {})])
async def test_total_counts_all_or_the_page_or_is_absent(yard: Yard, mode: str, info: dict[str, int]) -> None:
    yard.account.switch(total_mode=mode)

    told = (await yard.get("/devices", "limit=4"))["pagination_info"]

    assert {name: value for name, value in told.items() if name != "after"} == info


@pytest.mark.parametrize(
    ("form", "tags"),
    [
        ("list", {"tags": ["a", "b"]}),
        ("object", {"tags": {"message": "", "names": ["a", "b"]}}),
        ("names", {"tags": {"names": ["a", "b"]}}),
        ("null", {"tags": None}),
        ("absent", {}),
    ],
)
async def test_tags_come_in_each_form_seen(yard: Yard, form: str, tags: dict[str, Any]) -> None:
    yard.account.switch(tags_form=form)
    yard.account.add_device(tags=["a", "b"])

    row = (await yard.get("/devices", "enrich_info=true"))["devices"][-1]

    assert {name: value for name, value in row.items() if name == "tags"} == tags


async def test_tags_are_left_out_unless_asked_for(yard: Yard) -> None:
    page = await yard.get("/devices")

    assert all("tags" not in row for row in page["devices"])


async def test_past_a_hundred_tags_a_message_says_that_some_are_left_out(yard: Yard) -> None:
    yard.account.add_device(tags=[f"t{n}" for n in range(103)])

    tags = (await yard.get("/devices", "enrich_info=true"))["devices"][-1]["tags"]

    assert len(tags["names"]) == 100
    assert "3" in tags["message"]


async def test_a_repeated_token_gives_the_same_page_again_and_again(yard: Yard) -> None:
    yard.account.repeat_token = True

    first = await yard.get("/devices", "limit=2")
    second = await yard.get("/devices", f"limit=2&after={quote(first['pagination_info']['after'])}")

    assert second["pagination_info"] == first["pagination_info"]
    assert names(second) == yard.account.uuids()[2:4]


async def test_an_endless_list_repeats_rows_under_ever_new_tokens(yard: Yard) -> None:
    yard.account.endless = True
    after, seen, tokens = "", [], set()

    for _ in range(4):
        page = await yard.get("/devices", f"limit=4&after={quote(after)}")
        after = page["pagination_info"]["after"]
        seen += names(page)
        tokens.add(after)

    assert seen == (yard.account.uuids() * 3)[:16]
    assert len(tokens) == 4
    assert page["pagination_info"]["total"] > len(seen)


async def test_an_endless_list_can_be_made_of_ever_new_rows(yard: Yard) -> None:
    yard.account.endless = "fresh"
    first = await yard.get("/devices", "limit=7")

    second = await yard.get("/devices", f"limit=7&after={quote(first['pagination_info']['after'])}")

    assert len(set(names(first) + names(second))) == 14


async def test_the_list_can_pretend_to_be_empty_or_half(yard: Yard) -> None:
    yard.account.half_list()
    half = await yard.get("/devices")
    yard.account.empty_list()
    none = await yard.get("/devices")
    yard.account.empty_list(on=False)
    all_of_it = await yard.get("/devices")

    assert [len(page["devices"]) for page in (half, none, all_of_it)] == [3, 0, 6]
    assert [page["pagination_info"]["total"] for page in (half, none, all_of_it)] == [3, 0, 6]


async def test_a_list_row_has_the_documented_fields_and_iso_dates(yard: Yard) -> None:
    row = (await yard.get("/devices"))["devices"][0]

    assert set(row) == {
        "address", "agent_version", "cpu_usage", "current_disk_usage", "description", "device_ip", "device_name",
        "device_status", "device_uuid", "disk_size", "group_name", "is_update_trigger_set", "last_keepalive", "lat",
        "lng", "project", "ram_usage", "registered_date",
    }  # fmt: skip
    assert datetime.strptime(row["last_keepalive"], "%Y-%m-%dT%H:%M:%S%z")


async def test_a_device_alone_has_naive_dates_and_more_when_asked(yard: Yard) -> None:
    uuid = yard.account.uuids()[0]
    dp = yard.account.deploy([uuid], comment="spring")

    plain = await yard.get(f"/devices/{uuid}")
    rich = await yard.get(f"/devices/{uuid}", "enrich_info=true")

    assert datetime.strptime(plain["last_keepalive"] + "+0000", "%Y-%m-%d %H:%M:%S%z")
    assert set(rich) - set(plain) == {"apps", "mac_address", "tags", "updates"}
    assert isinstance(rich["tags"], list)
    update = rich["updates"][0]
    assert (update["deployment_status"], update["deployment_start_time"], update["comment"]) == (
        "pending",
        "",
        "spring",
    )
    assert dp


async def test_updates_tell_the_last_five_deployments_the_newest_first(yard: Yard) -> None:
    uuid = yard.account.uuids()[0]
    for number in range(6):
        yard.account.deploy([uuid], comment=str(number))

    rich = await yard.get(f"/devices/{uuid}", "enrich_info=true")

    assert [update["comment"] for update in rich["updates"]] == ["5", "4", "3", "2", "1"]


async def test_an_unknown_device_is_not_found(yard: Yard) -> None:
    assert (await yard.ask("/devices/d-0000-0000"))[0] == 404


async def test_statuses_drop_and_return(yard: Yard) -> None:
    account = yard.account

    dropped = account.drop(4)
    one_back = account.restore(1)
    account.set_status(account.uuids()[0], "hibernating")

    assert len(dropped) == 4
    assert one_back == dropped[:1]
    listed = {row["device_uuid"]: row["device_status"] for row in (await yard.get("/devices"))["devices"]}
    assert listed == {device.uuid: device.status for device in account.fleet.rows}
    assert account.restore() == [uuid for uuid in dropped[1:] if uuid != account.uuids()[0]]


def test_more_than_are_online_can_not_drop() -> None:
    with pytest.raises(ValueError, match="only 2"):
        JFrogConnect(devices=2).drop(3)


async def test_devices_are_renamed_moved_added_and_removed(yard: Yard) -> None:
    first, second, *_ = yard.account.uuids()

    yard.account.rename(first, "north gate")
    yard.account.move(first, "Porto")
    yard.account.remove([second])
    added = yard.account.add_device(name="new", group="Lyon", uuid="d-aaaa-bbbb", cpu_usage=None)

    rows = (await yard.get("/devices"))["devices"]
    assert (rows[0]["device_name"], rows[0]["group_name"]) == ("north gate", "Porto")
    assert second not in {row["device_uuid"] for row in rows}
    assert (rows[-1]["device_uuid"], rows[-1]["device_name"], rows[-1]["cpu_usage"]) == (added, "new", None)


def test_the_same_seed_invents_the_same_fleet() -> None:
    one, other, third = (JFrogConnect(devices=50, seed=seed) for seed in (7, 7, 8))

    assert one.uuids() == other.uuids()
    assert one.drop(5) == other.drop(5)
    assert one.uuids() != third.uuids()


async def test_a_row_can_hold_any_odd_value_and_be_made_even_again(yard: Yard) -> None:
    uuid = yard.account.uuids()[0]
    before = (await yard.get("/devices"))["devices"][0]

    yard.account.set_row(uuid, cpu_usage={"a": ["b"]}, device_name="half \ud83d", without=["device_status"])
    odd = (await yard.get("/devices"))["devices"][0]
    yard.account.even_rows()
    after = (await yard.get("/devices"))["devices"][0]

    assert (odd["cpu_usage"], odd["device_name"]) == ({"a": ["b"]}, "half \ud83d")
    assert "device_status" not in odd
    assert {**after, "last_keepalive": 0} == {**before, "last_keepalive": 0}


async def test_a_row_can_be_replaced_by_bytes_that_are_no_json(yard: Yard) -> None:
    yard.account.set_raw(yard.account.uuids()[0], b'{"device_name": "\xff"}')

    headers = {"Authorization": "Bearer demo-token"}
    async with yard.client.get(yard.url + "/api/v2/yard/devices", headers=headers) as answer:
        assert b'{"devices":[{"device_name": "\xff"},' in await answer.read()


async def test_odd_rows_spoil_as_many_rows_and_the_page_stays_json(client: aiohttp.ClientSession) -> None:
    account, twin = JFrogConnect(devices=40, live_keepalive=False), JFrogConnect(devices=40, live_keepalive=False)
    odd = account.odd_rows(15)

    async with serve(account) as url, serve(twin) as twin_url:
        pages = []
        for base in (url, twin_url):
            headers = {"Authorization": "Bearer demo-token"}
            async with client.get(base + "/api/v2/yard/devices", headers=headers) as answer:
                pages.append(json.loads(await answer.read())["devices"])

    keepalives_aside = {"last_keepalive": 0, "registered_date": 0}
    spoilt = [
        even["device_uuid"]
        for row, even in zip(*pages, strict=True)
        if not isinstance(row, dict) or {**even, **keepalives_aside} != {**row, **keepalives_aside}
    ]
    assert set(spoilt) <= set(odd)
    assert len(spoilt) >= 14  # one oddity is in the dates only


async def test_the_last_keepalive_follows_the_heartbeat_only_while_online(client: aiohttp.ClientSession) -> None:
    times = [NOON]
    account = JFrogConnect(devices=2, now=lambda: times[-1])
    account.set_status(account.uuids()[1], "offline")
    headers = {"Authorization": "Bearer demo-token"}

    async with serve(account) as url:
        keepalives = []
        for minutes in (0, 10):
            times.append(NOON + timedelta(minutes=minutes))
            async with client.get(url + "/api/v2/yard/devices", headers=headers) as answer:
                rows = (await answer.json())["devices"]
            keepalives.append([datetime.fromisoformat(row["last_keepalive"]) for row in rows])

    (online, offline), (online_later, offline_later) = keepalives
    assert online_later - online == timedelta(minutes=10)
    assert timedelta() <= NOON - online < timedelta(seconds=25)
    assert offline_later == offline


async def test_without_live_keepalives_a_row_changes_only_with_its_device(client: aiohttp.ClientSession) -> None:
    times = [NOON]
    account = JFrogConnect(devices=1, now=lambda: times[-1], live_keepalive=False)
    headers = {"Authorization": "Bearer demo-token"}
    bodies = []

    async with serve(account) as url:
        for change in (None, None, "offline"):
            times.append(times[-1] + timedelta(hours=1))
            if change:
                account.set_status(account.uuids(), change)
            async with client.get(url + "/api/v2/yard/devices", headers=headers) as answer:
                bodies.append(await answer.read())

    assert bodies[0] == bodies[1] != bodies[2]
