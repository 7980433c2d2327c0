"""Sources whose budget cannot carry their intervals, in moved time over real HTTP."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from fleetpulse.durations import Rate
from fleetpulse.fleet.events import Problem
from fleetpulse.outbound import Priority
from fleetpulse.simulator.jfrog_connect import JFrogConnect as JFrogCloud
from fleetpulse.simulator.jfrog_connect_v1 import JFrogConnectV1 as V1Cloud
from sweeping.house import MINUTE, SOURCE, house, until

THREE_A_MINUTE = Rate(3, 60.0)
MINUTES = timedelta(minutes=1)


async def test_a_first_walk_longer_than_any_interval_is_not_stale(tmp_path: Path) -> None:
    cloud = V1Cloud(devices=2000)
    async with house(cloud, tmp_path, rate=THREE_A_MINUTE) as home:
        await until(lambda: "states" in home.watch.standing.record.baselined_at, within_s=30 * MINUTE)
        await asyncio.sleep(90 * MINUTE)

        assert home.watch.standing.record.troubles == ()
        assert not [told for told in await home.told() if "stale" in told]
        assert cloud.rude == 0


async def test_a_walk_that_a_slow_vendor_makes_long_is_not_stale(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=3500)
    cloud.faults.latency_s = 4 * MINUTE
    async with house(cloud, tmp_path, settings={"timeout": "10m"}, only=("devices",)) as home:
        await until(lambda: "devices" in home.watch.standing.record.baselined_at, within_s=30 * MINUTE)

        assert home.watch.standing.record.troubles == ()
        assert set(await home.told()) == {"source.baselined devices"}


async def test_a_long_walk_that_hangs_is_stale(tmp_path: Path) -> None:
    cloud = V1Cloud(devices=2000)
    async with house(cloud, tmp_path, rate=THREE_A_MINUTE, settings={"timeout": "2h"}) as home:
        await cloud.arrived(4)

        cloud.faults.hang_next(n=100)
        await until(lambda: home.watch.standing.record.trouble("states", Problem.STALE) is not None, within_s=1200)

        assert home.watch.standing.stale


async def test_device_state_is_as_fresh_as_the_budget_allows_and_the_rest_stretches(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = V1Cloud(devices=2000)
    async with house(cloud, tmp_path, rate=THREE_A_MINUTE) as home:
        await asyncio.sleep(3 * 60 * MINUTE)

        swept = home.sample(f'fleetpulse_sweeps_total{{outcome="complete",resource="states",source="{SOURCE}"}}')
        live = f'fleetpulse_sweep_interval_seconds{{resource="states",source="{SOURCE}"}}'
        assert swept == 11  # of 41 requests, for the end has to be seen: every 15 min and 10 s
        assert home.watch.live_intervals["details"] > timedelta(hours=2)
        assert home.sample(live) == pytest.approx(911, rel=0.03)
        assert "of 0.69 requests/s needed: states every 1" in capsys.readouterr().out
        assert cloud.rude == 0


async def test_the_progress_of_a_long_walk_is_known(tmp_path: Path) -> None:
    cloud = V1Cloud(devices=200)
    async with house(cloud, tmp_path, rate=THREE_A_MINUTE, only=("states",)) as home:
        await until(lambda: "states" in home.watch.standing.record.baselined_at)

        await asyncio.sleep(50)

        progress = home.watch.progress["states"]
        assert 0 < progress.rows < 200
        assert progress.total == 200


async def test_no_window_sees_more_than_its_limit_also_over_quick_restarts(tmp_path: Path) -> None:
    cloud = V1Cloud(devices=500)
    for _ in range(4):
        async with house(cloud, tmp_path, rate=THREE_A_MINUTE):
            await asyncio.sleep(50)
    async with house(cloud, tmp_path, rate=THREE_A_MINUTE) as home:
        await asyncio.sleep(20 * MINUTE)

        at = [seen.at for seen in cloud.requests]
        assert cloud.rude == 0
        assert all(later - earlier > MINUTE for earlier, later in zip(at, at[3:], strict=False))
        assert "states" in home.watch.standing.record.baselined_at


async def test_an_interval_that_is_short_again_is_not_waited_out(tmp_path: Path) -> None:
    cloud = V1Cloud(devices=10)
    async with house(cloud, tmp_path, rate=Rate(1, 1.0), only=("states",)) as home:
        greedy = home.pacer.lane("other", "states", priority=Priority.STATE, interval=MINUTES, expected=lambda: 10_000)
        await until(lambda: "states" in home.watch.standing.record.baselined_at)
        cloud.forget_requests()
        stretched = home.watch.live_intervals["states"]
        await asyncio.sleep(2 * MINUTE)
        waited = len(cloud.requests)

        greedy.rest()
        home.pacer.tell()
        await asyncio.sleep(5)

        assert stretched > timedelta(hours=2)
        assert waited == 0
        assert len(cloud.requests) > 0


async def test_looks_at_deployments_are_part_of_what_is_needed_and_stretch_with_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = JFrogCloud(devices=50)
    async with house(cloud, tmp_path, rate=Rate(1, 1.0), intervals={"deployments": 2 * MINUTES}) as home:
        await until(lambda: "deployments" in home.watch.standing.record.baselined_at)
        devices = cloud.uuids()
        ids = {cloud.deploy(devices[:20]) for _ in range(60)}
        await asyncio.sleep(4 * MINUTE)
        needed = home.pacer.needed
        cloud.forget_requests()
        await asyncio.sleep(2 * MINUTE)

        looks = [seen for seen in cloud.requests if seen.path.endswith("/devices") and seen.path.split("/")[-2] in ids]
        assert needed > 1.0
        assert "deployments looks every" in capsys.readouterr().out
        assert 60 <= len(looks) <= 118  # of the one a second there is, device state and the list have their part
        assert home.watch.live_intervals["devices"] == MINUTES


async def test_a_look_of_many_requests_is_expected_to_take_them_again(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=2500)
    async with house(cloud, tmp_path, intervals={"deployments": 2 * MINUTES}) as home:
        await until(lambda: "deployments" in home.watch.standing.record.baselined_at)
        before = home.pacer.needed
        cloud.deploy(cloud.uuids())
        await asyncio.sleep(12 * MINUTE)

        assert home.pacer.needed - before > 1.5 / 120  # a look of three requests every two minutes


async def test_what_others_need_makes_the_pauses_between_looks_longer(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path, rate=THREE_A_MINUTE, intervals={"deployments": 2 * MINUTES}) as home:
        await until(lambda: "deployments" in home.watch.standing.record.baselined_at)
        home.pacer.lane("other", "states", priority=Priority.STATE, interval=MINUTES, expected=lambda: 10_000)
        dp = cloud.deploy(5)
        await home.watch.retry()
        await until(lambda: len(home.watch.remembered.deployments) == 1)
        cloud.forget_requests()
        await asyncio.sleep(30 * MINUTE)

        assert 2 <= sum(seen.path.endswith(f"/{dp}/devices") for seen in cloud.requests) <= 12  # of 22 with nobody else
