"""What is asked of JFrog Connect on demand, what its settings foretell, and that nothing else is ever asked."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from fleetpulse import simulator
from fleetpulse.fleet.deployment import Deployment, FailedStep, RolloutStatus
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.vendors.contract import (
    AnswerInvalid,
    CredentialsRejected,
    ResourceUnavailable,
)
from fleetpulse.vendors.jfrog_connect import JFrogConnectSettings, api
from vendors import jfrog_cloud
from vendors.jfrog_cloud import Build, listed

cloud, build = jfrog_cloud.cloud, jfrog_cloud.build

DETAIL = {
    "address": "",
    "agent_version": "7.1",
    "apps": [{"app_name": "default_app", "version": "v1.2"}],
    "cpu_usage": None,
    "current_disk_usage": 2210,
    "device_ip": "192.0.2.7",
    "device_name": "gate-17",
    "device_status": "online",
    "device_uuid": "d-c06c-a10f",
    "disk_size": 16000,
    "group_name": "Lyon",
    "is_update_trigger_set": True,
    "last_keepalive": "2025-03-02 08:00:04",
    "mac_address": ["02:00:5e:00:00:01"],
    "ram_usage": 12.5,
    "tags": ["lab", "a"],
    "updates": [{"flow_name": "nightly", "deployment_status": "pending", "deployment_finish_time": ""}],
}


def answer(cloud: simulator.JFrogConnect, value: object, path: str = "/devices/") -> None:
    cloud.faults.always(status=200, body=msgspec.json.encode(value), path=path)


# -- one device


async def test_a_devices_detail_arrives_in_our_words_with_its_naive_dates_and_plain_tags(
    cloud: simulator.JFrogConnect, build: Build
) -> None:
    answer(cloud, DETAIL)

    found = await build().device("d-c06c-a10f")

    assert (found.device.name, found.device.group, found.device.tags) == ("gate-17", "Lyon", ("a", "lab"))
    assert found.status is DeviceStatus.ONLINE
    assert found.readings.last_seen_at == datetime(2025, 3, 2, 8, 0, 4, tzinfo=UTC)
    assert (found.readings.cpu_usage_ratio, found.readings.updates_blocked) == (None, True)


async def test_one_device_is_told_as_the_list_tells_it(cloud: simulator.JFrogConnect, build: Build) -> None:
    vendor = build()
    [page] = await listed(vendor.devices("devices"))

    found = await vendor.device(cloud.uuids()[0])

    assert (found.device, found.status) == (page.items[0].device, page.items[0].status)


async def test_a_device_is_found_without_its_prefix_too(cloud: simulator.JFrogConnect, build: Build) -> None:
    found = await build().device(cloud.uuids()[0].removeprefix("d-"))

    assert found.device.id == cloud.uuids()[0]


@pytest.mark.parametrize("flag", ["enrich_info", "additional_info"])
async def test_the_flag_for_the_tags_has_the_name_that_is_configured(
    cloud: simulator.JFrogConnect, build: Build, flag: str
) -> None:
    cloud.switch(detail_flag="additional_info")
    uuid = cloud.add_device(tags=["lab"])

    found = await build(detail_flag=flag).device(uuid)

    assert found.device.tags == (("lab",) if flag == "additional_info" else ())


async def test_an_empty_flag_is_not_sent(cloud: simulator.JFrogConnect, build: Build) -> None:
    await build(detail_flag="").device(cloud.uuids()[0])

    assert cloud.requests[-1].query == ""


async def test_a_device_that_is_not_there_is_unavailable(build: Build) -> None:
    with pytest.raises(ResourceUnavailable, match="There is no such device"):
        await build().device("d-0000-0000")


async def test_an_answer_about_another_device_is_invalid(cloud: simulator.JFrogConnect, build: Build) -> None:
    answer(cloud, DETAIL)

    with pytest.raises(AnswerInvalid, match="about another one"):
        await build().device("d-0000-0000")


@pytest.mark.parametrize(
    ("raw", "tags"),
    [
        ({"message": "", "names": ["lab", "a"]}, ("a", "lab")),
        ({"names": ["lab"]}, ("lab",)),
        ({"tags": ["lab"]}, ("lab",)),
        (["lab", "lab", 7, None, {}], ("7", "lab")),
        ({"message": "20 more tags are not shown", "names": [f"t{n:03}" for n in range(120)]}, 100),
        (None, ()),
        ("lab", ()),
        ({}, ()),
    ],
)
async def test_q9_tags_in_every_form_that_is_documented_or_described(
    cloud: simulator.JFrogConnect, build: Build, raw: Any, tags: Any
) -> None:
    uuid = cloud.uuids()[0]
    cloud.set_row(uuid, tags=raw)
    vendor = build()

    found = [await vendor.device(uuid), (await listed(vendor.devices("devices")))[0].items[0]]

    assert [len(each.device.tags) if isinstance(tags, int) else each.device.tags for each in found] == [tags, tags]


# -- one deployment


async def test_one_deployment_is_told_without_its_devices(cloud: simulator.JFrogConnect, build: Build) -> None:
    uuid = cloud.deploy(2, comment="release 7", cves={"High": 1})

    found = await build().deployment(uuid)

    assert msgspec.structs.replace(found, created_at=None) == Deployment(
        id=uuid, name="release 7", kind="manual", vulnerabilities={"High": 1}
    )
    assert found.created_at is not None


async def test_a_deployment_that_is_not_there_is_unavailable(build: Build) -> None:
    with pytest.raises(ResourceUnavailable, match="There is no such deployment"):
        await build().deployment("dp-0000-0000")


@pytest.mark.parametrize(
    ("beside", "severity", "found"),
    [
        ({"Critical": 1, "High": 2, "Medium": 0, "Low": 0}, None, {"Critical": 1, "High": 2}),
        ({}, {"Critical": 1, "Low": "3"}, {"Critical": 1, "Low": 3}),
        ({}, "Critical", {"Critical": 1}),
        ({"Critical": 0, "High": 4}, "Critical", {"High": 4}),
        ({}, None, {}),
        ({"Critical": "many", "High": -1, "Low": 10**30}, [], {"Low": 10**9}),
    ],
)
async def test_q10_findings_beside_under_or_instead_of_the_severity(
    cloud: simulator.JFrogConnect, build: Build, *, beside: dict[str, Any], severity: Any, found: dict[str, int]
) -> None:
    answer(cloud, {"deployment_uuid": "dp-e6a5-7e19", "cve_severity": severity} | beside, path="/deployments/")

    deployment = await build().deployment("dp-e6a5-7e19")

    assert deployment.vulnerabilities == found


async def test_q11_q12_the_documented_wrapped_detail_fails_by_its_status(
    cloud: simulator.JFrogConnect, build: Build
) -> None:
    step = {"name": "install", "exit_code": 0, "stdout": "The script ended with code 127", "stderr": ""}
    answer(
        cloud,
        {"summary": "Failed", "value": {"status": "Failed", "steps": [step], "started_time": None}},
        path="/deployments/",
    )

    steps = await build().failed_steps("dp-e6a5-7e19", "d-1")

    assert steps == (FailedStep("d-1", "install", "The script ended with code 127"),)


async def test_twenty_steps_at_most_are_told_of_one_device(cloud: simulator.JFrogConnect, build: Build) -> None:
    [uuid] = cloud.uuids()[:1]
    deployment = cloud.deploy([uuid])
    for number in range(30):
        cloud.advance(deployment, uuid, "Failed", stderr="disk full", exit_code=1, step=f"step {number}")

    steps = await build().failed_steps(deployment, uuid)

    assert [step.name for step in steps] == [f"step {number}" for number in range(20)]


@pytest.mark.parametrize("form", ["c06c-a10f", "d-c06c-a10f"])
async def test_q13_a_devices_id_has_one_spelling_whatever_the_map_says(
    cloud: simulator.JFrogConnect, build: Build, form: str
) -> None:
    answer(cloud, {"deployment_by_device_uuid": {form: {"status": "Failed"}}}, path="/deployments/")

    [page] = await listed(build().deployment_devices("dp-1"))

    assert page.items == [("d-c06c-a10f", RolloutStatus.FAILED)]


async def test_q14_a_token_beside_as_many_rows_as_there_are_is_not_followed(
    cloud: simulator.JFrogConnect, build: Build
) -> None:
    info = {"after": "eyJjdXJzb3IiOiA0OTEsICJsaW1pdCI6IDN9", "total": 3}
    statuses = {f"2c55-e27{n}": {"status": "Pending"} for n in range(3)}
    answer(cloud, {"deployment_by_device_uuid": statuses, "pagination_info": info}, path="/deployments/")

    pages = await listed(build().deployment_devices("dp-1"))

    assert len(pages) == len(cloud.requests) == 1


async def test_q15_the_limit_of_the_deployment_list_counts_deployments(
    cloud: simulator.JFrogConnect, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_LIMIT", 4)
    for _ in range(3):
        cloud.deploy(9)

    pages = await listed(build().deployments("deployments"))

    assert [len(page.items) for page in pages] == [3]


@pytest.mark.parametrize("field", ["error_message", "message", "error", "detail", "errors"])
async def test_an_error_text_is_found_in_any_field(cloud: simulator.JFrogConnect, build: Build, field: str) -> None:
    answer(cloud, {field: ["no such fleet"] if field == "errors" else "no such fleet"}, path="/update-flows")

    with pytest.raises(AnswerInvalid, match="no such fleet"):
        await listed(build().flows("flows"))


# -- the account


@pytest.mark.parametrize(
    ("devices", "total_mode", "told"),
    [(9, "all", "9 devices"), (9, "page", ""), (9, "absent", ""), (1, "all", ""), (0, "all", "no device")],
)
async def test_a_check_costs_one_device_and_tells_only_a_count_that_is_surely_the_projects(
    cloud: simulator.JFrogConnect, build: Build, *, devices: int, total_mode: str, told: str
) -> None:
    cloud.remove(cloud.uuids()[devices:])
    cloud.switch(total_mode=total_mode)

    seen = await build().check()

    assert seen == told
    assert [(request.path, request.query) for request in cloud.requests] == [("/api/v2/yard/devices", "limit=1")]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_check_tells_a_refused_token(cloud: simulator.JFrogConnect, build: Build, status: int) -> None:
    cloud.revoke(status)

    with pytest.raises(CredentialsRejected):
        await build().check()


@pytest.mark.parametrize(
    ("groups", "devices", "requests"),
    [([], 3000, 3), ([], 0, 1), (["a"], 3000, 3), (["a", "b"], 10, 2), (["a", "b", "c"], 0, 3), (["a", "b"], 3000, 4)],
)
def test_every_configured_group_costs_a_request_at_least(groups: list[str], devices: int, requests: int) -> None:
    source = JFrogConnectSettings.model_validate(
        {"name": "edge", "project_key": "yard", "token": "demo-token", "groups": groups}
    )

    assert source.requests_of("devices", devices) == requests
    assert [source.requests_of(resource, devices) for resource in ("deployments", "tunnels", "flows")] == [1, 1, 1]


async def test_q16_the_token_is_sent_to_every_endpoint_and_no_other_path_is_asked(
    cloud: simulator.JFrogConnect, build: Build
) -> None:
    vendor = build()
    uuid = cloud.uuids()[0]
    deployment, tunnel = cloud.deploy([uuid]), cloud.open_tunnel(uuid)

    await vendor.check()
    await listed(vendor.devices("devices"))
    await vendor.device(uuid)
    await listed(vendor.deployments("deployments"))
    await vendor.deployment(deployment)
    await listed(vendor.deployment_devices(deployment))
    await vendor.failed_steps(deployment, uuid)
    await listed(vendor.tunnels("tunnels"))
    await vendor.tunnel(tunnel)
    await listed(vendor.flows("flows"))

    project = "GET /api/v2/{project_key}"
    assert dict(cloud.counts) == {
        f"{project}/devices": 2,
        f"{project}/devices/{{device}}": 1,
        f"{project}/deployments": 1,
        f"{project}/deployments/{{dp}}": 1,
        f"{project}/deployments/{{dp}}/devices": 1,
        f"{project}/deployments/{{dp}}/devices/{{device}}": 1,
        f"{project}/port_tunnel": 1,
        f"{project}/port_tunnel/{{tunnel}}": 1,
        f"{project}/update-flows": 1,
    }
    assert set(cloud.statuses) == {200}
    assert cloud.writes == []


@pytest.mark.parametrize("odd", ["", ".", ".."])
async def test_an_id_that_would_lead_to_another_path_is_not_asked_for(
    cloud: simulator.JFrogConnect, build: Build, odd: str
) -> None:
    vendor = build()

    for asking in (vendor.tunnel(odd), vendor.deployment(odd), vendor.failed_steps(odd, "d-1")):
        with pytest.raises(ResourceUnavailable, match="there is nothing with the id"):
            await asking

    assert not cloud.requests
