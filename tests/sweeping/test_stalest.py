"""A census that is walked whole now and then, and in between by its stalest devices."""

import asyncio
from datetime import timedelta
from pathlib import Path

from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.events import Problem
from fleetpulse.simulator.scalepad import ScalePad as ScalePadCloud
from sweeping.house import MINUTE, SOURCE, House, house, until

HOUR = 60 * MINUTE
ONLY = ("devices",)


async def baselined(home: House) -> None:
    await until(lambda: "devices" in home.watch.standing.record.baselined_at)


def sweeps(home: House, outcome: str) -> float:
    return home.sample(f'fleetpulse_sweeps_total{{outcome="{outcome}",resource="devices",source="{SOURCE}"}}') or 0.0


async def test_between_whole_walks_the_stalest_are_found_in_one_request_each_minute(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=1200)
    async with house(cloud, tmp_path, only=ONLY) as home:
        await baselined(home)
        cloud.forget_requests()

        dropped = cloud.drop(5)
        await asyncio.sleep(MINUTE + 5)

        assert len(cloud.requests) == 1
        assert sorted(told for told in await home.told() if "baselined" not in told) == sorted(
            f"device.went_offline {device}" for device in dropped
        )
        assert (sweeps(home, "complete"), sweeps(home, "stalest")) == (1.0, 1.0)


async def test_a_stale_device_is_observed_while_it_is_in_the_prefix(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=40)
    async with house(cloud, tmp_path, only=ONLY) as home:
        await baselined(home)
        (dropped,) = cloud.drop(1)
        await asyncio.sleep(5 * MINUTE)
        observed = [subjects for subjects in home.observed if dropped in subjects]

        assert len(observed) == 4


async def test_a_known_stale_device_that_the_prefix_lacks_is_neither_alive_nor_observed_nor_missing(
    tmp_path: Path,
) -> None:
    cloud = ScalePadCloud(devices=40)
    async with house(cloud, tmp_path, only=ONLY) as home:
        await baselined(home)
        (dropped,) = cloud.drop(1)
        await asyncio.sleep(MINUTE + 5)
        home.observed.clear()

        cloud.remove(dropped)
        await asyncio.sleep(5 * MINUTE)

        known = home.watch.remembered.fleet.device(dropped)
        assert known is not None
        assert known.status is DeviceStatus.OFFLINE
        assert [subjects for subjects in home.observed if dropped in subjects] == []


async def test_whole_walks_go_by_their_own_interval_and_tell_who_is_missing(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=40)
    async with house(cloud, tmp_path, only=ONLY) as home:
        await baselined(home)
        gone = cloud.uuids()[3]

        cloud.remove(gone)
        await asyncio.sleep(25 * MINUTE)

        assert sweeps(home, "complete") == 3.0
        assert sweeps(home, "stalest") > 18
        assert f"device.went_missing {gone}" in await home.told()


async def test_a_good_look_at_the_stalest_keeps_the_source_fresh_and_ends_its_trouble(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=40)
    async with house(cloud, tmp_path, only=ONLY) as home:
        await baselined(home)

        cloud.faults.fail_next(n=2, status=503)
        await until(lambda: home.watch.standing.record.trouble("devices", Problem.DOWN) is not None)
        await asyncio.sleep(30)

        assert home.watch.standing.record.troubles == ()
        assert home.sample(f'fleetpulse_source_up{{source="{SOURCE}"}}') == 1.0
        assert sweeps(home, "complete") == 1.0


async def test_a_look_at_the_stalest_is_no_baseline(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=1200)
    async with house(cloud, tmp_path, only=ONLY) as home:
        await cloud.arrived(1)
        cloud.faults.fail_next(status=503)  # so the first walk is resumed, and not complete
        await asyncio.sleep(9 * MINUTE)

        record = home.watch.standing.record
        assert sweeps(home, "stalest") > 5
        assert (record.short_sweeps, record.baselined_at) == ({"devices": 1}, {})


async def test_an_accepted_shorter_list_is_walked_whole_at_once(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=100)
    async with house(cloud, tmp_path, only=ONLY) as home:
        await baselined(home)
        cloud.half_list()
        await until(lambda: home.watch.standing.record.trouble("devices", Problem.DOUBTED) is not None, within_s=HOUR)

        home.watch.accept_shorter_list()
        await asyncio.sleep(5)

        assert home.statuses()[DeviceStatus.MISSING] == 50


async def test_a_whole_walk_that_does_not_fit_stretches_and_the_looks_between_keep_going(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=1500)
    whole_every = timedelta(minutes=10)
    async with house(cloud, tmp_path, only=ONLY) as home:
        await baselined(home)
        await asyncio.sleep(30 * MINUTE)

        walks = sweeps(home, "complete")
        assert walks == 1 + (30 * MINUTE) // whole_every.total_seconds()
        assert home.watch.live_intervals["devices"] == timedelta(minutes=1)
