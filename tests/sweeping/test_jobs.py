"""Bulk jobs over real HTTP."""

import asyncio
from datetime import timedelta
from pathlib import Path

from fleetpulse.fleet.events import JobEvent, JobFinished, SourceBaselined
from fleetpulse.fleet.job import JobStatus
from fleetpulse.simulator.hologram import Hologram as HologramCloud
from sweeping.house import MINUTE, SOURCE, House, house, until

PACE = {"jobs": timedelta(minutes=1)}


async def baselined(home: House) -> None:
    await until(lambda: "jobs" in home.watch.standing.record.baselined_at)


def cloud_with_key() -> HologramCloud:
    cloud = HologramCloud()
    cloud.set_key("demo-token")
    return cloud


async def jobs_told(home: House) -> list[tuple[str, JobStatus]]:
    return [
        (event.type.rsplit(".", 1)[1], event.job.status) for event in await home.events() if isinstance(event, JobEvent)
    ]


async def test_a_job_that_fails_is_told_and_shown(tmp_path: Path) -> None:
    cloud = cloud_with_key()
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)

        job = cloud.start_job()
        await asyncio.sleep(2 * MINUTE)
        cloud.fail_job(job)
        await asyncio.sleep(3 * MINUTE)

        assert await jobs_told(home) == [("started", JobStatus.RUNNING), ("finished", JobStatus.FAILED)]
        assert f'fleet_bulk_job_devices{{source="{SOURCE}",bulk_job="{job}"}}' in home.shown()


async def test_a_job_that_leaves_the_list_ends_unseen_and_without_series(tmp_path: Path) -> None:
    cloud = cloud_with_key()
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)
        job = cloud.start_job()
        await asyncio.sleep(2 * MINUTE)

        cloud.forget_job(job)
        await asyncio.sleep(4 * MINUTE)

        assert await jobs_told(home) == [("started", JobStatus.RUNNING), ("finished", JobStatus.UNSEEN)]
        assert f'bulk_job="{job}"' not in home.shown()


async def test_a_job_of_the_baseline_is_followed_over_a_restart(tmp_path: Path) -> None:
    cloud = cloud_with_key()
    failed, running = cloud.start_job(), cloud.start_job()
    cloud.fail_job(failed)
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)
        await asyncio.sleep(5)
    cloud.fail_job(running)

    async with house(cloud, tmp_path, intervals=PACE) as home:
        await asyncio.sleep(2 * MINUTE)

        (event,) = [event for event in await home.events() if isinstance(event, JobFinished)]
        assert event.subject == str(running)


async def test_a_vendor_whose_main_resource_is_jobs_is_down_by_them(tmp_path: Path) -> None:
    cloud = cloud_with_key()
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await baselined(home)

        cloud.faults.always(status=502)
        await asyncio.sleep(3 * MINUTE)
        cloud.faults.clear()
        await asyncio.sleep(2 * MINUTE)

        assert (await home.told())[1:] == ["source.degraded jobs down", "source.recovered jobs down"]


async def test_the_first_look_is_told_with_the_jobs_there_are(tmp_path: Path) -> None:
    cloud = cloud_with_key()
    cloud.start_job()
    cloud.fail_job(cloud.start_job())
    async with house(cloud, tmp_path, intervals=PACE) as home:
        await asyncio.sleep(5 * MINUTE)

        (baseline,) = await home.events()
        assert isinstance(baseline, SourceBaselined)
        assert baseline.subject == "jobs"
        assert baseline.counts == {"running": 1, "failed": 1}
