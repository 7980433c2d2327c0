"""Where the budget is short, a sweep's requests wait as its resource does, and what a person asks behind all sweeps."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest_asyncio

from fleetpulse.durations import Rate
from fleetpulse.outbound import Account, Budget, Outbound, Priority
from fleetpulse.secrets import Redactor
from fleetpulse.simulator import serve
from fleetpulse.vendors.contract import ReadsStalestDevices, Vendor
from vendors.contract.cases import Case, pages, sweep


class Watched(Budget):
    """A budget that notes with which priority turns are waited for."""

    def __init__(self) -> None:
        super().__init__(rate=Rate(1000, 1.0))
        self.waited: set[Priority] = set()

    @asynccontextmanager
    async def turn(self, priority: Priority) -> AsyncIterator[None]:
        self.waited.add(priority)
        async with super().turn(priority):
            yield

    @contextmanager
    def noting(self) -> Iterator[set[Priority]]:
        """Note anew."""
        self.waited = set()
        yield self.waited


class Scene:
    """A stocked account and a client of it, whose budget is watched."""

    def __init__(self, case: Case, url: str, cloud: Any, *, outbound: Outbound, redactor: Redactor) -> None:
        self.budget = Watched()
        self.cloud = cloud
        self.client: Vendor = case.client(
            url,
            account=lambda base_url: Account(
                outbound=outbound, budget=self.budget, base_url=base_url, observe=lambda *_: None
            ),
            redactor=redactor,
        )


@pytest_asyncio.fixture
async def scene(case: Case, outbound: Outbound, redactor: Redactor) -> AsyncIterator[Scene]:
    cloud = case.stocked()
    async with serve(cloud) as url:
        yield Scene(case, url, cloud, outbound=outbound, redactor=redactor)


async def test_each_endpoint_is_asked_with_the_priority_of_its_sweep_or_last_of_all(case: Case, scene: Scene) -> None:
    resources = scene.client.resources

    for endpoint in case.endpoints:
        with scene.budget.noting() as waited:
            await endpoint.ask(scene.client, scene.cloud)

        assert waited == {resources[endpoint.swept].priority if endpoint.swept else Priority.DETAIL}, endpoint.name


async def test_a_sweep_never_asks_with_another_resources_priority(scene: Scene) -> None:
    for name, resource in scene.client.resources.items():
        with scene.budget.noting() as waited:
            await sweep(scene.client, name, scene.cloud)

        assert waited == {resource.priority}, name


async def test_a_look_at_the_stalest_devices_waits_as_the_census_does(scene: Scene) -> None:
    if isinstance(scene.client, ReadsStalestDevices):
        with scene.budget.noting() as waited:
            await pages(scene.client.stalest_devices("devices"))

        assert waited == {Priority.STATE}


async def test_a_check_by_hand_waits_behind_all_sweeps(scene: Scene) -> None:
    with scene.budget.noting() as waited:
        await scene.client.check()

    assert waited == {Priority.DETAIL}
