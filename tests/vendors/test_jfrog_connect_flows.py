"""JFrog Connect's update flows."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from fleetpulse import simulator
from fleetpulse.fleet.flow import UpdateFlow
from fleetpulse.vendors.contract import AnswerInvalid
from fleetpulse.vendors.jfrog_connect import api
from vendors import jfrog_cloud
from vendors.jfrog_cloud import Build, listed

cloud, build = jfrog_cloud.cloud, jfrog_cloud.build

FLOW = {
    "name": "My Sample Flow",
    "uuid": "f-g584-cc21",
    "update_parameters": ["param1_key", "param2_key"],
    "created_time": "2023-05-15 10:30:00",
    "cve_severity": "High",
}


def answer(cloud: simulator.JFrogConnect, value: object) -> None:
    cloud.faults.always(status=200, body=msgspec.json.encode(value), path="/update-flows")


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_LIMIT", 4)


async def test_the_documented_flow_arrives_in_our_words(cloud: simulator.JFrogConnect, build: Build) -> None:
    answer(cloud, {"status": "success", "update_flows": [FLOW]})

    [page] = await listed(build().flows("flows"))

    assert page.items == [
        UpdateFlow(
            id="f-g584-cc21",
            name="My Sample Flow",
            severity="High",
            created_at=datetime(2023, 5, 15, 10, 30, tzinfo=UTC),
        )
    ]
    assert (page.resume, page.guarded) == (None, "")


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("number", [2, 4, 9])
async def test_pages_are_followed_where_the_list_tells_a_cursor(
    cloud: simulator.JFrogConnect, build: Build, number: int
) -> None:
    cloud.switch(flows_paging=True)
    made = [flow.name for flow in cloud.flows.rows] + [f"flow {n}" for n in range(number - 2)]
    for name in made:
        cloud.add_flow(name)

    pages = await listed(build().flows("flows"))

    assert [flow.name for page in pages for flow in page.items] == made
    assert {page.guarded for page in pages} == {""}


@pytest.mark.usefixtures("small_pages")
async def test_without_a_cursor_it_is_one_page_and_a_full_one_is_not_taken_for_the_whole(
    cloud: simulator.JFrogConnect, build: Build
) -> None:
    few = await listed(build().flows("flows"))
    for n in range(7):
        cloud.add_flow(f"flow {n}")

    full = await listed(build().flows("flows"))

    assert [(len(page.items), page.guarded) for page in few] == [(2, "")]
    assert [(len(page.items), bool(page.guarded)) for page in full] == [(4, True)]


@pytest.mark.parametrize(
    ("raw", "severity"),
    [
        ("High", "High"),
        ("critical", "Critical"),
        (None, ""),
        ("", ""),
        ("Negligible", "Negligible"),
        ({"Critical": 0, "Medium": 2, "Low": 9}, "Medium"),
        ([], ""),
        ("x" * 1000, "x" * 40),
    ],
)
async def test_a_severity_is_a_name_or_nothing(
    cloud: simulator.JFrogConnect, build: Build, raw: Any, severity: str
) -> None:
    answer(cloud, {"update_flows": [FLOW | {"cve_severity": raw}]})

    [page] = await listed(build().flows("flows"))

    assert page.items[0].severity == severity


async def test_a_flow_made_in_the_web_page_is_listed_like_any_other(build: Build) -> None:
    [page] = await listed(build().flows("flows"))

    assert {flow.name: flow.severity for flow in page.items} == {"nightly": "High", "hotfix": ""}
    assert {flow.id[:2] for flow in page.items} > {"f-"}


async def test_odd_rows_cost_no_other_row(cloud: simulator.JFrogConnect, build: Build) -> None:
    answer(cloud, {"update_flows": [{}, None, FLOW | {"name": None, "created_time": 7}]})

    [page] = await listed(build().flows("flows"))

    assert [(flow.name, flow.created_at) for flow in page.items] == [("f-g584-cc21", None)]
    assert page.odd == 2


async def test_a_list_that_says_it_failed_is_no_empty_list(cloud: simulator.JFrogConnect, build: Build) -> None:
    answer(cloud, {"status": "error", "message": "no flows for you"})

    with pytest.raises(AnswerInvalid, match="no flows for you"):
        await listed(build().flows("flows"))


async def test_the_yaml_of_a_flow_is_never_asked_for(cloud: simulator.JFrogConnect, build: Build) -> None:
    await listed(build().flows("flows"))

    assert {request.path for request in cloud.requests} == {"/api/v2/yard/update-flows"}
