"""A source that an operator pauses: no request, no new trouble, and it comes back as if the service had started."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from fleetpulse import clock
from fleetpulse.fleet.events import Problem
from fleetpulse.simulator.jfrog_connect.account import JFrogConnect as JFrogCloud
from fleetpulse.simulator.scalepad import ScalePad as ScalePadCloud
from sweeping.house import MINUTE, SOURCE, House, house, until

HOUR = 60 * MINUTE


async def baselined(home: House) -> None:
    await until(lambda: home.watch.standing.record.baselined_at.keys() == {"devices", "deployments"})


async def troubles_told(home: House) -> list[str]:
    return [told for told in await home.told() if "baselined" not in told]


async def test_a_paused_source_is_asked_nothing_is_stale_and_makes_no_trouble(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)

        await home.watch.pause(None)
        cloud.forget_requests()
        await asyncio.sleep(5 * HOUR)

        assert len(cloud.requests) == 0
        assert await troubles_told(home) == ["source.degraded devices paused"]
        assert home.sample(f'fleetpulse_source_stale{{source="{SOURCE}"}}') == 1.0
        assert "fleet_device_up{" not in home.shown()
        assert (home.watch.paused, home.watch.paused_until) == (True, None)
        assert home.pacer.needed == 0.0


async def test_a_walk_under_way_is_cut_off_and_begins_anew_after_the_pause(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=4500)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        cloud.faults.latency_s = 10
        cloud.forget_requests()
        await until(lambda: len(cloud.requests) == 3)

        await home.watch.pause(None)
        await asyncio.sleep(HOUR)
        asked = len(cloud.requests)
        cloud.forget_requests()
        await home.watch.resume()
        await asyncio.sleep(80)

        first = next(seen for seen in cloud.requests if seen.path.endswith("/devices"))
        assert asked == 3
        assert "after" not in first.parameters
        assert home.watch.standing.record.troubles == ()


@pytest.mark.parametrize("by", ["resume", "retry", "time"])
async def test_a_pause_ends_and_everything_is_swept_at_once(tmp_path: Path, by: str) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        await home.watch.pause(clock.now() + timedelta(hours=2) if by == "time" else None)
        await asyncio.sleep(2 * HOUR - 60)
        cloud.forget_requests()

        if by == "resume":
            await home.watch.resume()
        elif by == "retry":
            await home.watch.retry()
        await asyncio.sleep(65)

        assert await troubles_told(home) == ["source.degraded devices paused", "source.recovered devices paused"]
        assert {seen.path.rsplit("/", 1)[-1] for seen in cloud.requests} == {"devices", "deployments"}
        assert "fleet_device_up{" in home.shown()
        assert not home.watch.paused


async def test_what_changed_in_a_pause_is_late(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        await home.watch.pause(None)
        (dropped,) = cloud.drop(1)
        await asyncio.sleep(HOUR)

        await home.watch.resume()
        await asyncio.sleep(10)

        (went,) = [event for event in await home.events() if event.subject == dropped]
        assert went.late


async def test_a_paused_source_leaves_the_budget_to_the_others_and_takes_its_part_again(tmp_path: Path) -> None:
    cloud = ScalePadCloud(devices=1200)
    async with house(cloud, tmp_path) as home:
        await until(lambda: "devices" in home.watch.standing.record.baselined_at)
        before = home.pacer.needed

        await home.watch.pause(None)
        paused = home.pacer.needed
        await home.watch.resume()

        assert (before > 0, paused) == (True, 0.0)
        assert home.pacer.needed == before


async def test_a_pause_survives_a_restart_and_its_end_too(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        await home.watch.pause(clock.now() + timedelta(hours=1))
        until_at = home.watch.paused_until
    cloud.forget_requests()

    async with house(cloud, tmp_path) as home:
        still_until_at = home.watch.paused_until
        await asyncio.sleep(50 * MINUTE)
        asked = len(cloud.requests)
        await asyncio.sleep(20 * MINUTE)

        assert still_until_at == until_at
        assert asked == 0
        assert len(cloud.requests) > 0
        assert home.watch.standing.record.trouble("devices", Problem.PAUSED) is None


@pytest.mark.parametrize("requests", [1, 4])
@pytest.mark.parametrize("by", ["retry", "resume"])
async def test_a_pause_during_a_walk_holds_at_once_whatever_began_it(tmp_path: Path, by: str, requests: int) -> None:
    cloud = JFrogCloud(devices=9000)
    swept = ("devices", "deployments", "flows", "tunnels")
    async with house(cloud, tmp_path, only=swept, judges_for_s=0.03) as home:
        await until(lambda: "devices" in home.watch.standing.record.baselined_at)
        if by == "resume":
            await home.watch.pause(None)
        cloud.forget_requests()
        await (home.watch.resume() if by == "resume" else home.watch.retry())
        while len(cloud.requests) < requests:  # noqa: ASYNC110 - the simulator has no event for a request
            await asyncio.sleep(0)

        await home.watch.pause(None)
        await asyncio.sleep(1)  # what was on its way arrives
        cloud.forget_requests()
        await asyncio.sleep(5 * MINUTE)

        assert home.watch.paused
        assert len(cloud.requests) == 0


async def test_a_pause_that_is_given_an_end_ends_then(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        await home.watch.pause(None)
        await asyncio.sleep(HOUR)

        await home.watch.pause(clock.now() + timedelta(minutes=30))
        await asyncio.sleep(29 * MINUTE)
        before = home.watch.paused
        await asyncio.sleep(2 * MINUTE)

        assert (before, home.watch.paused) == (True, False)
        assert home.watch.standing.record.troubles == ()


async def test_a_pause_that_is_prolonged_does_not_end_when_it_should_have(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        await home.watch.pause(clock.now() + timedelta(minutes=30))
        await asyncio.sleep(10 * MINUTE)

        await home.watch.pause(None)
        await asyncio.sleep(5 * HOUR)

        assert (home.watch.paused, home.watch.paused_until) == (True, None)


async def test_a_pause_ends_in_time_behind_a_refused_key(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        cloud.revoke()
        await asyncio.sleep(3 * HOUR)  # so it is probed once an hour
        cloud.forget_requests()

        await home.watch.pause(clock.now() + timedelta(seconds=30))
        await asyncio.sleep(29)
        before = home.watch.paused
        await asyncio.sleep(2)

        assert (before, home.watch.paused) == (True, False)
        assert len(cloud.requests) == 0


@pytest.mark.parametrize(("pause", "fresh"), [(timedelta(minutes=5), True), (timedelta(hours=72), False)])
async def test_behind_a_pause_old_facts_are_believed_by_their_age_and_no_trouble(
    tmp_path: Path, pause: timedelta, fresh: bool
) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        await home.watch.pause(None)
        await asyncio.sleep(pause.total_seconds())
        cloud.faults.latency_s = 20

        await home.watch.resume()
        await asyncio.sleep(5)

        standing, stale_for = home.watch.standing, home.watch.stale_for()
        assert standing.fresh(clock.now(), stale_for) is fresh
        assert home.sample(f'fleetpulse_source_stale{{source="{SOURCE}"}}') == (0.0 if fresh else 1.0)
        assert ("fleet_device_up{" in home.shown()) is fresh
        assert standing.record.troubles == ()


async def test_after_a_long_pause_a_source_has_as_long_as_a_start_before_it_is_in_trouble(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        await home.watch.pause(None)
        await asyncio.sleep(72 * HOUR)
        cloud.faults.hang_next(n=100)

        await home.watch.resume()
        await asyncio.sleep(8 * MINUTE)
        early = home.watch.standing.record.trouble("devices", Problem.STALE)
        await asyncio.sleep(4 * MINUTE)

        assert early is None
        assert home.watch.standing.record.trouble("devices", Problem.STALE) is not None


async def test_after_a_restart_old_facts_are_believed_by_their_age_too(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
    await asyncio.sleep(8 * MINUTE)
    cloud.faults.hang_next(n=100)

    async with house(cloud, tmp_path) as home:
        standing, stale_for, seen = home.watch.standing, timedelta(minutes=10), []
        for _ in range(2):
            await asyncio.sleep(1.5 * MINUTE)
            shown = home.sample(f'fleetpulse_source_stale{{source="{SOURCE}"}}')
            seen.append((standing.fresh(clock.now(), stale_for), shown, "fleet_device_up{" in home.shown()))

        assert home.watch.stale_for() == stale_for
        assert seen == [(True, 0.0, True), (False, 1.0, False)]
        assert standing.record.trouble("devices", Problem.STALE) is None
