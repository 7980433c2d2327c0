"""Deployments, tunnels and update flows of the JFrog Connect look-alike."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from simulator.conftest import Yard


async def test_a_deployment_begins_pending_everywhere_without_times(yard: Yard) -> None:
    dp = yard.account.deploy(3)

    answer = await yard.get(f"/deployments/{dp}/devices")

    rows = answer["deployment_by_device_uuid"]
    assert len(rows) == answer["pagination_info"]["total"] == 3
    assert list(rows.values()) == [{"finished_time": None, "started_time": None, "status": "Pending"}] * 3


async def test_its_devices_are_keyed_without_the_prefix_unless_switched(yard: Yard) -> None:
    uuid = yard.account.uuids()[0]
    dp = yard.account.deploy([uuid])

    bare = await yard.get(f"/deployments/{dp}/devices")
    yard.account.map_prefix = True
    prefixed = await yard.get(f"/deployments/{dp}/devices")

    assert list(bare["deployment_by_device_uuid"]) == [uuid.removeprefix("d-")]
    assert list(prefixed["deployment_by_device_uuid"]) == [uuid]


async def test_its_devices_are_paged(yard: Yard) -> None:
    dp = yard.account.deploy(yard.account.uuids())

    first = await yard.get(f"/deployments/{dp}/devices", "limit=4")
    after = quote(first["pagination_info"]["after"])
    second = await yard.get(f"/deployments/{dp}/devices", f"limit=4&after={after}")

    keys = [*first["deployment_by_device_uuid"], *second["deployment_by_device_uuid"]]
    assert [f"d-{key}" for key in keys] == yard.account.uuids()


@pytest.mark.parametrize("prefix", ["d-", ""])
async def test_a_failed_device_tells_its_steps_with_exit_code_zero(yard: Yard, prefix: str) -> None:
    uuid = yard.account.uuids()[0]
    dp = yard.account.deploy([uuid])

    yard.account.settle(dp, failed=1, output="sh: 1: tool: not found")

    row = await yard.get(f"/deployments/{dp}/devices/{prefix}{uuid.removeprefix('d-')}")
    assert row["status"] == "Failed"
    assert [(step["exit_code"], step["stderr"]) for step in row["steps"]] == [(0, "sh: 1: tool: not found\n")]
    assert datetime.strptime(row["finished_time"] + "+0000", "%Y-%m-%d %H:%M:%S%z")


async def test_the_steps_may_be_wrapped(yard: Yard) -> None:
    uuid = yard.account.uuids()[0]
    dp = yard.account.deploy([uuid])
    yard.account.wrapped_steps = True

    row = await yard.get(f"/deployments/{dp}/devices/{uuid}")

    assert set(row) == {"summary", "value"}
    assert row["value"]["status"] == "Pending"


async def test_a_device_advances_by_itself(yard: Yard) -> None:
    uuid = yard.account.uuids()[0]
    dp = yard.account.deploy(yard.account.uuids())

    yard.account.advance(dp, uuid.removeprefix("d-"), "In Progress", stdout="fetching", step="fetch")
    running = await yard.get(f"/deployments/{dp}/devices/{uuid}")
    yard.account.advance(dp, uuid, "Succeeded", stdout="fetched", step="fetch")
    ended = await yard.get(f"/deployments/{dp}/devices/{uuid}")

    assert (running["finished_time"], running["steps"][0]["stdout"]) == (None, "fetching")
    assert ended["finished_time"] is not None
    assert [step["stdout"] for step in ended["steps"]] == ["fetched"]


async def test_settling_fails_as_many_as_told_and_the_rest_succeed(yard: Yard) -> None:
    dp = yard.account.deploy(yard.account.uuids())

    failed = yard.account.settle(dp, failed=2)

    rows = (await yard.get(f"/deployments/{dp}/devices"))["deployment_by_device_uuid"]
    assert [f"d-{key}" for key, row in rows.items() if row["status"] == "Failed"] == failed
    assert [row["status"] for row in rows.values()].count("Succeeded") == 4


async def test_a_settled_deployment_can_not_fail_again(yard: Yard) -> None:
    dp = yard.account.deploy(1)
    yard.account.settle(dp, failed=0)

    with pytest.raises(ValueError, match="only 0"):
        yard.account.settle(dp, failed=1)


async def test_deployments_are_listed_newest_first_and_paged(yard: Yard) -> None:
    made = [yard.account.deploy(1) for _ in range(3)]

    first = await yard.get("/deployments", "limit=2")
    second = await yard.get("/deployments", f"limit=2&after={quote(first['pagination_info']['after'])}")

    listed = [row["deployment_uuid"] for row in first["deployments"] + second["deployments"]]
    assert listed == made[::-1]
    assert first["pagination_info"]["total"] == 3


async def test_deployments_may_be_listed_oldest_first(yard: Yard) -> None:
    made = [yard.account.deploy(1) for _ in range(3)]
    yard.account.deployments_order = "oldest"

    answer = await yard.get("/deployments")

    assert [row["deployment_uuid"] for row in answer["deployments"]] == made


async def test_findings_stand_beside_a_null_severity_or_under_it(yard: Yard) -> None:
    dp = yard.account.deploy(1, comment="spring", cves={"Critical": 2})

    flat = await yard.get(f"/deployments/{dp}")
    yard.account.cve_nested = True
    nested = await yard.get(f"/deployments/{dp}")

    assert (flat["cve_severity"], flat["Critical"], flat["Low"], flat["comment"]) == (None, 2, 0, "spring")
    assert nested["cve_severity"] == {"Critical": 2, "High": 0, "Medium": 0, "Low": 0}
    assert "status" not in flat


async def test_what_is_not_there_is_not_found(yard: Yard) -> None:
    dp = yard.account.deploy([yard.account.uuids()[0]])
    paths = [
        "/deployments/dp-0", "/deployments/dp-0/devices", "/deployments/dp-0/devices/d-0",
        f"/deployments/{dp}/devices/{yard.account.uuids()[1]}", "/port_tunnel/0", "/update-flows/0",
    ]  # fmt: skip

    assert [(await yard.ask(path))[0] for path in paths] == [404] * 6


async def test_a_forgotten_deployment_is_gone(yard: Yard) -> None:
    dp = yard.account.deploy(1)

    yard.account.forget_deployment(dp)

    assert (await yard.get("/deployments"))["deployments"] == []


async def test_tunnels_are_a_bare_list_with_long_dates(yard: Yard) -> None:
    uuid = yard.account.uuids()[0]
    tunnel = yard.account.open_tunnel(uuid)

    (row,) = await yard.get("/port_tunnel")
    alone = await yard.get(f"/port_tunnel/{tunnel}")

    assert row == alone
    assert (row["port_tunnel_id"], row["device_id"], row["finish_time"]) == (tunnel, uuid, None)
    assert parsedate_to_datetime(row["created_time"])


async def test_a_closed_tunnel_has_an_end(yard: Yard) -> None:
    tunnel = yard.account.open_tunnel(yard.account.uuids()[0])

    yard.account.close_tunnel(tunnel)

    (row,) = await yard.get("/port_tunnel")
    assert row["status"] == "closed"
    assert parsedate_to_datetime(row["finish_time"])


async def test_an_open_tunnel_shows_its_missing_end_in_other_ways(yard: Yard) -> None:
    yard.account.open_tunnel(yard.account.uuids()[0])

    yard.account.switch(tunnel_finish="empty")
    (empty,) = await yard.get("/port_tunnel")
    yard.account.switch(tunnel_finish="absent")
    (absent,) = await yard.get("/port_tunnel")

    assert empty["finish_time"] == ""
    assert "finish_time" not in absent


async def test_flows_are_listed_without_pagination_unless_switched(yard: Yard) -> None:
    plain = await yard.get("/update-flows")
    yard.account.flows_paging = True
    paged = await yard.get("/update-flows", "limit=1")

    assert plain["status"] == "success"
    assert "pagination_info" not in plain
    assert [flow["name"] for flow in plain["update_flows"]] == ["nightly", "hotfix"]
    assert paged["pagination_info"]["total"] == 2
    assert len(paged["update_flows"]) == 1


async def test_only_a_flow_from_yaml_can_be_read(yard: Yard) -> None:
    nightly, hotfix = (await yard.get("/update-flows"))["update_flows"]
    headers = {"Authorization": "Bearer demo-token"}

    async with yard.client.get(f"{yard.url}/api/v2/yard/update-flows/{nightly['uuid']}", headers=headers) as answer:
        kind, text = answer.content_type, await answer.text()

    assert (kind, text.splitlines()[0]) == ("application/yaml", "flows:")
    assert (await yard.ask(f"/update-flows/{hotfix['uuid']}"))[0] == 404


async def test_deploying_an_unknown_flow_makes_it_known(yard: Yard) -> None:
    yard.account.deploy(1, flow="kernel")

    assert "kernel" in {flow["name"] for flow in (await yard.get("/update-flows"))["update_flows"]}


async def test_a_forgotten_tunnel_is_gone_from_the_list_and_by_itself(yard: Yard) -> None:
    tunnel, other = (yard.account.open_tunnel(yard.account.uuids()[0]) for _ in range(2))
    yard.account.forget_tunnel(tunnel)

    status, _ = await yard.ask(f"/port_tunnel/{tunnel}")

    assert status == 404
    assert [row["port_tunnel_id"] for row in await yard.get("/port_tunnel")] == [other]
    with pytest.raises(LookupError):
        yard.account.forget_tunnel(tunnel)


async def test_a_flow_is_added_and_turns_dangerous(yard: Yard) -> None:
    uuid = yard.account.add_flow("weekly")
    yard.account.set_severity("weekly", "Critical")

    rows = {row["uuid"]: row for row in (await yard.get("/update-flows"))["update_flows"]}

    assert (rows[uuid]["name"], rows[uuid]["cve_severity"]) == ("weekly", "Critical")
    with pytest.raises(LookupError):
        yard.account.set_severity("monthly", None)


async def test_the_flag_of_a_devices_detail_has_the_switched_name(yard: Yard) -> None:
    yard.account.switch(detail_flag="more")
    uuid = yard.account.uuids()[0]

    other, named = [await yard.get(f"/devices/{uuid}", f"{flag}=true") for flag in ("enrich_info", "more")]

    assert ("tags" in other, "tags" in named) == (False, True)


async def test_status_words_come_in_the_other_case_when_switched(yard: Yard) -> None:
    account = yard.account
    [uuid, *_] = account.uuids()
    deployment = account.deploy([uuid])
    account.advance(deployment, uuid, "In Progress")
    account.open_tunnel(uuid)
    account.switch(other_case=True)

    listed = await yard.get("/devices")
    rows = await yard.get(f"/deployments/{deployment}/devices")
    tunnels = await yard.get("/port_tunnel")

    assert {row["device_status"] for row in listed["devices"]} == {"Online"}
    assert [row["status"] for row in rows["deployment_by_device_uuid"].values()] == ["in_progress"]
    assert [row["status"] for row in tunnels] == ["Opened"]


async def test_an_errors_field_and_the_flows_cursor_stand_where_switched(yard: Yard) -> None:
    yard.account.switch(error_field="errors", flows_paging="elsewhere")

    _, refusal = await yard.ask("/devices/d-0000-0000")
    flows = await yard.get("/update-flows", "limit=1")

    assert refusal == {"errors": ["There is no such device"]}
    assert flows["next_cursor"]
    assert "pagination_info" not in flows
