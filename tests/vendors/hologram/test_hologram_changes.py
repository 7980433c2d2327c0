"""Hologram's asynchronous change requests, as bulk jobs beside the others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from fleetpulse import simulator
from fleetpulse.fleet.job import BulkJob, JobAction, JobStatus
from fleetpulse.vendors.contract import AnswerInvalid, CredentialsRejected, Page, ResourceUnavailable, SourceError
from fleetpulse.vendors.hologram import Hologram
from fleetpulse.vendors.hologram.changes import ChangeRow, bulk_change
from vendors.hologram.walks import Build, Http, listed, saying


def change(**fields: Any) -> BulkJob:
    made = bulk_change(msgspec.convert({"id": 7001} | fields, ChangeRow))
    assert made is not None
    return made


async def changes(vendor: Hologram) -> list[Page[BulkJob]]:
    return await listed(vendor.jobs("changes"))


def ids(pages: list[Page[BulkJob]]) -> list[str]:
    return [found.id for page in pages for found in page.items]


async def test_a_change_arrives_in_our_words(cloud: simulator.Hologram, build: Build) -> None:
    number = cloud.start_change("sim_state_pause", devices=3, state="in_progress")

    [page] = await changes(build())

    [found] = page.items
    assert found.started_at is not None
    assert found == BulkJob(
        id=f"change-{number}",
        action=JobAction.PAUSE,
        status=JobStatus.RUNNING,
        word="in_progress",
        device_count=3,
        started_at=found.started_at,
        requester="user 501",
        origin="sim_state_pause",
    )


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("initialized", JobStatus.RUNNING),
        ("in_progress", JobStatus.RUNNING),
        ("complete", JobStatus.SUCCEEDED),
        ("complete_with_errors", JobStatus.PARTIAL),
        ("partially_complete", JobStatus.PARTIAL),
        ("error", JobStatus.FAILED),
        ("canceled", JobStatus.CANCELED),
        ("complete_after_cancel", JobStatus.CANCELED),
        ("Complete With Errors", JobStatus.PARTIAL),
        ("marinating", JobStatus.RUNNING),
        (None, JobStatus.RUNNING),
        (7, JobStatus.RUNNING),
    ],
)
def test_every_documented_state_has_its_status(state: object, status: JobStatus) -> None:
    assert change(state=state, update_time="2025-03-02 08:00:00").status is status


@pytest.mark.parametrize(
    ("request_type", "action"),
    [
        ("sim_state_pause", JobAction.PAUSE),
        ("sim_state_unpause", JobAction.LIVE),
        ("sim_state_activation", JobAction.LIVE),
        ("plan_change", JobAction.OTHER),
        ("euicc_audit", JobAction.OTHER),
        ("sim_configuration_update", JobAction.OTHER),
        (None, JobAction.OTHER),
    ],
)
def test_every_documented_request_type_has_its_action(request_type: object, action: JobAction) -> None:
    assert change(request_type=request_type).action is action


def test_a_change_that_is_over_ended_when_it_last_changed() -> None:
    times = {"start_time": "2025-03-02 08:00:00", "update_time": "2025-03-02T09:00:00Z"}

    assert change(state="complete", **times).ended_at == datetime(2025, 3, 2, 9, tzinfo=UTC)
    assert change(state="in_progress", **times).ended_at is None


@pytest.mark.parametrize(
    ("child_ids", "count"), [([1, 2, 3], 3), ({"0": 1, "1": 2}, 2), ([], 1), (None, 1), ("1,2", 1), (7, 1)]
)
def test_a_change_counts_its_parts_or_is_of_one_thing(child_ids: object, count: int) -> None:
    assert change(child_ids=child_ids).device_count == count


async def test_parts_of_a_change_are_part_of_it(cloud: simulator.Hologram, build: Build) -> None:
    made = [f"change-{cloud.start_change(devices=devices)}" for devices in (1, 3, 2)]

    [page] = await changes(build())

    assert (ids([page]), page.odd) == (made[::-1], 0)


@pytest.mark.parametrize("parent", [None, 0, "", "0", 7001, "7001", {}])
async def test_what_names_no_other_parent_is_no_part(http_server: Http, client: Build, parent: object) -> None:
    answer = {"success": True, "data": [{"id": 7001, "parent_id": parent}]}

    assert ids(await changes(client(await http_server(saying(answer))))) == ["change-7001"]


async def test_ids_of_jobs_and_changes_never_meet(cloud: simulator.Hologram, build: Build) -> None:
    cloud.start_job()
    cloud.start_change()
    vendor = build()

    jobs, found = await listed(vendor.jobs("jobs")), await changes(vendor)

    assert not set(ids(jobs)) & set(ids(found))


@pytest.mark.parametrize("switch", [{}, {"ids": "str"}, {"lastid": "absent"}, {"last_page": "false"}])
async def test_every_page_of_changes_is_walked(cloud: simulator.Hologram, build: Build, switch: dict[str, Any]) -> None:
    cloud.switch(most_rows=2, **switch)
    made = [f"change-{cloud.start_change(devices=1)}" for _ in range(5)]

    pages = await changes(build())

    assert ids(pages) == made[::-1]
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert [page.guarded for page in pages] == ["", "", ""]


async def test_pages_that_hold_parts_alone_end_no_walk(cloud: simulator.Hologram, build: Build) -> None:
    cloud.switch(most_rows=2)
    number = cloud.start_change(devices=6)

    pages = await changes(build())

    assert ids(pages) == [f"change-{number}"]
    assert [len(page.items) for page in pages] == [0, 0, 0, 1]


async def test_pages_that_repeat_end_the_walk_by_guard(cloud: simulator.Hologram, build: Build) -> None:
    cloud.switch(most_rows=2, stuck_pages=True)
    for _ in range(5):
        cloud.start_change(devices=1)

    pages = await changes(build())

    assert [page.guarded for page in pages] == ["", "page 2 repeats the page before"]


async def test_more_pages_than_anyone_looks_at_leave_the_walk_incomplete(
    cloud: simulator.Hologram, build: Build
) -> None:
    cloud.switch(most_rows=1)
    for _ in range(30):
        cloud.start_change(devices=1)

    pages = await changes(build())

    assert (len(pages), pages[-1].guarded) == (20, "more than 20 pages")


async def test_changes_of_long_ago_are_not_asked_for(client: Build) -> None:
    moment = datetime.now(UTC)
    cloud = simulator.Hologram(now=lambda: moment)
    moment -= timedelta(days=31)
    cloud.start_change()
    moment += timedelta(days=2)
    recent = cloud.start_change()
    async with simulator.serve(cloud) as url:
        vendor = client(url + "/api/1")

        pages = await changes(vendor)

    assert ids(pages) == [f"change-{recent}"]


async def test_an_absurd_reach_into_the_past_is_the_beginning_of_time(cloud: simulator.Hologram, build: Build) -> None:
    cloud.start_change()

    pages = await changes(build(deployments_since="36500d"))

    assert len(ids(pages)) == 1
    assert cloud.requests[-1].parameters["start_after"] == ["0"]


async def test_only_the_organisation_asked_for_is_listed(cloud: simulator.Hologram, build: Build) -> None:
    cloud.start_change()

    mine, others = await changes(build(org_id=9001)), await changes(build(org_id=17))

    assert (len(ids(mine)), len(ids(others))) == (1, 0)


async def test_a_change_without_id_costs_no_other(http_server: Http, client: Build) -> None:
    answer = {"success": True, "data": [{"id": 1}, None, {"state": "complete"}, {"id": "2", "child_ids": {}}]}

    [page] = await changes(client(await http_server(saying(answer))))

    assert (ids([page]), page.odd) == (["change-1", "change-2"], 2)
    assert page.oddity == "row 1: Expected `object`, got `null`"


async def test_a_page_of_which_no_change_can_be_read_is_no_page(http_server: Http, client: Build) -> None:
    with pytest.raises(AnswerInvalid, match="none of 1 rows can be read; row 0: no id"):
        await changes(client(await http_server(saying({"success": True, "data": [{"state": "error"}]}))))


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, CredentialsRejected), (403, ResourceUnavailable), (404, ResourceUnavailable), (400, AnswerInvalid)],
)
async def test_a_refusal_switches_off_the_changes_alone(
    cloud: simulator.Hologram, build: Build, status: int, error: type[SourceError]
) -> None:
    cloud.faults.always(status=status, path="asyncchangerequests")
    vendor = build()

    with pytest.raises(error):
        await changes(vendor)

    assert len(await listed(vendor.jobs("jobs"))) == len(await listed(vendor.devices("devices"))) == 1


async def test_a_key_without_the_right_is_told_so(cloud: simulator.Hologram, build: Build) -> None:
    cloud.switch(no_changes=True)

    with pytest.raises(ResourceUnavailable, match="may not see change requests"):
        await changes(build())
