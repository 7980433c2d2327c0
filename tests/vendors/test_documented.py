"""What the vendors' documents show as an example, or say in two ways, as an answer over real HTTP.

The quirks have the numbers of docs/vendors; values are the documents' where they are facts, ours where they are prose.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from aiohttp import web

from fleetpulse.fleet.deployment import Deployment, FailedStep, RolloutStatus
from fleetpulse.fleet.device import Aspect, Device, DeviceStatus, Readings, Sighting, SimState
from fleetpulse.fleet.group import Group
from fleetpulse.fleet.job import BulkJob, JobStatus
from fleetpulse.fleet.summary import Summary
from fleetpulse.fleet.tunnel import Tunnel, TunnelStatus
from fleetpulse.outbound import Account
from fleetpulse.secrets import Redactor
from fleetpulse.simulator import serve
from fleetpulse.vendors.contract import (
    AnswerInvalid,
    CredentialsRejected,
    RateLimited,
    ResourceUnavailable,
    SourceError,
)
from vendors.contract.cases import HOLOGRAM, IOMOTE, JFROG, JFROG_V1, SCALEPAD, Case, pages, read_all

Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


class Told(NamedTuple):
    """A client of a server that gives told answers in turn, the last one for ever, and what the server was asked."""

    client: Any
    asked: list[web.Request]


Telling = Callable[..., Awaitable[Told]]


@pytest.fixture
def telling(http_server: Http, account: Callable[[str], Account], redactor: Redactor) -> Telling:
    async def start(case: Case, *answers: object, status: int = 200) -> Told:
        asked: list[web.Request] = []

        async def answer(request: web.Request) -> web.Response:
            asked.append(request)
            body = answers[min(len(asked), len(answers)) - 1]
            return web.json_response(body, status=status)

        url = await http_server(answer)
        return Told(case.client(url, account=account, redactor=redactor), asked)

    return start


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type]  # year, month, day, and what of a time is told


# -- JFrog Connect, API v1


async def test_q3_the_documented_state_of_one_device_mended_is_its_status(telling: Telling) -> None:
    told = await telling(JFROG_V1, {"message": {"device_status": "online", "device_id": "d-1234-abcd"}})

    found = await told.client.device("d-1234-abcd")

    assert found == Sighting(Device("d-1234-abcd"), DeviceStatus.ONLINE)


async def test_q1_the_list_that_the_documented_sample_loops_over_is_a_page(telling: Telling) -> None:
    row = {"device_status": "offline", "device_uuid": "d-1234-abcd", "device_name": "My-Device-1"}
    told = await telling(JFROG_V1, {"message": [row]})

    [page] = await pages(told.client.devices("states"))

    assert page.items == [Sighting(Device("d-1234-abcd", "My-Device-1"), DeviceStatus.OFFLINE)]


async def test_a_details_row_with_nulls_and_an_update_under_way_is_a_device_and_a_rollout(telling: Telling) -> None:
    row = {
        "device_id": 700101, "device_uuid": "d-0a1b-2c3d", "device_name": "gate-17", "upswift_version": "6.2",
        "project": "yard", "group": "north", "device_ip": "192.0.2.17", "last_keepalive": "2025-03-02 08:14:55",
        "cpu_usage": 12, "ram_usage": 40, "disk_usage": 2210.5, "address": "", "lat": None, "lng": None,
        "is_update_trigger_set": False, "description": "", "registered_date": "2024-11-20 10:00:00",
        "tags": ["lab"], "updates": [],
        "updates_v2": [{
            "flow_name": "nightly", "update_status": "in_progress", "comment": "",
            "deployment_schedule_time": "2025-03-02 08:00:00", "deployment_start_time": "2025-03-02 08:00:04",
            "deployment_finish_time": "", "apps_updated": [], "deployment_type": "manual",
        }],
        "apps": [{"app_name": "default_app", "version": "v1.4"}], "mac_addresses": ["02:00:5e:00:00:17"],
    }  # fmt: skip
    told = await telling(JFROG_V1, {"more": False, "message": [row]})

    [page] = await pages(told.client.devices("details"))

    assert page.items == [
        Sighting(
            Device("d-0a1b-2c3d", "gate-17", "north", ("lab",), version="6.2", address="192.0.2.17"),
            DeviceStatus.UNKNOWN,
            Readings(
                last_seen_at=at(2025, 3, 2, 8, 14, 55),
                cpu_usage_ratio=0.12,
                memory_usage_ratio=0.4,
                disk_used_bytes=2210.5e6,
                updates_blocked=False,
            ),
        )
    ]
    assert Aspect.STATUS not in page.aspects
    [rollout] = page.rollouts
    assert (rollout.deployment.id, rollout.status) == ("nightly@2025-03-02T08:00:00Z", RolloutStatus.IN_PROGRESS)
    assert (rollout.error, rollout.contradiction) == ("", "")


async def test_any_field_of_a_details_row_may_be_null_or_missing(telling: Telling) -> None:
    names = ["device_name", "upswift_version", "group", "last_keepalive", "cpu_usage", "disk_usage", "tags", "updates"]
    rows = [{"device_id": 1, "device_uuid": "d-1"} | dict.fromkeys(names), {"device_id": 2, "device_uuid": "d-2"}]
    told = await telling(JFROG_V1, {"more": False, "message": rows})

    [page] = await pages(told.client.devices("details"))

    assert page.items == [Sighting(Device(name), DeviceStatus.UNKNOWN, Readings()) for name in ("d-1", "d-2")]
    assert (page.odd, list(page.rollouts)) == (0, [])


async def test_q6_the_deploy_calls_that_are_documented_in_two_ways_are_never_made(
    account: Callable[[str], Account], redactor: Redactor
) -> None:
    cloud = JFROG_V1.stocked()

    async with serve(cloud) as url:
        await read_all(JFROG_V1, JFROG_V1.client(url, account=account, redactor=redactor), cloud)

    assert {seen.method for seen in cloud.requests} == {"GET"}
    assert [seen.path for seen in cloud.requests if "deploy" in seen.path or "/v2" in seen.path] == []
    assert cloud.writes == []


# -- JFrog Connect, API v2

FRESH = {
    "address": "", "agent_version": "6.2", "cpu_usage": None, "current_disk_usage": 0, "description": "",
    "device_ip": None, "device_name": "device1", "device_status": "online", "device_uuid": "d-c06c-a10f",
    "disk_size": 0, "group_name": "group1", "is_update_trigger_set": False, "last_keepalive": "2025-06-09T14:10:44Z",
    "lat": None, "lng": None, "project": "proj_name", "ram_usage": None, "registered_date": "2025-06-09T14:10:44Z",
    "tags": {"message": "", "names": ["tag_1", "tag_2", "tag_3"]},
}  # fmt: skip
DEPLOYMENT = {
    "comment": "", "created_time": "2023-01-09 12:03:28", "cve_severity": None, "Critical": 0, "High": 0, "Low": 0,
    "Medium": 0, "deployment_uuid": "dp-e6a5-7e19", "type": "manual",
}  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [FRESH, [FRESH], {"devices": [FRESH], "pagination_info": {"after": None, "total": 1}}, {"data": [FRESH]}],
    ids=["bare, as documented", "list", "as deployments are told", "another key"],
)
async def test_q8_the_documented_bare_device_is_a_list_of_one_and_so_is_each_other_form(
    telling: Telling, answer: object
) -> None:
    told = await telling(JFROG, answer)

    [page] = await pages(told.client.devices("devices"))

    assert page.items == [
        Sighting(
            Device("d-c06c-a10f", "device1", "group1", ("tag_1", "tag_2", "tag_3"), version="6.2"),
            DeviceStatus.ONLINE,
            Readings(last_seen_at=at(2025, 6, 9, 14, 10, 44), updates_blocked=False),
        )
    ]
    assert (page.guarded, len(told.asked)) == ("", 1)


async def test_the_documented_detail_with_five_updates_without_an_end_is_the_device(telling: Telling) -> None:
    updates = [
        {
            "apps_updated": [], "comment": "", "deployment_finish_time": "", "deployment_schedule_time": schedule,
            "deployment_start_time": "", "deployment_status": "pending", "deployment_type": "manual",
            "flow_name": f"flow {number}",
        }
        for number, schedule in enumerate(
            ["2024-06-25 15:05:17", "2024-06-20 15:33:58", "2024-05-30 09:43:57", "2024-05-02 15:41:22",
             "2024-05-02 08:44:21"]
        )
    ]  # fmt: skip
    detail = {
        "address": "1 Harbour Road", "agent_version": "6.0", "apps": [{"app_name": "app name", "version": "1.0"}],
        "cpu_usage": 1, "current_disk_usage": 3282, "description": "", "device_ip": "192.0.2.178",
        "device_name": "zzzzz", "device_status": "offline", "device_uuid": "d-abfa-d82b", "disk_size": 214735,
        "group_name": "Tel-Aviv", "is_update_trigger_set": False, "last_keepalive": "2022-11-29 14:23:44",
        "lat": 37.4, "lng": -122.0, "mac_address": ["02:00:5e:00:00:11", "02:00:5e:00:00:42"], "project": "demo",
        "ram_usage": 11, "registered_date": "2022-11-03 12:48:23", "tags": ["tag1", "tag2", "tag3"],
        "updates": updates,
    }  # fmt: skip
    told = await telling(JFROG, detail)

    found = await told.client.device("d-abfa-d82b")

    assert found == Sighting(
        Device("d-abfa-d82b", "zzzzz", "Tel-Aviv", ("tag1", "tag2", "tag3"), version="6.0", address="192.0.2.178"),
        DeviceStatus.OFFLINE,
        Readings(
            last_seen_at=at(2022, 11, 29, 14, 23, 44),
            cpu_usage_ratio=0.01,
            memory_usage_ratio=0.11,
            disk_used_bytes=3282e6,
            disk_size_bytes=214735e6,
            updates_blocked=False,
        ),
    )


async def test_q14_the_documented_list_of_one_deployment_is_one_page_whatever_its_token_says(telling: Telling) -> None:
    told = await telling(JFROG, {"deployments": [DEPLOYMENT], "pagination_info": {"after": "text", "total": 1}})

    [page] = await pages(told.client.deployments("deployments"))

    assert page.items == [
        Deployment(id="dp-e6a5-7e19", name="dp-e6a5-7e19", kind="manual", created_at=at(2023, 1, 9, 12, 3, 28))
    ]
    assert (page.resume, page.guarded, page.total, len(told.asked)) == (None, "", 1, 1)


async def test_the_documented_deployment_alone_is_that_of_the_list(telling: Telling) -> None:
    told = await telling(JFROG, DEPLOYMENT)

    found = await told.client.deployment("dp-e6a5-7e19")

    assert found == Deployment(
        id="dp-e6a5-7e19", name="dp-e6a5-7e19", kind="manual", created_at=at(2023, 1, 9, 12, 3, 28)
    )


async def test_q13_q14_the_documented_map_of_three_pending_devices_is_one_page_of_whole_ids(telling: Telling) -> None:
    unset = {"finished_time": None, "started_time": None, "status": "Pending"}
    answer = {
        "deployment_by_device_uuid": {"2c55-e275": unset, "435d-3443": unset, "a72c-b016": unset},
        "pagination_info": {"after": "eyJjdXJzb3IiOiA0OTEsICJsaW1pdCI6IDN9", "total": 3},
    }
    told = await telling(JFROG, answer)

    [page] = await pages(told.client.deployment_devices("dp-e6a5-7e19"))

    pending = RolloutStatus.PENDING
    assert page.items == [("d-2c55-e275", pending), ("d-435d-3443", pending), ("d-a72c-b016", pending)]
    assert (page.resume, page.guarded, len(told.asked)) == (None, "", 1)


async def test_a_map_of_three_statuses_tells_each_in_our_words(telling: Telling) -> None:
    began = {"started_time": "2025-03-02 08:00:04"}
    answer = {
        "deployment_by_device_uuid": {
            "0a1b-2c3d": {"status": "Failed", "finished_time": "2025-03-02 08:00:09"} | began,
            "4e5f-6071": {"status": "In Progress", "finished_time": None} | began,
            "8293-a4b5": {"status": "Pending", "started_time": None, "finished_time": None},
        },
        "pagination_info": {"after": "eyJjdXJzb3IiOiA4OCwgImxpbWl0IjogM30=", "total": 3},
    }
    told = await telling(JFROG, answer)

    [page] = await pages(told.client.deployment_devices("dp-e6a5-7e19"))

    assert page.items == [
        ("d-0a1b-2c3d", RolloutStatus.FAILED),
        ("d-4e5f-6071", RolloutStatus.IN_PROGRESS),
        ("d-8293-a4b5", RolloutStatus.PENDING),
    ]
    assert page.unknown_word == ""


@pytest.mark.parametrize("wrapped", [True, False])
async def test_q11_q12_the_documented_failure_with_exit_code_0_is_told_by_what_it_printed(
    telling: Telling, *, wrapped: bool
) -> None:
    step = {
        "exit_code": 0,
        "name": "Script Block",
        "stderr": "sh: 1: /usr/bin/python: not found\n",
        "stdout": "Script exited with bad exit-code: 127",
    }
    value = {
        "finished_time": "2024-03-26 15:09:05",
        "started_time": "2024-03-26 15:09:04",
        "status": "Failed",
        "steps": [step],
    }
    told = await telling(JFROG, {"summary": "200 OK Deployment status failed", "value": value} if wrapped else value)

    steps = await told.client.failed_steps("dp-e6a5-7e19", "d-2c55-e275")

    assert steps == (FailedStep("d-2c55-e275", "Script Block", "sh: 1: /usr/bin/python: not found"),)


async def test_q12_the_documented_output_is_told_where_nothing_went_to_stderr(telling: Telling) -> None:
    step = {"exit_code": 0, "name": "Script Block", "stderr": "", "stdout": "Script exited with bad exit-code: 127"}
    told = await telling(JFROG, {"status": "Failed", "steps": [step]})

    steps = await told.client.failed_steps("dp-e6a5-7e19", "d-2c55-e275")

    assert steps == (FailedStep("d-2c55-e275", "Script Block", "Script exited with bad exit-code: 127"),)


TUNNELS = [
    {
        "created_time": created, "device_id": "d-c8b9-02aa", "finish_time": finished, "port_tunnel_id": spelled,
        "remote_server_address": "d-c8b9-02aa-x.forwarding.example.net", "remote_server_port": 52466,
        "status": "closed", "user_source_ip": "192.0.2.185",
    }
    for spelled, created, finished in [
        ("015900c8-3dae-43bd-8133-cb828470b73e", "Mon, 16 Dec 2024 10:17:37 GMT", "Mon, 16 Dec 2024 10:17:59 GMT"),
        ("7d7a7462-cc5b-4f9a-b678-d3288475de02", "Mon, 16 Dec 2024 10:21:10 GMT", "Mon, 16 Dec 2024 11:12:00 GMT"),
        ("7a4d651a-09a9-4d22-be60-4a33ad8a740c", "Tue, 17 Dec 2024 10:13:17 GMT", "Tue, 17 Dec 2024 12:13:17 GMT"),
    ]
]  # fmt: skip


async def test_the_documented_bare_list_of_three_closed_tunnels_is_a_page(telling: Telling) -> None:
    told = await telling(JFROG, TUNNELS)

    [page] = await pages(told.client.tunnels("tunnels"))

    assert [(each.id[:8], each.device, each.status, each.finished_at) for each in page.items] == [
        ("015900c8", "d-c8b9-02aa", TunnelStatus.CLOSED, at(2024, 12, 16, 10, 17, 59)),
        ("7d7a7462", "d-c8b9-02aa", TunnelStatus.CLOSED, at(2024, 12, 16, 11, 12)),
        ("7a4d651a", "d-c8b9-02aa", TunnelStatus.CLOSED, at(2024, 12, 17, 12, 13, 17)),
    ]


async def test_the_documented_tunnel_alone_is_that_of_the_list(telling: Telling) -> None:
    told = await telling(JFROG, TUNNELS[0])

    found = await told.client.tunnel("015900c8-3dae-43bd-8133-cb828470b73e")

    assert found == Tunnel(
        id="015900c8-3dae-43bd-8133-cb828470b73e",
        device="d-c8b9-02aa",
        status=TunnelStatus.CLOSED,
        created_at=at(2024, 12, 16, 10, 17, 37),
        finished_at=at(2024, 12, 16, 10, 17, 59),
    )


async def test_the_three_documented_forms_of_a_date_are_one_moment(telling: Telling) -> None:
    moment = at(2025, 3, 2, 8, 0, 4)
    listed = await telling(JFROG, [FRESH | {"last_keepalive": "2025-03-02T08:00:04Z"}])
    alone = await telling(JFROG, FRESH | {"last_keepalive": "2025-03-02 08:00:04"})
    tunnel = await telling(JFROG, [TUNNELS[0] | {"created_time": "Sun, 02 Mar 2025 08:00:04 GMT"}])

    [page] = await pages(listed.client.devices("devices"))
    [tunnels] = await pages(tunnel.client.tunnels("tunnels"))

    assert page.items[0].readings.last_seen_at == moment
    assert (await alone.client.device("d-c06c-a10f")).readings.last_seen_at == moment
    assert tunnels.items[0].created_at == moment


async def test_q17_the_patch_that_contradicts_its_rfc_is_never_sent_nor_is_any_other_write(
    account: Callable[[str], Account], redactor: Redactor
) -> None:
    cloud = JFROG.stocked()

    async with serve(cloud) as url:
        await read_all(JFROG, JFROG.client(url, account=account, redactor=redactor), cloud)

    assert {seen.method for seen in cloud.requests} == {"GET"}
    assert [seen.path for seen in cloud.requests if seen.path.endswith(("/abort", "/logs", "/move"))] == []
    assert cloud.writes == []


# -- Hologram

PUMP = {
    "id": 5100232, "orgid": 9001, "name": "pump-4", "type": "Unknown", "whencreated": "2025-01-10 09:00:00",
    "phonenumber": "", "phonenumber_cost": "0.0000", "tunnelable": 0, "imei": "490000000000017",
    "tags": [{"id": 3, "name": "north"}], "preflight_starttime": None, "model": "Unknown", "manufacturer": "Unknown",
    "links": {"cellular": [{
        "id": 71, "deviceid": 5100232, "sim": "8900000000000000017", "state": "LIVE",
        "whenclaimed": "2025-01-10 09:00:00", "whenexpires": "2025-03-11 09:00:00", "overagelimit": -1,
        "smslimit": 100, "eid": None, "plan": {"id": 9, "zone": "global", "name": "Flat", "data": 0},
        "last_network_used": "ExampleTel", "last_connect_time": "2025-03-02 07:55:10", "cur_billing_data_used": 120034,
    }]},
    "lastsession": {
        "linkid": 71, "session_begin": "2025-03-02 07:55:10", "session_end": "0000-00-00 00:00:00", "bytes": "20418",
        "radio_access_technology": "LTE", "network_name": "ExampleTel", "active": True,
    },
}  # fmt: skip
PUMPS: dict[str, Any] = {
    "success": True, "limit": 2, "size": 2, "continues": True, "lastid": 5100231,
    "links": {
        "path": "/api/1/devices", "base": "dashboard.hologram.io",
        "next": "/api/1/devices?limit=2&startafter=5100231",
    },
    "data": [PUMP, PUMP | {"id": 5100231, "name": "pump-3"}],
}  # fmt: skip
LAST_PUMP = {"success": True, "limit": 2, "size": 1, "data": [PUMP | {"id": 5100230, "name": "pump-2"}]}
JOB = {
    "job_id": 41, "requester_org_name": "Yard", "requester_first_name": "Ada", "requester_last_name": "Hill",
    "timestamp_start": "2025-03-02T08:00:00Z", "timestamp_end": None, "device_count": 120, "action": "pause",
    "status": "in_progress", "source": "api",
}  # fmt: skip


def jobs(*tasks: object) -> object:
    return {
        "success": True,
        "data": {"tasks": tasks, "startAfterIds": [], "totalPages": 1, "totalTasks": len(tasks)},
    }


async def test_the_described_page_of_devices_is_followed_to_the_one_after_it(telling: Telling) -> None:
    told = await telling(HOLOGRAM, PUMPS, LAST_PUMP)

    first, last = await pages(told.client.devices("devices"))

    assert first.items[0] == Sighting(
        Device("5100232", "pump-4", tags=("north",), sim=SimState.ACTIVE),
        DeviceStatus.ONLINE,
        Readings(last_seen_at=at(2025, 3, 2, 7, 55, 10), transferred_bytes=120034.0),
    )
    assert [each.device.id for page in (first, last) for each in page.items] == ["5100232", "5100231", "5100230"]
    assert (last.resume, last.guarded) == (None, "")
    assert [dict(request.query) for request in told.asked] == [
        {"limit": "500"},
        {"limit": "500", "startafter": "5100231"},
    ]


@pytest.mark.parametrize(
    "conflict",
    [
        {"size": "2s"},
        {"size": None},
        {"limit": "2"},
        {"lastid": "5100231"},
        {"links": {"path": "/api/1/csr/rdm", "base": "dashboard.hologram.io", "next": "/api/1/devices?startafter=9"}},
        {"links": [PUMPS["links"]]},
        {"links": []},
    ],
    ids=["size as text", "no size", "limit as text", "lastid as text", "links of elsewhere", "links in a list", "none"],
)
async def test_an_envelope_that_the_documents_spell_in_two_ways_is_walked_the_same(
    telling: Telling, conflict: dict[str, Any]
) -> None:
    told = await telling(HOLOGRAM, PUMPS | conflict, LAST_PUMP)

    walked = await pages(told.client.devices("devices"))

    assert [each.device.id for page in walked for each in page.items] == ["5100232", "5100231", "5100230"]
    assert [(page.odd, page.guarded) for page in walked] == [(0, ""), (0, "")]
    assert [request.path for request in told.asked] == ["/api/1/devices"] * 2
    assert told.asked[1].query["startafter"] == "5100231"


async def test_the_described_job_is_a_job_in_our_words(telling: Telling) -> None:
    told = await telling(HOLOGRAM, jobs(JOB))

    [page] = await pages(told.client.jobs("jobs"))

    [job] = page.items
    assert isinstance(job, BulkJob)
    assert (job.id, job.status, job.word, job.device_count) == ("41", JobStatus.RUNNING, "in_progress", 120)
    assert (job.started_at, job.ended_at, job.requester) == (at(2025, 3, 2, 8), None, "Ada Hill (Yard)")
    assert page.total == 1


@pytest.mark.parametrize(
    "conflict",
    [
        {"job_id": "41"},
        {"device_count": "120"},
        {"timestamp_start": "2025-03-02 08:00:00"},
        {"timestamp_end": "0000-00-00 00:00:00"},
        {"timestamp_end": ""},
    ],
    ids=["a number as text", "a count as text", "a naive time", "zeros for no end", "nothing for no end"],
)
async def test_a_job_that_the_documents_spell_in_two_ways_is_the_same_job(
    telling: Telling, conflict: dict[str, Any]
) -> None:
    plain, other = await telling(HOLOGRAM, jobs(JOB)), await telling(HOLOGRAM, jobs(JOB | conflict))

    [expected], [page] = await pages(plain.client.jobs("jobs")), await pages(other.client.jobs("jobs"))

    assert page.items == expected.items


@pytest.mark.parametrize("used", [120034, "120034"])
async def test_a_total_that_the_documents_spell_as_text_and_as_a_number_is_one_total(
    telling: Telling, used: object
) -> None:
    told = await telling(
        HOLOGRAM, {"success": True, "data": PUMP | {"links": {"cellular": [{"cur_billing_data_used": used}]}}}
    )

    found = await told.client.device("5100232")

    assert found.readings.transferred_bytes == 120034.0


async def test_the_documented_429_is_too_many_requests(telling: Telling) -> None:
    told = await telling(HOLOGRAM, {"success": False, "error": "API rate limit exceeded"}, status=429)

    with pytest.raises(RateLimited, match="API rate limit exceeded"):
        await pages(told.client.jobs("jobs"))


# -- Iomote


@pytest.mark.parametrize("endpoint", ["devices", "device", "status", "stat", "groups", "devices/group"])
async def test_each_documented_result_may_be_an_error_instead_with_a_good_status(
    telling: Telling, endpoint: str
) -> None:
    told = await telling(IOMOTE, {"error": "nothing for you"})
    ask = next(each.ask for each in IOMOTE.endpoints if each.name == endpoint)

    with pytest.raises(SourceError, match="nothing for you"):
        await ask(told.client, IOMOTE.stocked())


async def test_the_documented_group_is_its_id_and_its_name(telling: Telling) -> None:
    group = {
        "id": "7c", "group_of_user_id": "u-1", "name": "Boilers", "client_name": "Yard", "email": "ada@example.com",
        "telephone": "",
    }  # fmt: skip
    told = await telling(IOMOTE, [group])

    [page] = await pages(told.client.groups("groups"))

    assert page.items == [Group(id="7c", name="Boilers")]


async def test_the_documented_statistics_are_the_totals_of_a_device(telling: Telling) -> None:
    counts = {f"{what}_{day}": 9 for what in ("msg", "bytes") for day in ("current", *range(1, 8))}
    told = await telling(IOMOTE, {"id": "9", "stat_of_device_id": "3f0c", "msg_tot": 70, "bytes_tot": 16800} | counts)

    found = await told.client.readings("stats", "X400_00112233445566778899aabbccddeeff00112233")

    assert found.readings == Readings(messages=70.0, transferred_bytes=16800.0)


# -- ScalePad


async def test_an_answer_with_keys_beside_the_documented_ones_is_the_same_list(telling: Telling) -> None:
    device = {"id": "f1e2d3c4-b5a6-7890-abcd-ef1234567890", "name": "DESK-1", "status": "inactive"}
    told = await telling(SCALEPAD, {"period": {}, "data": [device], "total_count": 1, "next_cursor": None})

    [page] = await pages(told.client.devices("devices"))

    assert [(each.device.name, each.status) for each in page.items] == [("DESK-1", DeviceStatus.OFFLINE)]


async def test_the_described_summary_counts_devices_and_failed_enrolments(telling: Telling) -> None:
    answer = {
        "total_devices": 84,
        "agent_versions": {"distinct_count": 2, "versions": ["1.2.3", "1.2.2"]},
        "deployment_errors": {"total_errors": 5, "affected_devices": 3},
    }
    told = await telling(SCALEPAD, answer)

    assert await told.client.summary("summary") == Summary(devices=84, enrolment_errors=5, affected_devices=3)


@pytest.mark.parametrize("body", [{"message": "bad sort_by"}, {"error": "bad sort_by"}, {"detail": "bad sort_by"}])
async def test_an_error_without_a_documented_body_is_told_in_the_words_that_it_has(
    telling: Telling, body: object
) -> None:
    told = await telling(SCALEPAD, body, status=400)

    with pytest.raises(AnswerInvalid, match="bad sort_by"):
        await pages(told.client.devices("devices"))


# -- what the documents leave open, as a simulated vendor has it


@asynccontextmanager
async def reached(case: Case, cloud: Any, account: Callable[[str], Account], redactor: Redactor) -> AsyncIterator[Any]:
    async with serve(cloud) as url:
        yield case.client(url, account=account, redactor=redactor)


async def test_jfrog_words_in_the_other_case_mean_the_same(
    account: Callable[[str], Account], redactor: Redactor
) -> None:
    cloud = JFROG.stocked()
    cloud.drop(2)
    [deployment, *_] = cloud.deployments.newest_first()
    cloud.advance(deployment.uuid, deployment.rows[0].device, "In Progress")
    cloud.close_tunnel(cloud.tunnels.rows("null")[0]["port_tunnel_id"], "terminated")

    async def all_words(client: Any) -> object:
        [devices] = await pages(client.devices("devices"))
        [rows] = await pages(client.deployment_devices(deployment.uuid))
        [tunnels] = await pages(client.tunnels("tunnels"))
        statuses = [each.status for each in devices.items], rows.items, [each.status for each in tunnels.items]
        unknown = [page.unknown_word for page in (devices, rows, tunnels)]
        return statuses, unknown, (await client.device(devices.items[0].device.id)).status

    async with reached(JFROG, cloud, account, redactor) as client:
        documented = await all_words(client)
        cloud.switch(other_case=True)

        other = await all_words(client)

    assert other == documented


@pytest.mark.parametrize("field", ["message", "error_message", "error", "detail", "errors"])
async def test_jfrog_errors_are_told_in_their_words_wherever_these_stand(
    account: Callable[[str], Account], redactor: Redactor, field: str
) -> None:
    async with reached(JFROG, JFROG.cloud(1, error_field=field), account, redactor) as client:
        with pytest.raises(ResourceUnavailable, match="There is no such device"):
            await client.device("d-0000-0000")


async def test_a_cursor_of_update_flows_where_nobody_looks_makes_no_whole_list_of_a_full_page(
    account: Callable[[str], Account], redactor: Redactor
) -> None:
    cloud = JFROG.cloud(0, flows_paging="elsewhere")
    for number in range(1000):
        cloud.add_flow(f"flow {number}")

    async with reached(JFROG, cloud, account, redactor) as client:
        [page] = await pages(client.flows("flows"))

    assert len(page.items) == 1000
    assert page.guarded


async def test_the_prose_words_of_api_v1_mean_the_same_as_its_examples(
    account: Callable[[str], Account], redactor: Redactor
) -> None:
    cloud = JFROG_V1.cloud(5, capital_words=True)
    dropped = cloud.drop(2)

    async with reached(JFROG_V1, cloud, account, redactor) as client:
        [page] = await pages(client.devices("states"))
        alone = await client.device(dropped[0])

    assert [each.device.id for each in page.items if each.status is DeviceStatus.OFFLINE] == dropped
    assert (page.unknown_word, alone.status) == ("", DeviceStatus.OFFLINE)


async def test_hologram_sizes_that_are_text_change_nothing(
    account: Callable[[str], Account], redactor: Redactor
) -> None:
    cloud = HOLOGRAM.cloud(9, size_form="text", most_rows=4)

    async with reached(HOLOGRAM, cloud, account, redactor) as client:
        walked = await pages(client.devices("devices"))

    assert [each.device.id for page in walked for each in page.items] == cloud.uuids()
    assert {page.guarded for page in walked} == {""}


@pytest.mark.parametrize("body", ["html", "none"])
async def test_a_refused_hologram_key_is_one_without_the_envelope_too(
    account: Callable[[str], Account], redactor: Redactor, body: str
) -> None:
    cloud = HOLOGRAM.stocked()
    cloud.switch(error_bodies=body)
    cloud.revoke(401)

    async with reached(HOLOGRAM, cloud, account, redactor) as client:
        for endpoint in HOLOGRAM.endpoints:
            with pytest.raises(CredentialsRejected):
                await endpoint.ask(client, cloud)
