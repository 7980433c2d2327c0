"""What is read whole and compared with nothing: flows, groups, the vendor's own count."""

import asyncio
from datetime import timedelta
from pathlib import Path

from fleetpulse.fleet.events import Problem
from fleetpulse.simulator.iomote import Iomote as IomoteCloud
from fleetpulse.simulator.jfrog_connect.account import JFrogConnect as JFrogCloud
from fleetpulse.simulator.scalepad import ScalePad as ScalePadCloud
from sweeping.house import MINUTE, house, until


async def test_flows_are_shown_as_the_list_has_them(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=3)
    cloud.add_flow("kiosk", "Critical")
    async with house(cloud, tmp_path, only=("devices", "flows"), intervals={"flows": timedelta(minutes=5)}) as home:
        await until(lambda: "flows" in home.watch.standing.record.good_at)
        before = home.shown()

        cloud.set_severity("kiosk", "Low")
        await asyncio.sleep(6 * MINUTE)

        assert 'severity="Critical"} 1' in before
        assert 'severity="Low"} 1' in home.shown()
        assert 'severity="Critical"' not in home.shown()


async def test_groups_are_swept_and_a_failing_list_of_them_is_their_own_trouble(tmp_path: Path) -> None:
    cloud = IomoteCloud(devices=3, api_key="demo-token")
    async with house(cloud, tmp_path, only=("devices", "groups"), intervals={"groups": timedelta(minutes=5)}) as home:
        await until(lambda: "groups" in home.watch.standing.record.good_at)

        cloud.faults.always(status=503, path="/groups")
        await asyncio.sleep(10 * MINUTE)
        failing = home.watch.standing.record.troubles
        cloud.faults.clear()
        await asyncio.sleep(10 * MINUTE)

        assert [(trouble.resource, trouble.problem) for trouble in failing] == [("groups", Problem.FAILING)]
        assert home.watch.standing.record.troubles == ()


async def test_the_vendors_own_count_is_known_and_its_errors_are_remembered(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=30)
    cloud.enrol(cloud.uuids()[0], "error")
    async with house(cloud, tmp_path, only=("devices", "summary")) as home:
        await until(lambda: home.watch.summary is not None)
        await asyncio.sleep(1)

        summary = home.watch.summary
        assert summary is not None
        assert (summary.devices, summary.enrolment_errors, summary.affected_devices) == (30, 1, 1)
        assert home.watch.standing.record.enrolment_errors == 1
        assert (await home.told()) == ["source.baselined devices"]


async def test_a_count_that_falls_is_what_the_next_rise_is_held_against(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=5)
    enrolment = cloud.enrol(cloud.uuids()[0], "error")
    async with house(cloud, tmp_path, only=("devices", "summary")) as home:
        await until(lambda: home.watch.standing.record.enrolment_errors == 1)

        cloud.set_enrolment(enrolment, "success")
        await asyncio.sleep(6 * MINUTE)

        assert home.watch.standing.record.enrolment_errors == 0
