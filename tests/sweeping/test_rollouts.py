"""Deployments that their devices tell of, where the vendor has no list of them."""

import asyncio
from datetime import timedelta
from pathlib import Path

from fleetpulse.fleet.deployment import DeploymentStatus
from fleetpulse.fleet.events import (
    DeploymentDeviceFailed,
    DeploymentEvent,
    DeploymentFinished,
    DeviceChanged,
    SourceBaselined,
)
from fleetpulse.simulator.jfrog_connect_v1 import JFrogConnectV1 as V1Cloud
from sweeping.house import MINUTE, SOURCE, House, house, until

PACE = {"details": timedelta(minutes=2)}


async def baselined(home: House) -> None:
    await until(lambda: home.watch.standing.record.baselined_at.keys() == {"states", "details"})


async def deployments_told(home: House) -> list[str]:
    return [event.type.removeprefix("fleet.") for event in await home.events() if isinstance(event, DeploymentEvent)]


async def test_a_deployment_told_by_its_devices_starts_fails_and_finishes(tmp_path: Path) -> None:
    cloud = V1Cloud(devices=70)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)

        dp = cloud.deploy(cloud.uuids()[:20])
        await asyncio.sleep(3 * MINUTE)
        shown = home.shown()
        cloud.settle(dp, failed=3)
        await asyncio.sleep(7 * MINUTE)

        finished = [event for event in await home.events() if isinstance(event, DeploymentFinished)]
        failed = [
            device
            for event in await home.events()
            if isinstance(event, DeploymentDeviceFailed)
            for device in event.devices
        ]
        assert f'fleet_deployments{{source="{SOURCE}",status="running"}} 1' in shown
        assert len(failed) == 3
        assert [event.deployment.status for event in finished] == [DeploymentStatus.PARTIAL]


async def test_details_that_are_read_first_name_who_went_offline_and_add_to_the_baseline(tmp_path: Path) -> None:
    cloud = V1Cloud(devices=20)
    (before,) = cloud.drop(1)
    cloud.faults.fail_next(n=5, status=503, path="devices_details")
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await until(lambda: "states" in home.watch.standing.record.baselined_at)
        (after,) = cloud.drop(1)
        await until(lambda: "details" in home.watch.standing.record.baselined_at)

        found = await home.events()
        offline = [known.device for event in found if isinstance(event, SourceBaselined) for known in event.offline]
        changed = [event for event in found if isinstance(event, DeviceChanged)]
        assert [device.id for device in offline] == [before]
        assert [event.subject for event in changed] == [after]
        assert all(device.group for device in (*offline, changed[0].device))


async def test_deployments_of_before_anyone_looked_are_told_in_one_summary(tmp_path: Path) -> None:
    cloud = V1Cloud(devices=20)
    dp = cloud.deploy(cloud.uuids())
    cloud.settle(dp, failed=2)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)
        await asyncio.sleep(10 * MINUTE)

        summaries = [event for event in await home.events() if isinstance(event, SourceBaselined)]
        assert await deployments_told(home) == []
        assert [(event.subject, event.counts) for event in summaries if event.subject == "details"] == [
            ("details", {"partial": 1})
        ]


async def test_a_deployment_told_by_devices_is_remembered_and_shown_after_a_restart(tmp_path: Path) -> None:
    cloud = V1Cloud(devices=20)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)
        cloud.deploy(cloud.uuids())
        await asyncio.sleep(5 * MINUTE)

    async with house(cloud, tmp_path, intervals=PACE) as home:
        shown = home.shown()
        await asyncio.sleep(5 * MINUTE)

        assert f'fleet_deployments{{source="{SOURCE}",status="running"}} 1' in shown
        assert (await deployments_told(home)).count("deployment.started") == 1
