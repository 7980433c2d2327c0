"""The look-alike of JFrog Connect's API v1."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from fleetpulse.simulator import serve
from fleetpulse.simulator.jfrog_connect_v1 import JFrogConnectV1

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

STATES, DETAILS, STATE = "/v1/get_devices_state", "/v1/devices_details", "/v1/get_device_state"
NOW = datetime(2025, 3, 2, 8, 0, 0, tzinfo=UTC)


@dataclass
class Account:
    vendor: JFrogConnectV1
    url: str
    client: aiohttp.ClientSession

    async def ask(self, path: str, **body: Any) -> tuple[int, Any]:
        async with self.client.get(self.url + path, json={"user_token": "demo-token"} | body) as answer:
            return answer.status, json.loads(await answer.read())

    async def rows(self, path: str, **body: Any) -> Any:
        status, found = await self.ask(path, **body)
        assert status == 200, found
        return found["message"]


@pytest_asyncio.fixture
async def account(client: aiohttp.ClientSession) -> AsyncIterator[Account]:
    vendor = JFrogConnectV1(devices=60, now=lambda: NOW)
    async with serve(vendor) as url:
        yield Account(vendor, url, client)


def uuids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["device_uuid"] for row in rows]


# -- the question


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"user_token":"wrong"}', b"user_token=demo-token"])
async def test_the_token_must_be_in_a_json_body(account: Account, body: bytes) -> None:
    headers = {"Authorization": "Bearer demo-token", "user_token": "demo-token"}

    async with account.client.get(f"{account.url}{STATES}", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert "user_token" in json.loads(await answer.read())["error_message"]


async def test_answers_are_json_that_calls_itself_html_unless_switched(account: Account) -> None:
    async with account.client.get(account.url + STATES, json={"user_token": "demo-token"}) as answer:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    async with account.client.get(account.url + STATES) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    account.vendor.switch(content_type="application/json")
    async with account.client.get(account.url + STATES, json={"user_token": "demo-token"}) as answer:
        assert answer.content_type == "application/json"


async def test_a_revoked_token_is_refused_until_another_is_set(account: Account) -> None:
    account.vendor.revoke()
    revoked, _ = await account.ask(STATES)
    account.vendor.set_token("new")

    assert (revoked, (await account.ask(STATES))[0], (await account.ask(STATES, user_token="new"))[0]) == (
        400,
        400,
        200,
    )


# -- lists


@pytest.mark.parametrize("path", [STATES, DETAILS])
async def test_a_page_has_20_rows_unless_asked_and_50_at_most(account: Account, path: str) -> None:
    assert len(await account.rows(path)) == 20
    assert len(await account.rows(path, limit=50)) == 50
    for limit in (51, 0, "50", None, 1.5, True):
        assert (await account.ask(path, limit=limit))[0] == 400


async def test_states_go_on_from_a_uuid_and_have_no_more_flag(account: Account) -> None:
    _, first = await account.ask(STATES, limit=50)
    _, second = await account.ask(STATES, limit=50, offset=first["message"][-1]["device_uuid"])

    assert (set(first), set(second)) == ({"message"}, {"message"})
    assert uuids(first["message"]) + uuids(second["message"]) == account.vendor.uuids()


async def test_details_go_on_from_a_number_and_say_whether_there_is_more(account: Account) -> None:
    _, first = await account.ask(DETAILS, limit=50)
    _, second = await account.ask(DETAILS, limit=50, offset=first["message"][-1]["device_id"])

    assert (first["more"], second["more"]) == (True, False)
    assert uuids(first["message"]) + uuids(second["message"]) == account.vendor.uuids()


async def test_details_have_the_documented_fields_and_no_status(account: Account) -> None:
    (row,) = await account.rows(DETAILS, limit=1)

    assert set(row) == {
        "device_id", "device_uuid", "device_name", "upswift_version", "project", "group", "device_ip",
        "last_keepalive", "cpu_usage", "ram_usage", "disk_usage", "address", "lat", "lng", "is_update_trigger_set",
        "description", "registered_date", "tags", "updates", "updates_v2", "apps", "mac_addresses",
    }  # fmt: skip
    assert (row["device_id"], row["project"], len(row["last_keepalive"])) == (700101, "yard", 19)


async def test_an_offset_may_be_inclusive_or_unknown(account: Account) -> None:
    first = await account.rows(STATES, limit=2)
    account.vendor.switch(inclusive_offset=True)
    again = await account.rows(STATES, limit=2, offset=first[-1]["device_uuid"])
    refused, _ = await account.ask(STATES, offset="d-gone")
    account.vendor.switch(unknown_offset="empty")
    empty = await account.rows(STATES, offset="d-gone")
    account.vendor.switch(unknown_offset="first")
    anew = await account.rows(STATES, limit=2, offset="d-gone")

    assert again[0] == first[-1]
    assert (refused, empty, anew) == (400, [], first)


async def test_a_page_may_ignore_its_offset_or_its_limit(account: Account) -> None:
    account.vendor.switch(stuck_pages=True, limit_ignored=True)

    first = await account.rows(STATES, limit=50)
    second = await account.rows(STATES, limit=50, offset=first[-1]["device_uuid"])

    assert (len(first), first) == (20, second)


async def test_a_group_filters_only_within_a_project(account: Account) -> None:
    account.vendor.add_device(project="harbour", group="Lyon")

    both = await account.rows(STATES, project_name="yard", group_name="Lyon")
    alone = await account.rows(STATES, group_name="Lyon", limit=50)
    other = await account.rows(STATES, project_name="harbour")

    assert (len(both), len(alone), len(other)) == (20, 50, 1)
    assert await account.rows(STATES, project_name="Yard") == []


async def test_lists_may_be_empty_or_half(account: Account) -> None:
    account.vendor.half_list()
    half = await account.rows(DETAILS, limit=50)
    account.vendor.empty_list()
    empty = await account.rows(STATES, limit=50)

    assert (len(half), empty) == (30, [])


# -- quirks


async def test_q1_one_matching_device_may_be_one_object(account: Account) -> None:
    account.vendor.switch(lone_object=True)

    lone = await account.rows(STATES, limit=1)
    two = await account.rows(STATES, limit=2)

    assert lone["device_uuid"] == two[0]["device_uuid"]


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("uuid", {"device_uuid"}),
        ("number", {"device_id"}),
        ("both", {"device_uuid", "device_id"}),
        ("uuid as device_id", {"device_id"}),
    ],
)
async def test_q2_states_go_by_any_id(account: Account, form: str, names: set[str]) -> None:
    account.vendor.switch(state_ids=form)

    (row,) = await account.rows(STATES, limit=1)

    assert set(row) == {"device_status", "device_name"} | names


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("device_id", {"device_id"}),
        ("device_uuid", {"device_uuid"}),
        ("number", {"device_id"}),
        ("device_token", {"device_token"}),
        ("absent", set()),
    ],
)
async def test_q3_the_state_of_one_device_is_named_in_any_way(account: Account, form: str, names: set[str]) -> None:
    account.vendor.switch(lone_id=form)
    device = account.vendor.fleet.rows[0]

    by_uuid = await account.rows(STATE, device_id=device.uuid)
    by_number = await account.rows(STATE, device_id=device.number)

    assert set(by_uuid) == {"device_status"} | names
    assert by_number == by_uuid
    assert (await account.ask(STATE, device_id="d-gone"))[0] == 400


async def test_q4_updates_are_spelled_in_two_ways(account: Account) -> None:
    account.vendor.deploy([account.vendor.uuids()[0]])

    ((example,),) = [row["updates_v2"] for row in await account.rows(DETAILS, limit=1)]
    account.vendor.switch(update_names="field list")
    ((listed,),) = [row["updates_v2"] for row in await account.rows(DETAILS, limit=1)]

    assert (example["update_status"], example["deployment_schedule_time"]) == ("pending", "2025-03-02 08:00:00")
    assert (listed["deployment_status"], listed["deployment_scheduled_time"]) == ("pending", "2025-03-02 08:00:00")
    assert "update_status" not in listed


# -- stories


async def test_devices_drop_return_move_appear_and_vanish(account: Account) -> None:
    vendor = account.vendor
    dropped = vendor.drop(5)
    vendor.restore(2)
    vendor.rename(vendor.uuids()[0], "gate-17")
    vendor.move(vendor.uuids()[0], "Gaia")
    vendor.remove(vendor.uuids()[1])
    vendor.add_device(uuid="d-new")

    rows = await account.rows(DETAILS, limit=50)

    assert vendor.uuids("offline") == dropped[2:]
    assert (rows[0]["device_name"], rows[0]["group"]) == ("gate-17", "Gaia")
    assert (len(vendor.uuids()), vendor.uuids()[-1]) == (60, "d-new")


async def test_a_device_with_an_agent_of_version_7_is_served_no_more(account: Account) -> None:
    uuid = account.vendor.uuids()[0]

    account.vendor.upgrade(uuid)

    assert uuid not in uuids(await account.rows(STATES, limit=50))
    assert (await account.ask(STATE, device_id=uuid))[0] == 400


async def test_a_deployment_goes_its_way_over_its_devices(account: Account) -> None:
    vendor = account.vendor
    first, second, third = vendor.uuids()[:3]
    deployment = vendor.deploy([first, second, third], apps={"default_app": "v9"})
    vendor.advance(deployment, third, "success", installs=False)
    (failed,) = vendor.settle(deployment, failed=1, output="disk full")

    rows = {row["device_uuid"]: row for row in await account.rows(DETAILS, limit=3)}

    updates = {uuid: row["updates_v2"][0] for uuid, row in rows.items()}
    assert (updates[failed]["update_status"], updates[failed]["comment"]) == ("failed", "disk full")
    (well,) = {first, second} - {failed}
    assert updates[well]["apps_updated"] == [{"app_name": "default_app", "app_new_version": "v9"}]
    assert rows[well]["apps"] == [{"app_name": "default_app", "version": "v9"}]
    assert (updates[third]["update_status"], rows[third]["apps"][0]["version"]) == ("success", "v1.3")


async def test_only_the_last_five_updates_of_each_kind_are_told(account: Account) -> None:
    uuid = account.vendor.uuids()[0]
    for number in range(6):
        account.vendor.deploy([uuid], flow=f"flow-{number}")
        account.vendor.update([uuid], version=f"v{number}")

    (row,) = await account.rows(DETAILS, limit=1)

    assert [each["flow_name"] for each in row["updates_v2"]] == [f"flow-{number}" for number in range(1, 6)]
    assert [each["update_version"] for each in row["updates"]] == [f"v{number}" for number in range(1, 6)]


async def test_a_forgotten_deployment_is_told_no_more(account: Account) -> None:
    account.vendor.forget_deployment(account.vendor.deploy(60))

    assert {len(row["updates_v2"]) for row in await account.rows(DETAILS, limit=50)} == {0}


async def test_odd_rows_can_be_evened_again(account: Account) -> None:
    before = await account.rows(DETAILS, limit=50)
    account.vendor.odd_rows(60)
    odd = await account.rows(DETAILS, limit=50)
    account.vendor.even_rows()

    assert odd != before
    assert await account.rows(DETAILS, limit=50) == before


# -- manners


async def test_a_fourth_call_in_a_minute_gets_the_documented_body_and_no_retry_after(account: Account) -> None:
    account.vendor.switch(limit_per_s=0.05)
    statuses = [(await account.ask(STATES))[0] for _ in range(3)]

    async with account.client.get(account.url + STATES) as answer:
        assert (statuses, answer.status, await answer.read()) == ([200, 200, 200], 429, b"{}")
        assert "Retry-After" not in answer.headers
    assert account.vendor.rude == 1


async def test_who_is_rude_too_often_is_banned_until_forgiven(account: Account) -> None:
    account.vendor.switch(limit_per_s=0.05, bans_after=2)
    statuses = [(await account.ask(STATES))[0] for _ in range(6)]
    account.vendor.switch(limit_per_s=None)
    still, _ = await account.ask(STATES)
    account.vendor.unban()

    assert statuses == [200, 200, 200, 429, 429, 403]
    assert (still, (await account.ask(STATES))[0]) == (403, 200)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", DETAILS), ("POST", "/v1/set_update_trigger"), ("DELETE", "/v1/device_tags")]
)
async def test_writes_are_refused_and_recorded(account: Account, method: str, path: str) -> None:
    async with account.client.request(method, account.url + path, json={"user_token": "demo-token"}) as answer:
        assert answer.status == 405

    assert [(write.method, write.path) for write in account.vendor.writes] == [(method, path)]


async def test_an_unknown_path_is_not_found_and_on_record(account: Account) -> None:
    status, _ = await account.ask("/v1/devices")

    assert status == 404
    assert [seen.path for seen in account.vendor.requests] == ["/v1/devices"]


async def test_states_are_spelled_as_in_the_prose_when_switched(account: Account) -> None:
    account.vendor.switch(capital_words=True)

    _, listed = await account.ask(STATES)

    assert {row["device_status"] for row in listed["message"]} == {"Online"}
