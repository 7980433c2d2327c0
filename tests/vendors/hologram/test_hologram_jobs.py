"""Hologram's bulk jobs, in words that nobody documented, over real HTTP."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from aiohttp import web

from fleetpulse import simulator
from fleetpulse.fleet.job import BulkJob, JobAction, JobStatus
from fleetpulse.vendors.contract import (
    AnswerInvalid,
    CredentialsRejected,
    Page,
    RateLimited,
    ResourceUnavailable,
    SourceError,
)
from fleetpulse.vendors.hologram import Hologram
from fleetpulse.vendors.hologram.tasks import TaskRow, bulk_job, further_pages
from vendors.hologram.walks import Build, Http

ENDED = "2025-03-02T09:00:00Z"


def job(**fields: Any) -> BulkJob:
    made = bulk_job(msgspec.convert({"job_id": 41} | fields, TaskRow))
    assert made is not None
    return made


async def listed(vendor: Hologram) -> list[Page[BulkJob]]:
    return [page async for page in vendor.jobs("jobs")]


def ids(pages: list[Page[BulkJob]]) -> list[str]:
    return [found.id for page in pages for found in page.items]


async def test_a_job_arrives_in_our_words(cloud: simulator.Hologram, build: Build) -> None:
    number = cloud.start_job(action="pause", devices=120, source="api", status="In Progress")

    [page] = await listed(build())

    assert page.total == 1
    [found] = page.items
    assert found.started_at is not None
    assert found == BulkJob(
        id=str(number),
        action=JobAction.PAUSE,
        status=JobStatus.RUNNING,
        word="In Progress",
        device_count=120,
        started_at=found.started_at,
        requester="Ada Yard (Yard)",
        origin="api",
    )


@pytest.mark.parametrize("times", ["iso", "naive"])
@pytest.mark.parametrize("identifiers", ["int", "str"])
@pytest.mark.parametrize("unset_end", ["null", "absent", "zeros"])
async def test_every_spelling_means_the_same(
    cloud: simulator.Hologram, build: Build, times: str, identifiers: str, unset_end: str
) -> None:
    cloud.switch(times=times, ids=identifiers, unset_end=unset_end)
    running, done = cloud.start_job(), cloud.start_job()
    cloud.finish_job(done)

    [page] = await listed(build())

    assert [(found.id, found.status, found.ended_at is None) for found in page.items] == [
        (str(done), JobStatus.SUCCEEDED, False),
        (str(running), JobStatus.RUNNING, True),
    ]


@pytest.mark.parametrize(
    ("word", "end", "status"),
    [
        ("complete", ENDED, JobStatus.SUCCEEDED),
        ("COMPLETED", None, JobStatus.SUCCEEDED),
        ("success", None, JobStatus.SUCCEEDED),
        ("Succeeded", None, JobStatus.SUCCEEDED),
        ("all-done", None, JobStatus.SUCCEEDED),
        ("complete_with_errors", ENDED, JobStatus.PARTIAL),
        ("Completed with failures", None, JobStatus.PARTIAL),
        ("partially_complete", None, JobStatus.PARTIAL),
        ("error", None, JobStatus.FAILED),
        ("FAILED", ENDED, JobStatus.FAILED),
        ("unsuccessful", None, JobStatus.FAILED),
        ("failed to complete", None, JobStatus.FAILED),
        ("canceled", None, JobStatus.CANCELED),
        ("complete_after_cancel", ENDED, JobStatus.CANCELED),
        ("initialized", None, JobStatus.RUNNING),
        ("in_progress", None, JobStatus.RUNNING),
        ("incomplete", None, JobStatus.RUNNING),
        ("not done", None, JobStatus.RUNNING),
        ("incomplete", ENDED, JobStatus.UNKNOWN),
        ("zonked", None, JobStatus.RUNNING),
        ("zonked", ENDED, JobStatus.UNKNOWN),
        (None, None, JobStatus.RUNNING),
        ("zonked", "0000-00-00 00:00:00", JobStatus.RUNNING),
        ("no errors", ENDED, JobStatus.UNKNOWN),
        ("error-free", ENDED, JobStatus.UNKNOWN),
        ("0 failed", ENDED, JobStatus.UNKNOWN),
        ("never failed", None, JobStatus.RUNNING),
        ("not successful", None, JobStatus.FAILED),
        ("rejected", ENDED, JobStatus.FAILED),
        ("timed_out", None, JobStatus.FAILED),
        ("timeout", None, JobStatus.FAILED),
        ("aborted", None, JobStatus.CANCELED),
        ("scheduled to complete", None, JobStatus.RUNNING),
        ("completed, 3 rejected", None, JobStatus.PARTIAL),
        ("completed, 0 rejected", None, JobStatus.SUCCEEDED),
        ("complete (0 errors)", ENDED, JobStatus.SUCCEEDED),
        ("completed without errors", ENDED, JobStatus.SUCCEEDED),
        ("10 failed", ENDED, JobStatus.FAILED),
        ("no response, failed", ENDED, JobStatus.FAILED),
    ],
)
def test_a_status_word_is_understood_generously(word: str | None, end: str | None, status: JobStatus) -> None:
    assert job(status=word, timestamp_end=end).status is status


@pytest.mark.parametrize(
    ("word", "action"),
    [
        ("pause", JobAction.PAUSE),
        ("sim_state_pause", JobAction.PAUSE),
        ("sim_state_unpause", JobAction.LIVE),
        ("LIVE", JobAction.LIVE),
        ("sim_state_activation", JobAction.LIVE),
        ("Deactivate", JobAction.DEACTIVATE),
        ("plan_change", JobAction.OTHER),
        (None, JobAction.OTHER),
    ],
)
def test_an_action_word_is_understood_generously(word: str | None, action: JobAction) -> None:
    assert job(action=word).action is action


def test_fields_may_be_text_or_missing() -> None:
    assert job(device_count="120", timestamp_start="2025-03-02 08:00:00") == BulkJob(
        id="41", device_count=120, started_at=datetime(2025, 3, 2, 8, tzinfo=UTC)
    )
    assert job(requester_first_name="Ada").requester == "Ada"
    assert job(requester_org_name="Yard").requester == "Yard"
    assert job(device_count=-1).device_count == job(device_count=[]).device_count == 0


@pytest.mark.parametrize("start_after_ids", ["following", "each"])
async def test_every_page_of_jobs_is_walked(cloud: simulator.Hologram, build: Build, start_after_ids: str) -> None:
    cloud.switch(page_size=2, start_after_ids=start_after_ids)
    made = [str(cloud.start_job()) for _ in range(5)]

    pages = await listed(build())

    assert ids(pages) == made[::-1]
    assert [page.guarded for page in pages] == ["", "", ""]
    assert [page.resume is None for page in pages] == [False, False, True]


async def test_pages_that_repeat_end_the_walk_by_guard(cloud: simulator.Hologram, build: Build) -> None:
    cloud.switch(page_size=2, stuck_pages=True)
    for _ in range(9):
        cloud.start_job()

    pages = await listed(build())

    assert len(pages) == 2
    assert pages[-1].guarded == "a further page lists no further job"
    assert pages[-1].resume is None


async def test_an_account_without_jobs_is_one_empty_page(build: Build) -> None:
    [page] = await listed(build())

    assert (page.items, page.resume, page.guarded) == ([], None, "")


async def test_only_the_organisation_asked_for_is_listed(cloud: simulator.Hologram, build: Build) -> None:
    cloud.start_job()

    mine, others = await listed(build(org_id=9001)), await listed(build(org_id=17))

    assert (len(ids(mine)), len(ids(others))) == (1, 0)
    assert [request.parameters["orgid"] for request in cloud.requests] == [["9001"], ["17"]]


async def test_a_refused_key_is_told(cloud: simulator.Hologram, build: Build) -> None:
    cloud.revoke()

    with pytest.raises(CredentialsRejected, match='401\\): "Not logged in"'):
        await listed(build())


async def test_a_plan_without_history_switches_off_the_resource_only(cloud: simulator.Hologram, build: Build) -> None:
    cloud.switch(no_plan=True)

    with pytest.raises(ResourceUnavailable, match="plan lacks activity history"):
        await listed(build())


async def test_too_many_requests_bring_the_silence_the_vendor_asks_for(
    cloud: simulator.Hologram, client: Build
) -> None:
    cloud.faults.fail_next(status=429, body='{"success":false,"error":"API rate limit exceeded"}')
    async with simulator.serve(cloud) as url:
        vendor = client(url + "/api/1")

        with pytest.raises(RateLimited, match="API rate limit exceeded") as error:
            await listed(vendor)

    assert error.value.retry_after_s is None
    assert vendor._account.budget.granted == 0.0


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, {"success": False, "error": "Not logged in"}, CredentialsRejected),
        (400, {"success": False, "error": "Not logged in"}, CredentialsRejected),
        (200, {"success": False, "error": "API rate limit exceeded"}, RateLimited),
        (200, {"success": False, "error": "Invalid orgid"}, AnswerInvalid),
        (200, {"data": {"tasks": []}}, AnswerInvalid),
        (200, {"success": True}, AnswerInvalid),
        (200, {"success": True, "data": []}, AnswerInvalid),
        (200, {"success": True, "data": {}}, AnswerInvalid),
        (200, {"success": True, "data": {"tasks": {}}}, AnswerInvalid),
        (200, [], AnswerInvalid),
    ],
)
async def test_success_is_decided_by_body_and_status(
    http_server: Http, client: Build, status: int, body: object, error: type[SourceError]
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    vendor = client(await http_server(answer))

    with pytest.raises(error):
        await listed(vendor)


@pytest.mark.parametrize(
    ("data", "guarded"),
    [
        ({"totalPages": 3, "startAfterIds": []}, "3 pages are announced and the way to 1 of them is given"),
        ({"totalPages": "3"}, "3 pages are announced and the way to 1 of them is given"),
        ({"totalPages": None, "startAfterIds": [7]}, ""),
        ({"totalPages": -1}, ""),
        ({"totalPages": 1e300}, "1000000000 pages are announced and the way to 1 of them is given"),
    ],
)
async def test_pages_without_a_way_to_them_leave_the_walk_incomplete(
    http_server: Http, client: Build, data: dict[str, Any], guarded: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"success": True, "data": {"tasks": [{"job_id": 1}]} | data})

    [page] = await listed(client(await http_server(answer)))

    assert page.guarded == guarded


def test_the_same_way_twice_leads_to_one_page() -> None:
    told = {"totalPages": 3, "startAfterIds": [5, 5]}

    assert further_pages(told) == (["5"], "3 pages are announced and the way to 2 of them is given")


async def test_odd_tasks_cost_no_other_task(http_server: Http, client: Build) -> None:
    async def answer(_: web.Request) -> web.Response:
        tasks = [{"job_id": 1}, None, {"status": "complete"}, {"job_id": "2", "device_count": {}}]
        return web.json_response({"success": True, "data": {"tasks": tasks}})

    [page] = await listed(client(await http_server(answer)))

    assert ids([page]) == ["1", "2"]
    assert page.odd == 2
    assert page.oddity == "row 1: Expected `object`, got `null`"


async def test_a_job_is_never_taken_for_a_change_request(http_server: Http, client: Build) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"success": True, "data": {"tasks": [{"job_id": "change-7001"}, {"job_id": 7001}]}})

    [page] = await listed(client(await http_server(answer)))

    assert (ids([page]), page.odd) == (["7001"], 1)


async def test_a_list_of_which_no_job_can_be_read_is_no_list(http_server: Http, client: Build) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"success": True, "data": {"tasks": [{"status": "complete"}]}})

    url = await http_server(answer)

    with pytest.raises(AnswerInvalid, match="none of 1 rows can be read; row 0: no job_id") as error:
        await listed(client(url))

    assert str(error.value).startswith(url.removeprefix("http://"))


@pytest.mark.parametrize("total", [-1, "many", None, [], True])
async def test_a_total_that_counts_nothing_is_none(http_server: Http, client: Build, total: object) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"success": True, "data": {"tasks": [], "totalTasks": total}})

    [page] = await listed(client(await http_server(answer)))

    assert page.total is None
