"""The Hologram look-alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio

from fleetpulse.simulator import Hologram, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BATCH = "/api/1/devices/batch/state"


@dataclass
class Account:
    vendor: Hologram
    url: str
    client: aiohttp.ClientSession

    async def ask(self, path: str = BATCH, user: str = "apikey", key: str = "demo-key") -> tuple[int, Any]:
        headers = {"Authorization": aiohttp.encode_basic_auth(user, key)}
        async with self.client.get(self.url + path, headers=headers) as answer:
            return answer.status, await answer.json()

    async def jobs(self, query: str = "") -> Any:
        status, body = await self.ask(BATCH + query)
        assert (status, body["success"]) == (200, True)
        return body["data"]


@pytest_asyncio.fixture
async def account(client: aiohttp.ClientSession) -> AsyncIterator[Account]:
    vendor = Hologram()
    async with serve(vendor) as url:
        yield Account(vendor, url, client)


async def test_without_jobs_there_is_one_empty_page(account: Account) -> None:
    assert await account.jobs() == {"tasks": [], "startAfterIds": [], "totalPages": 1, "totalTasks": 0}


async def test_a_job_has_the_documented_fields_and_no_end_while_it_runs(account: Account) -> None:
    job = account.vendor.start_job(action="pause", devices=12)

    (task,) = (await account.jobs())["tasks"]

    assert set(task) == {
        "job_id", "requester_org_name", "requester_first_name", "requester_last_name", "timestamp_start",
        "timestamp_end", "device_count", "action", "status", "source",
    }  # fmt: skip
    assert (task["job_id"], task["device_count"], task["action"], task["status"]) == (job, 12, "pause", "in_progress")
    assert task["timestamp_end"] is None


async def test_jobs_finish_fail_and_vanish(account: Account) -> None:
    done, failed, gone, odd = (account.vendor.start_job() for _ in range(4))

    account.vendor.finish_job(done)
    account.vendor.fail_job(failed)
    account.vendor.forget_job(gone)
    account.vendor.set_job_status(odd, "Marinating")

    tasks = {task["job_id"]: task for task in (await account.jobs())["tasks"]}
    assert {job: task["status"] for job, task in tasks.items()} == {
        done: "complete",
        failed: "error",
        odd: "Marinating",
    }
    assert tasks[done]["timestamp_end"].endswith("Z")
    assert tasks[odd]["timestamp_end"] is None


async def test_jobs_come_in_pages_newest_first(account: Account) -> None:
    made = [account.vendor.start_job() for _ in range(5)]
    account.vendor.page_size = 2

    pages = [await account.jobs()]
    pages += [await account.jobs(f"?startafter={after}") for after in pages[0]["startAfterIds"]]

    assert [task["job_id"] for page in pages for task in page["tasks"]] == made[::-1]
    assert {(page["totalPages"], page["totalTasks"]) for page in pages} == {(3, 5)}


async def test_full_pages_need_no_further_cursor(account: Account) -> None:
    made = [account.vendor.start_job() for _ in range(4)]
    account.vendor.page_size = 2

    page = await account.jobs()

    assert (page["totalPages"], page["startAfterIds"]) == (2, [made[2]])


async def test_there_may_be_a_cursor_for_the_first_page_too(account: Account) -> None:
    made = [account.vendor.start_job() for _ in range(3)]
    account.vendor.switch(page_size=2, start_after_ids="each")

    first = await account.jobs()
    again = await account.jobs(f"?startafter={first['startAfterIds'][0]}")

    assert len(first["startAfterIds"]) == first["totalPages"] == 2
    assert [task["job_id"] for task in again["tasks"]] == made[:0:-1]


async def test_every_page_may_be_the_first(account: Account) -> None:
    for _ in range(3):
        account.vendor.start_job()
    account.vendor.switch(page_size=2, stuck_pages=True)

    first = await account.jobs()
    second = await account.jobs(f"?startafter={first['startAfterIds'][0]}")

    assert second == first


async def test_times_and_ids_come_in_other_forms(account: Account) -> None:
    job = account.vendor.start_job()
    account.vendor.finish_job(job)
    account.vendor.switch(times="naive", ids="str")

    (task,) = (await account.jobs())["tasks"]

    assert task["job_id"] == str(job)
    assert (len(task["timestamp_end"]), task["timestamp_end"][10]) == (19, " ")


@pytest.mark.parametrize(("form", "end"), [("absent", {}), ("zeros", {"timestamp_end": "0000-00-00 00:00:00"})])
async def test_a_missing_end_comes_in_other_forms(account: Account, form: str, end: dict[str, str]) -> None:
    account.vendor.start_job()
    account.vendor.switch(unset_end=form)

    (task,) = (await account.jobs())["tasks"]

    assert {name: value for name, value in task.items() if name == "timestamp_end"} == end


@pytest.mark.parametrize(("user", "key"), [("apikey", "wrong"), ("somebody", "demo-key")])
async def test_a_wrong_key_is_not_logged_in(account: Account, user: str, key: str) -> None:
    assert await account.ask(user=user, key=key) == (401, {"success": False, "error": "Not logged in"})


async def test_a_revoked_key_is_refused_until_another_is_set(account: Account) -> None:
    account.vendor.revoke()
    revoked, _ = await account.ask()
    account.vendor.set_key("new")

    assert (revoked, (await account.ask())[0], (await account.ask(key="new"))[0]) == (401, 401, 200)


async def test_a_plan_without_history_is_refused_there_alone(account: Account) -> None:
    account.vendor.no_plan = True

    batch, body = await account.ask()
    me, _ = await account.ask("/api/1/users/me")

    assert (batch, body["success"], me) == (403, False, 200)


async def test_too_fast_gets_the_documented_body_and_no_retry_after(account: Account) -> None:
    account.vendor.limit_per_s = 0.05
    await account.ask()

    async with account.client.get(account.url + BATCH) as answer:
        assert answer.status == 429
        assert await answer.read() == b'{"success":false,"error":"API rate limit exceeded"}'
        assert "Retry-After" not in answer.headers
    assert account.vendor.rude == 1


async def test_another_organisation_has_no_jobs_and_a_bad_one_is_refused(account: Account) -> None:
    account.vendor.start_job()

    mine = await account.jobs("?orgid=9001")
    other = await account.jobs("?orgid=1")

    assert (mine["totalTasks"], other["totalTasks"]) == (1, 0)
    assert (await account.ask(BATCH + "?orgid=x"))[0] == 400


async def test_the_device_list_keeps_its_place(account: Account) -> None:
    status, body = await account.ask("/api/1/devices?limit=500")

    assert (status, body["success"], body["data"], body["limit"]) == (200, True, [], 500)
    assert "continues" not in body


async def test_writes_are_refused_and_recorded(account: Account) -> None:
    async with account.client.post(account.url + BATCH, json={"state": "pause"}) as answer:
        assert answer.status == 405

    assert [(write.method, write.path) for write in account.vendor.writes] == [("POST", BATCH)]
