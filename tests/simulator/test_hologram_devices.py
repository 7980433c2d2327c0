"""The Hologram look-alike's devices, their sessions and change requests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio

from fleetpulse.simulator import Hologram, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BASE = "/api/1"
ZERO = "0000-00-00 00:00:00"


@dataclass
class Yard:
    vendor: Hologram
    url: str
    client: aiohttp.ClientSession

    async def ask(self, path: str, key: str = "demo-key") -> tuple[int, Any]:
        headers = {"Authorization": aiohttp.encode_basic_auth("apikey", key)}
        async with self.client.get(self.url + BASE + path, headers=headers) as answer:
            return answer.status, json.loads(await answer.read())

    async def get(self, path: str) -> Any:
        status, body = await self.ask(path)
        assert (status, body["success"]) == (200, True), body
        return body

    async def row(self, uuid: str) -> Any:
        return (await self.get(f"/devices/{uuid}"))["data"]


@pytest_asyncio.fixture
async def yard(client: aiohttp.ClientSession) -> AsyncIterator[Yard]:
    vendor = Hologram(devices=20)
    async with serve(vendor) as url:
        yield Yard(vendor, url, client)


def ids(body: Any) -> list[str]:
    return [str(row["id"]) for row in body["data"]]


# -- the list


async def test_devices_are_listed_newest_first(yard: Yard) -> None:
    body = await yard.get("/devices?limit=500")

    assert ids(body) == yard.vendor.uuids()
    assert ids(body) == sorted(ids(body), reverse=True)
    assert {name: body[name] for name in body if name != "data"} == {
        "success": True,
        "limit": 500,
        "size": 20,
        "links": {"path": "/api/1/devices", "base": "dashboard.hologram.io"},
    }


async def test_a_page_that_is_not_the_last_says_where_it_continues(yard: Yard) -> None:
    body = await yard.get("/devices?limit=2")
    rest = await yard.get(f"/devices?limit=500&startafter={body['lastid']}")

    assert (body["continues"], body["lastid"]) == (True, body["data"][-1]["id"])
    assert body["links"]["next"] == f"/api/1/devices?limit=2&startafter={body['lastid']}"
    assert ids(body) + ids(rest) == yard.vendor.uuids()
    assert not {"continues", "lastid"} & set(rest)


@pytest.mark.parametrize("value", ["x", "-1", "", "\u0664", "9" * 5000])
@pytest.mark.parametrize("name", ["limit", "startafter", "orgid"])
async def test_what_is_no_number_is_refused(yard: Yard, name: str, value: str) -> None:
    assert (await yard.ask(f"/devices?{name}={value}"))[0] == 400


async def test_a_full_last_page_does_not_continue(yard: Yard) -> None:
    body = await yard.get("/devices?limit=20")

    assert (len(body["data"]), "continues" in body) == (20, False)


async def test_the_most_rows_bound_the_limit(yard: Yard) -> None:
    yard.vendor.switch(most_rows=3)

    body = await yard.get("/devices?limit=500")

    assert (body["limit"], body["size"], body["continues"]) == (3, 3, True)


async def test_a_row_has_the_documented_fields(yard: Yard) -> None:
    uuid = yard.vendor.add_device(name="pump-4", tags=["lab"])

    row = await yard.row(uuid)

    assert set(row) == {
        "id", "orgid", "name", "type", "whencreated", "phonenumber", "phonenumber_cost", "tunnelable", "hidden",
        "imei", "simcardid", "tags", "preflight_starttime", "model", "manufacturer", "links", "lastsession",
    }  # fmt: skip
    assert (row["name"], row["model"], row["phonenumber_cost"]) == ("pump-4", "Unknown", "0.0000")
    assert [tag["name"] for tag in row["tags"]] == ["lab"]
    (link,) = row["links"]["cellular"]
    assert (link["state"], link["deviceid"], link["id"]) == ("LIVE", int(uuid), row["lastsession"]["linkid"])
    assert isinstance(row["lastsession"]["bytes"], str)
    assert isinstance(link["cur_billing_data_used"], int)


async def test_a_new_fleet_is_a_mix_that_begins_online(yard: Yard) -> None:
    rows = (await yard.get("/devices?limit=500"))["data"]

    states = {row["links"]["cellular"][0]["state"] for row in rows}
    assert states == {"LIVE", "PAUSED-USER", "PAUSED-SYS", "PAUSED-PENDING-USER", "DEAD", "INACTIVE"}
    assert sum(row["lastsession"] is None for row in rows) == 1
    assert [bool(row["lastsession"]["active"]) for row in rows[:-7:-1]] == [True] * 6


def test_the_same_seed_invents_the_same_fleet() -> None:
    one, two = Hologram(devices=5, seed=7), Hologram(devices=5, seed=7)

    assert [(row.name, row.sim) for row in one.fleet.rows] == [(row.name, row.sim) for row in two.fleet.rows]


async def test_another_organisation_has_no_devices_and_a_bad_one_is_refused(yard: Yard) -> None:
    assert ids(await yard.get("/devices?orgid=9001")) == yard.vendor.uuids()
    assert ids(await yard.get("/devices?orgid=1")) == []
    assert (await yard.ask("/devices?orgid=x"))[0] == 400


async def test_a_parameter_that_is_not_simulated_is_refused(yard: Yard) -> None:
    status, body = await yard.ask("/devices?after=7")

    assert (status, body["error"]) == (400, "after is no parameter of this simulation")


# -- stories


async def test_a_dropped_device_has_an_ended_session_and_a_restored_one_another(yard: Yard) -> None:
    (uuid,) = yard.vendor.drop(1)
    dropped = (await yard.row(uuid))["lastsession"]
    yard.vendor.restore()
    restored = (await yard.row(uuid))["lastsession"]

    assert (dropped["active"], restored["active"], restored["session_end"]) == (False, True, ZERO)
    assert dropped["session_end"] > dropped["session_begin"]
    assert yard.vendor.uuids("offline") == []


async def test_open_sessions_follow_the_stories(yard: Yard) -> None:
    async def told() -> list[str]:
        return sorted(map(str, (await yard.get("/devices/opensessions"))["data"]["deviceids"]))

    before = await told()
    dropped = yard.vendor.drop(3)
    yard.vendor.remove(yard.vendor.uuids("online")[0])
    yard.vendor.set_status(yard.vendor.uuids("online")[0], "never")

    assert before != await told()
    assert await told() == sorted(yard.vendor.uuids("online"))
    assert not set(dropped) & set(await told())


async def test_a_paused_sim_keeps_its_session(yard: Yard) -> None:
    uuid = yard.vendor.uuids("online")[0]

    yard.vendor.set_sim(uuid, "PAUSED-SYS")

    row = await yard.row(uuid)
    assert (row["links"]["cellular"][0]["state"], row["lastsession"]["active"]) == ("PAUSED-SYS", True)


async def test_a_device_is_renamed_uses_data_and_vanishes(yard: Yard) -> None:
    uuid, *_ = yard.vendor.uuids()
    used = (await yard.row(uuid))["links"]["cellular"][0]["cur_billing_data_used"]

    yard.vendor.rename(uuid, "pump-9")
    yard.vendor.use_data(uuid, 5)
    row = await yard.row(uuid)
    yard.vendor.remove(uuid)

    assert (row["name"], row["links"]["cellular"][0]["cur_billing_data_used"]) == ("pump-9", used + 5)
    assert await yard.ask(f"/devices/{uuid}") == (404, {"success": False, "error": "Device not found"})
    assert uuid not in ids(await yard.get("/devices"))


@pytest.mark.parametrize(
    ("story", "arguments"),
    [("drop", [3]), ("set_status", ["1", "online"]), ("set_sim", ["1", "LIVE"]), ("rename", ["x", "pump-9"])],
)
def test_a_story_about_nobody_is_refused(story: str, arguments: list[Any]) -> None:
    vendor = Hologram(devices=2)

    with pytest.raises((LookupError, ValueError)):
        getattr(vendor, story)(*arguments)


def test_a_status_that_is_none_is_refused() -> None:
    vendor = Hologram(devices=1)

    with pytest.raises(ValueError, match="online, offline or never"):
        vendor.set_status(vendor.uuids()[0], "sleepy")


async def test_the_list_may_be_half_or_empty(yard: Yard) -> None:
    yard.vendor.half_list()
    half = ids(await yard.get("/devices"))
    page = await yard.get("/devices?limit=9")
    rest = await yard.get(f"/devices?limit=9&startafter={page['lastid']}")
    yard.vendor.empty_list()
    empty = await yard.get("/devices")
    yard.vendor.empty_list(on=False)

    assert half == yard.vendor.uuids()[:10] == ids(page) + ids(rest)
    assert "continues" not in rest
    assert (empty["data"], empty["size"]) == ([], 0)
    assert ids(await yard.get("/devices")) == yard.vendor.uuids()


# -- switches


@pytest.mark.parametrize(
    ("form", "session"),
    [("both", (True, ZERO)), ("flag", (True, "absent")), ("zeros", ("absent", ZERO))],
)
async def test_an_open_session_is_told_in_several_ways(yard: Yard, form: str, session: tuple[object, str]) -> None:
    yard.vendor.switch(open_session=form)

    told = (await yard.row(yard.vendor.uuids("online")[0]))["lastsession"]

    assert (told.get("active", "absent"), told.get("session_end", "absent")) == session


@pytest.mark.parametrize(("form", "session"), [("null", None), ("absent", "absent"), ("object", {}), ("list", [])])
async def test_never_connected_is_told_in_several_ways(yard: Yard, form: str, session: object) -> None:
    yard.vendor.switch(no_session=form)
    uuid = yard.vendor.add_device(status="never")

    row = await yard.row(uuid)

    assert row.get("lastsession", "absent") == session
    assert row["links"]["cellular"][0]["last_connect_time"] == ZERO


async def test_sessions_may_be_left_out_of_every_row(yard: Yard) -> None:
    yard.vendor.switch(sessions="left_out")

    rows = (await yard.get("/devices"))["data"]

    assert not any("lastsession" in row for row in rows)


async def test_rows_change_their_form_with_the_switches(yard: Yard) -> None:
    uuid = yard.vendor.add_device(tags=["lab"])
    before = await yard.row(uuid)

    yard.vendor.switch(ids="str", numbers="str", tags_form="names")
    after = await yard.row(uuid)

    assert (before["id"], after["id"], after["tags"]) == (int(uuid), uuid, ["lab"])
    assert isinstance(after["links"]["cellular"][0]["cur_billing_data_used"], str)


async def test_the_envelope_changes_its_form_with_the_switches(yard: Yard) -> None:
    yard.vendor.switch(data_form="object", links_form="array", last_page="false", lastid="absent", foreign_next=True)

    body = await yard.get("/devices?limit=500")

    assert list(body["data"]) == yard.vendor.uuids()
    assert (body["continues"], "lastid" in body) == (False, False)
    assert body["links"][0]["next"].startswith("https://elsewhere.example/api/1/devices?")


async def test_an_endless_list_shows_its_rows_again(yard: Yard) -> None:
    yard.vendor.switch(endless=True)

    first = await yard.get("/devices?limit=15")
    second = await yard.get(f"/devices?limit=15&startafter={first['lastid']}")

    assert ids(first) + ids(second) == yard.vendor.uuids() + yard.vendor.uuids()[:10]
    assert second["continues"]


async def test_a_fresh_endless_list_shows_ever_new_rows(yard: Yard) -> None:
    yard.vendor.switch(endless="fresh")

    first = await yard.get("/devices?limit=15")
    second = await yard.get(f"/devices?limit=15&startafter={first['lastid']}")

    assert len(set(ids(first) + ids(second))) == 30
    assert [row["id"] for row in second["data"]] == sorted((row["id"] for row in second["data"]), reverse=True)


async def test_every_page_may_be_the_first(yard: Yard) -> None:
    yard.vendor.switch(stuck_pages=True)

    first = await yard.get("/devices?limit=2")

    assert await yard.get(f"/devices?limit=2&startafter={first['lastid']}") == first


async def test_open_sessions_may_be_forbidden(yard: Yard) -> None:
    yard.vendor.switch(no_open_sessions=True)

    assert (await yard.ask("/devices/opensessions"))[0] == 403
    assert (await yard.ask("/devices"))[0] == 200


async def test_rows_are_spoiled_and_mended(yard: Yard) -> None:
    even = await yard.get("/devices")

    spoiled = yard.vendor.odd_rows(16)
    odd = await yard.get("/devices")
    yard.vendor.even_rows()

    assert len(spoiled) == 16
    assert sum(row in even["data"] for row in odd["data"]) == 4
    assert await yard.get("/devices") == even


async def test_a_row_may_be_any_json_or_none(yard: Yard) -> None:
    first, second, *_ = yard.vendor.uuids()
    yard.vendor.set_row(first, without=["name"], links=7)
    yard.vendor.set_raw(second, "[]")

    rows = (await yard.get("/devices"))["data"]

    assert ("name" in rows[0], rows[0]["links"], rows[1]) == (False, 7, [])


# -- the account


async def test_whose_key_it_is_is_told(yard: Yard) -> None:
    me = (await yard.get("/users/me"))["data"]

    assert (me["first"], me["last"], me["personal_org"]) == ("Ada", "Yard", 9001)


async def test_a_revoked_key_may_be_refused_with_any_status(yard: Yard) -> None:
    yard.vendor.revoke(200)

    assert await yard.ask("/devices") == (200, {"success": False, "error": "Not logged in"})


async def test_what_is_read_elsewhere_is_not_there_and_counted(yard: Yard) -> None:
    status, body = await yard.ask("/devices/names")

    assert (status, body["success"]) == (404, False)
    assert yard.vendor.counts == {"GET /{path}": 1}
    assert yard.vendor.requests[0].path == "/api/1/devices/names"


# -- changes


async def test_a_change_of_several_devices_has_parts(yard: Yard) -> None:
    number = yard.vendor.start_change("sim_state_unpause", devices=2)

    *parts, whole = (await yard.get("/asyncchangerequests"))["data"]

    assert set(whole) == {
        "id", "parent_id", "orgid", "userid", "request_type", "reference_type", "reference_id", "state",
        "start_time", "update_time", "metadata", "child_ids",
    }  # fmt: skip
    assert (whole["id"], whole["parent_id"], whole["request_type"]) == (number, None, "sim_state_unpause")
    assert whole["child_ids"] == [part["id"] for part in reversed(parts)]
    assert {part["parent_id"] for part in parts} == {number}


async def test_changes_end_and_vanish_with_their_parts(yard: Yard) -> None:
    done, gone = yard.vendor.start_change(), yard.vendor.start_change()

    yard.vendor.finish_change(done, "complete_with_errors")
    yard.vendor.forget_change(gone)

    rows = (await yard.get("/asyncchangerequests"))["data"]
    assert {row["state"] for row in rows} == {"complete_with_errors"}
    assert len(rows) == 4
    with pytest.raises(LookupError):
        yard.vendor.set_change_state(gone, "error")


async def test_changes_come_in_pages_newest_first(yard: Yard) -> None:
    made = [yard.vendor.start_change(devices=1) for _ in range(3)]

    first = await yard.get("/asyncchangerequests?limit=2")
    second = await yard.get(f"/asyncchangerequests?limit=2&startafter={first['lastid']}")

    assert [row["id"] for row in first["data"] + second["data"]] == made[::-1]
    assert "continues" not in second


@pytest.mark.parametrize("since", ["1740902400", "2025-03-02 08:00:00", "2025-03-02T08:00:00Z"])
async def test_changes_of_before_are_left_out(client: aiohttp.ClientSession, since: str) -> None:
    moment = datetime(2025, 3, 1, tzinfo=UTC)
    vendor = Hologram(now=lambda: moment)
    vendor.start_change(devices=1)
    moment += timedelta(days=2)
    recent = vendor.start_change(devices=1)
    async with serve(vendor) as url:
        yard = Yard(vendor, url, client)

        body = await yard.get(f"/asyncchangerequests?limit=1&start_after={since}")

    assert ([row["id"] for row in body["data"]], "continues" in body) == ([recent], False)


async def test_changes_may_be_forbidden_and_a_bad_time_is_refused(yard: Yard) -> None:
    bad, _ = await yard.ask("/asyncchangerequests?start_after=yesterday")
    yard.vendor.switch(no_changes=True)

    assert (bad, (await yard.ask("/asyncchangerequests"))[0]) == (400, 403)


async def test_the_state_tells_how_everything_fares(yard: Yard) -> None:
    yard.vendor.start_job()
    yard.vendor.start_change()
    online = len(yard.vendor.uuids("online"))

    state = yard.vendor.state()

    assert state["devices"] == {"online": online, "offline": 20 - online}
    assert (state["jobs"], state["changes"]) == ({"in_progress": 1}, {"in_progress": 1})


async def test_a_size_is_text_when_switched(yard: Yard) -> None:
    yard.vendor.switch(size_form="text")

    assert (await yard.get("/devices?limit=2"))["size"] == "2s"


@pytest.mark.parametrize(("bodies", "sent"), [("html", "<html>"), ("none", "")])
async def test_a_refusal_is_no_json_when_switched(yard: Yard, bodies: str, sent: str) -> None:
    yard.vendor.switch(error_bodies=bodies)
    yard.vendor.revoke()

    async with yard.client.get(f"{yard.url}/api/1/devices") as answer:
        text = await answer.text()

    assert answer.status == 401
    assert text[: len("<html>")] == sent
