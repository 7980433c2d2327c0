"""The ScalePad look-alike."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
import pytest
import pytest_asyncio

from fleetpulse.simulator import serve
from fleetpulse.simulator.scalepad import ScalePad
from fleetpulse.simulator.scalepad.orders import MOST_KEPT, SORTS, Filters

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOBODY = "99999999-2b54-4d0e-9c51-5f3f8a1d2c10"


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.at = datetime(2026, 2, 24, 12, 0, 7, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Account:
    vendor: ScalePad
    clock: Clock
    url: str
    client: aiohttp.ClientSession

    async def ask(self, path: str = "/devices", token: str = "demo-token", **query: Any) -> tuple[int, Any]:  # noqa: S107 - invented
        address = f"{self.url}/v2/clients/{query.pop('client_id', self.vendor.client_id)}{path}?{urlencode(query)}"
        async with self.client.get(address, headers={"Authorization": f"Bearer {token}"}) as answer:
            body = await answer.read()
            return answer.status, json.loads(body) if answer.content_type == "application/json" else body.decode()

    async def get(self, path: str = "/devices", **query: Any) -> Any:
        status, body = await self.ask(path, **query)
        assert status == 200, body
        return body

    async def walk(self, **query: Any) -> list[str]:
        """Every id of a list, page after page."""
        page = await self.get(**query)
        found = [row["id"] for row in page["data"]]
        while page.get("next_cursor") is not None:
            page = await self.get(**query, cursor=page["next_cursor"])
            found += [row["id"] for row in page["data"]]
            assert len(found) <= len(self.vendor.fleet), "the pages go in circles"
        return found


@pytest_asyncio.fixture
async def account(client: aiohttp.ClientSession) -> AsyncIterator[Account]:
    clock = Clock()
    vendor = ScalePad(devices=7, now=clock)
    async with serve(vendor) as url:
        yield Account(vendor, clock, url, client)


# -- rows


async def test_a_device_has_the_documented_fields(account: Account) -> None:
    page = await account.get()

    assert set(page) == {"data", "total_count", "next_cursor"}
    assert (page["total_count"], page["next_cursor"]) == (7, None)
    row = page["data"][0]
    assert set(row) == {
        "id", "name", "status", "serial_number", "unique_key", "os_name", "os_version", "last_seen_at", "installed_at",
        "agent_version", "hardware", "extensions", "created_at", "updated_at",
    }  # fmt: skip
    assert set(row["hardware"]) == {"manufacturer", "model", "cpu_model", "cpu_cores", "ram"}
    assert set(row["extensions"]) == {"chrome", "edge", "firefox"}
    assert row["extensions"]["firefox"] == {
        "version": None, "installed": False, "auto_update": False, "last_activity_at": None,
    }  # fmt: skip
    assert row["last_seen_at"] == row["updated_at"] == "2026-02-24T12:00:00.000Z"


async def test_heartbeats_are_written_down_every_half_minute_and_end_with_the_device(account: Account) -> None:
    [dropped] = account.vendor.drop(1, silent_s=60)
    before = {row["id"]: row["last_seen_at"] for row in (await account.get())["data"]}

    account.clock.pass_s(30)

    after = {row["id"]: row["last_seen_at"] for row in (await account.get())["data"]}
    assert before.pop(dropped) == after.pop(dropped) == "2026-02-24T11:59:07.000Z"
    assert set(before.values()) == {"2026-02-24T12:00:00.000Z"}
    assert set(after.values()) == {"2026-02-24T12:00:30.000Z"}


async def test_a_device_that_was_never_enrolled_has_nulls(account: Account) -> None:
    pending = account.vendor.add_pending()

    row = await account.get(f"/devices/{pending}")

    assert row["status"] == "pending"
    assert {name for name, value in row.items() if value is None} == {
        "name", "serial_number", "os_name", "os_version", "last_seen_at", "installed_at", "agent_version", "hardware",
        "extensions",
    }  # fmt: skip


async def test_a_device_that_is_enrolled_at_last_comes_alive(account: Account) -> None:
    pending = account.vendor.add_pending()

    account.vendor.set_status(pending, "active")

    row = await account.get(f"/devices/{pending}")
    assert (row["last_seen_at"], row["installed_at"]) == ("2026-02-24T12:00:00.000Z", "2026-02-24T12:00:07.000Z")
    assert row["hardware"] is not None
    assert (await account.get("/devices/summary"))["agent_versions"]["distinct_count"] == 3


async def test_word_and_heartbeat_may_disagree(account: Account) -> None:
    old, asleep, *_ = account.vendor.uuids()
    account.vendor.set_last_seen(old, 86_400)
    account.vendor.set_status(asleep, "inactive")

    rows = {row["id"]: row for row in (await account.get())["data"]}

    assert (rows[old]["status"], rows[old]["last_seen_at"]) == ("active", "2026-02-23T12:00:07.000Z")
    assert (rows[asleep]["status"], rows[asleep]["last_seen_at"]) == ("inactive", "2026-02-24T12:00:00.000Z")


async def test_devices_drop_return_change_and_vanish(account: Account) -> None:
    dropped = account.vendor.drop(3)
    [back] = account.vendor.restore(1)
    account.vendor.rename(back, "NEW-NAME")
    account.vendor.remove(dropped[1])

    rows = {row["id"]: row for row in (await account.get())["data"]}

    assert back == dropped[0]
    assert (rows[back]["status"], rows[back]["name"]) == ("active", "NEW-NAME")
    assert rows[dropped[2]]["status"] == "inactive"
    assert dropped[1] not in rows
    assert account.vendor.state()["devices"] == {"active": 5, "inactive": 1}
    with pytest.raises(ValueError, match="only 5 devices"):
        account.vendor.drop(6)


async def test_rows_are_spoiled_and_mended(account: Account) -> None:
    first, second, *_ = account.vendor.uuids()
    account.vendor.set_row(first, without=["name"], status=7, last_seen_at="never")
    account.vendor.set_raw(second, "null")

    spoiled = (await account.get(sort_by="created_at", sort_order="asc"))["data"]
    account.vendor.even_rows()
    mended = (await account.get(sort_by="created_at", sort_order="asc"))["data"]

    assert (spoiled[0]["status"], spoiled[0]["last_seen_at"], "name" in spoiled[0]) == (7, "never", False)
    assert spoiled[1] is None
    assert [row["status"] for row in mended] == ["active"] * 7


# -- orders and pages


@pytest.mark.parametrize("sort_by", SORTS)
@pytest.mark.parametrize("nulls", ["first", "last"])
async def test_every_order_is_one_order_in_both_directions_and_any_page_size(
    account: Account, sort_by: str, nulls: str
) -> None:
    account.vendor.switch(nulls=nulls)
    pending = {account.vendor.add_pending(), account.vendor.add_pending()}
    account.vendor.drop(2)
    account.vendor.set_last_seen(account.vendor.uuids("active")[0], -60)

    up = await account.walk(sort_by=sort_by, sort_order="asc")
    down = await account.walk(sort_by=sort_by, sort_order="desc")
    by_two = await account.walk(sort_by=sort_by, sort_order="asc", page_size=2)
    down_by_two = await account.walk(sort_by=sort_by, page_size=2)

    assert sorted(up) == sorted(account.vendor.uuids())
    assert up == down[::-1] == by_two == down_by_two[::-1]
    values = {row["id"]: row[sort_by] for row in (await account.get())["data"]}
    told = [values[uuid] for uuid in up if values[uuid] is not None]
    assert told == sorted(told)
    if None in values.values():
        assert set(up[:2] if nulls == "first" else up[-2:]) == pending


async def test_the_default_is_fifty_devices_last_heartbeat_first(account: Account) -> None:
    for _ in range(50):
        account.vendor.add_device()
    [dropped] = account.vendor.drop(1)

    page = await account.get()

    assert (len(page["data"]), page["total_count"]) == (50, 57)
    assert (await account.walk())[-1] == dropped


async def test_a_list_sorted_by_heartbeat_loses_devices_that_move_meanwhile(account: Account) -> None:
    first = await account.get(page_size=3)
    account.clock.pass_s(60)

    second = await account.get(page_size=3, cursor=first["next_cursor"])

    assert (second["data"], second["next_cursor"]) == ([], None)


async def test_an_order_follows_every_change(account: Account) -> None:
    uuids = account.vendor.uuids()
    before = await account.walk(sort_by="name", sort_order="asc")
    account.vendor.rename(uuids[-1], "A")
    renamed = await account.walk(sort_by="name", sort_order="asc")
    account.vendor.remove(uuids[0])
    removed = await account.walk(sort_by="name", sort_order="asc")

    assert before == uuids
    assert renamed == [uuids[-1], *uuids[:-1]]
    assert removed == [uuids[-1], *uuids[1:-1]]


async def test_a_filtered_list_follows_every_change(account: Account) -> None:
    before = await account.walk(status="inactive")

    dropped = account.vendor.drop(2)

    assert (before, sorted(await account.walk(status="inactive"))) == ([], sorted(dropped))


def test_an_order_is_kept_until_something_in_it_changes() -> None:
    vendor = ScalePad(devices=3)
    ask = {"tick": 0.0, "nulls": "last", "folded": False}

    by_age = vendor.orders.rows("created_at", Filters(), **ask)  # type: ignore[arg-type]  # spread keywords
    by_word = vendor.orders.rows("status", Filters(), **ask)  # type: ignore[arg-type]  # likewise
    vendor.drop(1)

    assert vendor.orders.rows("created_at", Filters(), **ask) is by_age  # type: ignore[arg-type]  # likewise
    assert vendor.orders.rows("status", Filters(), **ask) is not by_word  # type: ignore[arg-type]  # likewise


async def test_ever_new_searches_fill_no_memory(account: Account) -> None:
    for number in range(MOST_KEPT + 20):
        await account.get(q=f"x{number}")

    assert len(account.vendor.orders._kept) <= MOST_KEPT


async def test_a_cursor_is_base64url_of_json_and_the_last_page_has_none(account: Account) -> None:
    page = await account.get(page_size=4)
    last = await account.get(page_size=4, cursor=page["next_cursor"])

    cursor = page["next_cursor"]
    content = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    assert content["last_id"] == page["data"][-1]["id"]
    assert last["next_cursor"] is None


async def test_the_last_page_may_leave_the_cursor_out(account: Account) -> None:
    account.vendor.switch(last_cursor="absent")

    assert "next_cursor" not in await account.get()
    assert (await account.get(page_size=4))["next_cursor"]
    assert "next_cursor" not in await account.get(f"/devices/{account.vendor.uuids()[0]}/deployments")


async def test_every_page_may_carry_the_first_pages_cursor(account: Account) -> None:
    account.vendor.switch(repeat_cursor=True)

    first = await account.get(page_size=3)
    second = await account.get(page_size=3, cursor=first["next_cursor"])

    assert second["next_cursor"] == first["next_cursor"]


async def test_cursors_are_refused_when_the_question_changed_or_they_expired(account: Account) -> None:
    cursor = (await account.get(page_size=2))["next_cursor"]
    forged = base64.urlsafe_b64encode(b'{"last_id":"x"}').decode().rstrip("=")

    changed = [
        (await account.ask(cursor=cursor, page_size=2, **more))[0]
        for more in ({"sort_by": "name"}, {"sort_order": "asc"}, {"status": "active"}, {"q": "L"})
    ]
    junk = [(await account.ask(cursor=text))[0] for text in ("", "x", "ä", forged, "bnVsbA")]
    account.vendor.expire_cursors()
    expired = await account.ask(cursor=cursor, page_size=2)

    assert changed == [400] * 4
    assert junk == [400] * 5
    assert expired == (400, {"message": "cursor has expired"})


async def test_a_page_is_500_at_most(account: Account) -> None:
    refused = [(await account.ask(page_size=size))[0] for size in ("501", "0", "-1", "x", "9" * 5000)]
    account.vendor.switch(clamps=True)

    assert refused == [400] * 5
    assert (await account.ask(page_size=501))[0] == 200


# -- filters


async def test_filters_narrow_and_the_count_follows(account: Account) -> None:
    account.vendor.drop(2)
    device = account.vendor.fleet.rows[0]

    by_user = await account.get(user_id=device.user)
    by_system = await account.get(os_name="Windows", status="active")
    by_name = await account.get(q="laptop-00000")

    assert device.uuid in [row["id"] for row in by_user["data"]]
    assert by_user["total_count"] == len(by_user["data"]) <= 2
    assert {(row["os_name"], row["status"]) for row in by_system["data"]} == {("Windows", "active")}
    assert by_name["total_count"] == 7


async def test_the_case_of_a_system_matters_or_not(account: Account) -> None:
    strict = (await account.get(os_name="windows"))["total_count"]
    account.vendor.switch(os_any_case=True)

    assert (strict, (await account.get(os_name="windows"))["total_count"] > 0) == (0, True)


@pytest.mark.parametrize(
    "wrong", [{"sort_by": "id"}, {"sort_order": "up"}, {"status": "asleep"}, {"user_id": "alice"}, {"page_size": "x"}]
)
async def test_bad_questions_are_refused(account: Account, wrong: dict[str, str]) -> None:
    assert (await account.ask(**wrong))[0] == 400


# -- the other endpoints


async def test_the_summary_stands_before_a_device_of_that_name(account: Account) -> None:
    one, two, *_ = account.vendor.uuids()
    failed = [account.vendor.enrol(one), account.vendor.enrol(one), account.vendor.enrol(two)]
    account.vendor.set_enrolment(failed[2], "success")
    account.vendor.empty_list()

    assert await account.get("/devices/summary") == {
        "total_devices": 7,
        "agent_versions": {"distinct_count": 3, "versions": ["1.2.3", "1.2.4", "1.3.0"]},
        "deployment_errors": {"total_errors": 2, "affected_devices": 1},
    }
    assert (await account.get())["total_count"] == 0
    assert account.vendor.counts["GET /v2/clients/{client_id}/devices/summary"] == 1


async def test_a_devices_failures_go_with_it(account: Account) -> None:
    uuid = account.vendor.uuids()[0]
    account.vendor.enrol(uuid)

    account.vendor.remove(uuid)

    assert (await account.get("/devices/summary"))["deployment_errors"] == {"total_errors": 0, "affected_devices": 0}


async def test_enrolments_come_newest_first_in_pages_and_by_status(account: Account) -> None:
    uuid = account.vendor.uuids()[0]
    made = [account.vendor.enrol(uuid, ago_s=60 * number) for number in range(3)]
    path = f"/devices/{uuid}/deployments"

    whole = await account.get(path)
    first = await account.get(path, page_size=3)
    second = await account.get(path, page_size=3, cursor=first["next_cursor"])
    failed = await account.get(path, status="error")

    assert [row["id"] for row in whole["data"]][:3] == made
    assert set(whole["data"][0]) == {"id", "status", "enrollment_date"}
    assert (whole["total_count"], whole["next_cursor"]) == (4, None)
    assert first["data"] + second["data"] == whole["data"]
    assert failed["total_count"] == 3
    assert [(await account.ask(path, **bad))[0] for bad in ({"status": "x"}, {"cursor": "x"})] == [400, 400]


@pytest.mark.parametrize("path", ["/devices/{}", "/devices/{}/deployments"])
async def test_a_device_is_found_or_not_or_no_uuid(account: Account, path: str) -> None:
    there = account.vendor.uuids()[0]

    assert [(await account.ask(path.format(each)))[0] for each in (there, NOBODY, "laptop")] == [200, 404, 400]


# -- the door


@pytest.mark.parametrize(
    "path", ["/devices", "/devices/summary", f"/devices/{NOBODY}", f"/devices/{NOBODY}/deployments"]
)
async def test_the_door_is_the_same_everywhere(account: Account, path: str) -> None:
    wrong_token = await account.ask(path, token="wrong")
    elsewhere = [
        (await account.ask(path, client_id=client))[0] for client in ("yard", NOBODY, account.vendor.foreign_client)
    ]

    assert wrong_token[0] == 401
    assert elsewhere == [400, 404, 403]


async def test_a_revoked_token_is_refused_until_another_is_set(account: Account) -> None:
    account.vendor.revoke(403)
    revoked, _ = await account.ask()
    account.vendor.set_token("new")

    assert (revoked, (await account.ask())[0], (await account.ask(token="new"))[0]) == (403, 401, 200)


@pytest.mark.parametrize(
    ("form", "body"), [("json", {"message": "Client not found"}), ("text", "Client not found"), ("none", "")]
)
async def test_refusals_have_any_body_or_none(account: Account, form: str, body: object) -> None:
    account.vendor.switch(error_bodies=form)

    assert await account.ask(client_id=NOBODY) == (404, body)


async def test_the_house_rule_lets_50_requests_in_and_answers_the_next_in_plain_text(account: Account) -> None:
    account.vendor.switch(house_rule=True)
    for _ in range(50):
        await account.get("/devices/summary")

    address = f"{account.url}/v2/clients/{account.vendor.client_id}/devices"
    async with account.client.get(address) as answer:
        assert (answer.status, await answer.text()) == (429, "Too Many Requests")
        assert 1 <= int(answer.headers["Retry-After"]) <= 5
    assert account.vendor.rude == 1


async def test_writes_and_other_paths_are_refused_and_recorded(account: Account) -> None:
    path = f"/v2/clients/{account.vendor.client_id}/devices"
    async with account.client.post(account.url + path, json={}) as answer:
        posted = answer.status
    async with account.client.get(f"{account.url}/v2/clients") as answer:
        unknown = answer.status

    assert (posted, unknown) == (405, 404)
    assert [(write.method, write.path) for write in account.vendor.writes] == [("POST", path)]
    assert account.vendor.counts == {"POST /{path}": 1, "GET /{path}": 1}
