"""Enrolments take a request for each device, so only those are looked at where there is a reason."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from fleetpulse import clock
from fleetpulse.fleet.events import DeploymentDeviceFailed, DeploymentFinished
from fleetpulse.simulator.scalepad import ScalePad as ScalePadCloud
from sweeping.house import MINUTE, House, house, until

HOUR = 60 * MINUTE


def looked_at(cloud: ScalePadCloud) -> list[str]:
    """The devices whose enrolments were asked for, in order."""
    return [seen.path.split("/")[-2] for seen in cloud.requests if seen.path.endswith("/deployments")]


async def settled(home: House) -> None:
    await until(lambda: "enrolments" in home.watch.standing.record.baselined_at)
    await until(lambda: home.watch.summary is not None)


async def failed(home: House) -> list[str]:
    return [
        device for event in await home.events() if isinstance(event, DeploymentDeviceFailed) for device in event.devices
    ]


async def test_only_devices_that_were_never_online_are_looked_at(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=50, now=clock.now)
    pending = cloud.add_pending()
    async with house(cloud, tmp_path) as home:
        await settled(home)
        await asyncio.sleep(2 * HOUR + MINUTE)

        assert looked_at(cloud) == [pending] * 3


async def test_what_failed_before_anyone_looked_is_no_news(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=50, now=clock.now)
    cloud.enrol(cloud.add_pending(), "error")
    async with house(cloud, tmp_path) as home:
        await settled(home)
        await asyncio.sleep(2 * HOUR)

        assert [event for event in await home.told() if event.startswith("deployment")] == []
        assert "source.baselined enrolments" in await home.told()


async def test_a_new_device_whose_enrolment_fails_is_told_within_the_interval(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=50, now=clock.now)
    async with house(cloud, tmp_path, intervals={"enrolments": timedelta(minutes=10)}) as home:
        await settled(home)

        device = cloud.add_device()
        cloud.enrol(device, "error")
        await asyncio.sleep(25 * MINUTE)

        finished = [event for event in await home.events() if isinstance(event, DeploymentFinished)]
        assert await failed(home) == [device]
        assert len(finished) == 1


async def test_a_count_that_rose_is_searched_for_until_as_many_devices_are_found(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=50, now=clock.now)
    async with house(cloud, tmp_path) as home:
        await settled(home)
        known_failed = cloud.uuids()[2]

        cloud.enrol(known_failed, "error")
        await until(lambda: home.watch.standing.record.enrolment_errors == 1, within_s=2 * HOUR)
        first = looked_at(cloud)
        cloud.forget_requests()
        await asyncio.sleep(3 * HOUR)

        assert await failed(home) == [known_failed]
        assert first[-1] == known_failed
        assert looked_at(cloud) == []


async def test_a_failure_of_before_the_baseline_that_a_search_meets_is_no_news(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=50, now=clock.now)
    met = cloud.uuids()[1]
    cloud.enrol(met, "error", ago_s=24 * HOUR)
    async with house(cloud, tmp_path) as home:
        await settled(home)
        fresh = cloud.uuids()[-1]

        cloud.enrol(fresh, "error")
        await until(lambda: home.watch.standing.record.enrolment_errors == 2, within_s=2 * HOUR)

        assert met in looked_at(cloud)
        assert await failed(home) == [fresh]


async def test_a_search_that_finds_too_few_ends_with_the_fleet(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=20, now=clock.now)
    async with house(cloud, tmp_path) as home:
        await settled(home)
        lost = cloud.uuids()[0]
        cloud.enrol(lost, "error")
        cloud.faults.always(status=404, path=f"/{lost}/deployments")

        await until(lambda: home.watch.standing.record.enrolment_errors == 1, within_s=2 * HOUR)
        cloud.forget_requests()
        await asyncio.sleep(3 * HOUR)

        assert home.watch.standing.record.troubles == ()
        assert looked_at(cloud) == []
        assert home.pacer.needed < 0.1


async def test_a_search_takes_its_time_and_no_summary_hurries_it(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=60, now=clock.now)
    async with house(cloud, tmp_path, intervals={"summary": timedelta(seconds=7)}) as home:
        await settled(home)

        cloud.enrol(cloud.uuids()[-1], "error")
        await until(lambda: home.watch.standing.record.enrolment_errors == 1, within_s=HOUR)

        at = [seen.at for seen in cloud.requests if seen.path.endswith("/deployments")]
        assert all(9 < later - earlier < 12 for earlier, later in pairwise(at))
        assert len(at) > 30


async def test_a_device_whose_enrolments_are_refused_a_good_key_holds_back_no_other(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=20, now=clock.now)
    refused, pending = cloud.add_pending(), cloud.add_pending()
    cloud.faults.always(status=401, path=f"/{refused}/deployments")
    async with house(cloud, tmp_path) as home:
        await settled(home)
        await asyncio.sleep(3 * HOUR)

        assert looked_at(cloud).count(pending) == 4
        assert home.watch.standing.record.troubles == ()


async def test_an_unknown_status_of_an_enrolment_is_logged_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = ScalePadCloud(devices=5, now=clock.now)
    pending = cloud.add_pending()
    body = '{"data":[{"id":"e-1","status":"reverted","enrollment_date":"2026-02-01T00:00:00.000Z"}]}'
    cloud.faults.always(status=200, body=body, path=f"/{pending}/deployments")
    async with house(cloud, tmp_path) as home:
        await settled(home)
        await asyncio.sleep(3 * HOUR)

        logged = [line for line in capsys.readouterr().out.splitlines() if "that nobody knows" in line]
        assert looked_at(cloud).count(pending) == 4
        assert len(logged) == 1
        assert "reverted" in logged[0]
