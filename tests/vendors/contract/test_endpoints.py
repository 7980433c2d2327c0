"""Every endpoint that is named is read by what names it, no other path is asked for, and nothing is written."""

from collections.abc import Sequence
from typing import Any

from fleetpulse.simulator import serve
from fleetpulse.vendors.contract import PROTOCOLS
from vendors.contract.cases import Case, read_all, sweep
from vendors.contract.conftest import Build


def hit(case: Case, cloud: Any) -> list[list[str]]:
    """By request: the names of the endpoints whose paths it matches."""
    return [[each.name for each in case.endpoints if each.matches(seen.path)] for seen in cloud.requests]


def names(hits: Sequence[Sequence[str]]) -> set[str]:
    return {name for found in hits for name in found}


async def test_a_client_fulfils_the_protocol_of_each_of_its_resources(case: Case, client: Build) -> None:
    vendor = client("http://127.0.0.1:1")

    assert {
        resource.kind for resource in vendor.resources.values() if not isinstance(vendor, PROTOCOLS[resource.kind])
    } == set()
    assert [resource.census for resource in vendor.resources.values()].count(True) == 1
    assert next(iter(vendor.resources.values())).census


async def test_each_endpoint_is_asked_by_what_names_it(case: Case, client: Build) -> None:
    cloud = case.stocked()

    async with serve(cloud) as url:
        for endpoint in case.endpoints:
            cloud.forget_requests()
            await endpoint.ask(client(url), cloud)

            assert endpoint.name in names(hit(case, cloud))


async def test_a_sweep_of_everything_asks_the_swept_endpoints_and_no_other(case: Case, client: Build) -> None:
    cloud = case.stocked()

    async with serve(cloud) as url:
        vendor = client(url)
        for resource in vendor.resources:
            await sweep(vendor, resource, cloud)

    assert names(hit(case, cloud)) == {endpoint.name for endpoint in case.endpoints if endpoint.swept}


async def test_no_other_path_is_asked_and_nothing_is_written(case: Case, client: Build) -> None:
    cloud = case.stocked()

    async with serve(cloud) as url:
        await read_all(case, client(url), cloud)

    assert {len(found) for found in hit(case, cloud)} == {1}
    assert {seen.method for seen in cloud.requests} == {"GET"}
    assert {seen.status for seen in cloud.requests} == {200}
    assert cloud.writes == []
    assert names(hit(case, cloud)) == {endpoint.name for endpoint in case.endpoints}
