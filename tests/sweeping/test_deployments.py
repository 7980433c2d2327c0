"""Deployments over real HTTP: news at once, failures with their steps, and few requests for what stands still."""

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from fleetpulse.fleet.deployment import DeploymentStatus
from fleetpulse.fleet.events import DeploymentDeviceFailed, DeploymentEvent, DeploymentFinished, SourceBaselined
from fleetpulse.simulator.jfrog_connect.account import JFrogConnect as JFrogCloud
from sweeping.house import MINUTE, SOURCE, House, house, until

PACE = {"devices": timedelta(hours=1), "deployments": timedelta(minutes=2)}
HOUR = 60 * MINUTE


async def baselined(home: House) -> None:
    await until(lambda: home.watch.standing.record.baselined_at.keys() == {"devices", "deployments"})


async def types(home: House) -> list[str]:
    return [event.type.rsplit(".", 1)[1] for event in await home.events() if isinstance(event, DeploymentEvent)]


def looks(cloud: JFrogCloud, dp: str) -> int:
    return sum(seen.path.endswith(f"/deployments/{dp}/devices") for seen in cloud.requests)


async def test_a_deployment_that_fails_on_some_is_told_with_devices_and_steps(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=20)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)

        dp = cloud.deploy(20, comment="firmware 2.4")
        await asyncio.sleep(2 * MINUTE)
        failed = cloud.settle(dp, failed=3, output="sh: 1: /usr/bin/python: not found")
        await asyncio.sleep(2 * MINUTE)

        told = [event for event in await home.events() if isinstance(event, DeploymentEvent)]
        assert await types(home) == ["started", "device_failed", "finished"]
        assert isinstance(told[1], DeploymentDeviceFailed)
        assert sorted(told[1].devices) == sorted(failed)
        assert {step.output for step in told[1].deployment.steps} == {"sh: 1: /usr/bin/python: not found"}
        assert isinstance(told[2], DeploymentFinished)
        assert told[2].deployment.status is DeploymentStatus.PARTIAL
        assert f'fleet_deployments{{source="{SOURCE}",status="partial"}} 1' in home.shown()


async def test_an_unknown_status_of_a_deployments_devices_is_logged_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = JFrogCloud(devices=20)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)

        dp = cloud.deploy(2)
        told = {device: {"status": "Rolled Back"} for device in cloud.uuids()[:2]}
        body = msgspec.json.encode({"deployment_by_device_uuid": told, "pagination_info": {"after": None, "total": 2}})
        cloud.faults.always(status=200, body=body, path=f"/deployments/{dp}/devices")
        await until(lambda: looks(cloud, dp) > 2, within_s=HOUR)

        logged = [line for line in capsys.readouterr().out.splitlines() if "that nobody knows" in line]
        assert len(logged) == 1
        assert "Rolled Back" in logged[0]


async def test_a_settled_one_is_asked_no_more(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=20)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)
        dp = cloud.deploy(5)
        cloud.settle(dp, failed=0)
        await asyncio.sleep(10 * MINUTE)
        cloud.forget_requests()

        await asyncio.sleep(2 * HOUR)

        assert looks(cloud, dp) == 0


async def test_one_that_stands_still_is_asked_less_and_less(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=20)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)

        dp = cloud.deploy(5)
        await asyncio.sleep(HOUR + 2.25 * MINUTE)  # not at a border between two looks
        in_its_first_hour = looks(cloud, dp)
        cloud.forget_requests()
        await asyncio.sleep(3 * HOUR)

        assert 30 < in_its_first_hour < 40
        assert looks(cloud, dp) == 36
        assert await types(home) == ["started"]


async def test_history_is_read_once_and_is_no_news(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=20)
    old = [cloud.deploy(5) for _ in range(3)]
    for dp in old:
        cloud.settle(dp, failed=2)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await asyncio.sleep(HOUR)

        assert [looks(cloud, dp) for dp in old] == [1, 1, 1]
        assert await types(home) == []


async def test_a_restart_reads_no_history_again_and_follows_on(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=20)
    settled, running = cloud.deploy(5), cloud.deploy(5)
    cloud.settle(settled, failed=2)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)
        await asyncio.sleep(MINUTE)
    cloud.forget_requests()
    cloud.settle(running, failed=1)

    async with house(cloud, tmp_path, intervals=PACE) as home:
        await asyncio.sleep(10 * MINUTE)

        assert looks(cloud, settled) == 0
        assert await types(home) == ["device_failed", "finished"]


async def test_one_the_vendor_forgot_ends_as_incomplete(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=20)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)
        dp = cloud.deploy(5)
        await asyncio.sleep(3 * MINUTE)

        cloud.forget_deployment(dp)
        await asyncio.sleep(HOUR)

        assert await types(home) == ["started", "finished"]
        deployment = home.watch.remembered.deployments.deployment(dp)
        assert deployment is not None
        assert deployment.status is DeploymentStatus.INCOMPLETE


async def test_a_right_to_list_but_not_to_look_is_a_trouble_and_ends_nothing(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=20)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)
        dp = cloud.deploy(5)
        cloud.faults.always(status=403, path=f"/deployments/{dp}/")
        await asyncio.sleep(HOUR)
        during = await home.told()
        cloud.faults.clear()
        cloud.settle(dp, failed=0)
        await asyncio.sleep(2 * HOUR)

        assert during[1:] == [f"deployment.started {dp}", "source.degraded deployments failing"]
        assert (await home.told())[3:] == [f"deployment.finished {dp}", "source.recovered deployments failing"]


async def test_a_failure_is_told_even_where_its_steps_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = JFrogCloud(devices=20)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)
        first, *others = cloud.uuids()[:5]
        dp = cloud.deploy([first, *others])
        cloud.advance(dp, first, "Failed")
        cloud.faults.always(status=500, path="/devices/d-")
        await asyncio.sleep(10 * MINUTE)
        cloud.settle(dp, failed=2)
        await asyncio.sleep(2 * HOUR)

        assert await types(home) == ["started", "device_failed", "progressed", "device_failed", "finished"]
        failed = [event for event in await home.events() if isinstance(event, DeploymentDeviceFailed)]
        assert {event.deployment.steps for event in failed} == {()}
        assert capsys.readouterr().out.count("failed steps could not be read") == 1


async def test_the_first_look_is_told_once_each_deployment_was_looked_at(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=20)
    cloud.deploy(5)
    for failed in (5, 0):
        cloud.settle(cloud.deploy(5), failed=failed)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await asyncio.sleep(5 * MINUTE)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await asyncio.sleep(5 * MINUTE)

        told = [event for event in await home.events() if event.subject == "deployments"]
        (baseline,) = told
        assert isinstance(baseline, SourceBaselined)
        assert baseline.counts == {"running": 1, "failed": 1, "succeeded": 1}


async def test_a_deployment_that_cannot_be_looked_at_holds_the_summary_for_minutes_only(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=20)
    broken, _ = cloud.deploy(5), cloud.deploy(5)
    cloud.faults.always(status=500, path=f"/deployments/{broken}/devices")
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await asyncio.sleep(9 * MINUTE)
        early = [event for event in await home.events() if event.subject == "deployments"]
        await asyncio.sleep(3 * MINUTE)

        counts = [event.counts for event in await home.events() if isinstance(event, SourceBaselined)]
        assert not [event for event in early if isinstance(event, SourceBaselined)]
        assert counts[1:] == [{"running": 1, "unread": 1}]
