"""What goes wrong with a source as a whole: its key, its configuration, its optional resources, our own surprises."""

import asyncio
import itertools
from datetime import timedelta
from pathlib import Path

import pytest

from fleetpulse.fleet.events import Problem, SourceCredentialsRejected, SourceDegraded
from fleetpulse.simulator.jfrog_connect.account import JFrogConnect as JFrogCloud
from sweeping.house import MINUTE, SOURCE, House, house, until

HOUR = 60 * MINUTE
DEVICES_PATH = "/yard/devices"
EVERY_5_MIN = {"devices": timedelta(minutes=1), "deployments": timedelta(minutes=5)}


async def baselined(home: House) -> None:
    await until(lambda: home.watch.standing.record.baselined_at.keys() == {"devices", "deployments"})


async def test_a_revoked_key_is_confirmed_once_and_then_only_probed(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path, intervals=EVERY_5_MIN) as home:
        await baselined(home)
        await asyncio.sleep(5)

        cloud.revoke()
        cloud.forget_requests()
        await asyncio.sleep(80 * MINUTE)

        at = [seen.at for seen in cloud.requests]
        pauses = [round((later - earlier) / MINUTE) for earlier, later in itertools.pairwise(at)]
        (event,) = (await home.events())[1:2]
        assert isinstance(event, SourceCredentialsRejected)
        assert at[1] - at[0] <= 30
        assert pauses[1:] == [5, 10, 20, 40]
        assert [problem for problem in await home.told() if "stale" not in problem][1:] == [
            "source.credentials_rejected devices"
        ]


async def test_the_new_key_in_its_file_works_at_once(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        cloud.set_token("another-token")
        await asyncio.sleep(30 * MINUTE)
        cloud.forget_requests()

        home.key_file.write_text("another-token\n")
        await asyncio.sleep(10)

        assert [seen.status for seen in cloud.requests] == [200]
        assert (await home.told())[-1] == "source.recovered devices rejected" or "stale" in (await home.told())[-1]
        assert home.watch.standing.record.troubles == ()


@pytest.mark.parametrize("first", ["devices", "deployments"])
async def test_a_key_that_was_changed_before_its_refusal_is_never_told(tmp_path: Path, first: str) -> None:
    cloud = JFrogCloud(devices=5)
    intervals = {"devices": timedelta(minutes=10), "deployments": timedelta(minutes=10), first: timedelta(minutes=1)}
    async with house(cloud, tmp_path, intervals=intervals) as home:
        await baselined(home)
        home.key_file.write_text("another-token")
        cloud.set_token("another-token")

        await asyncio.sleep(3 * MINUTE)

        assert len(await home.told()) == 1
        assert cloud.statuses[401] == 1


async def test_an_operators_retry_probes_at_once(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        cloud.revoke()
        await asyncio.sleep(30 * MINUTE)
        cloud.forget_requests()

        home.watch.retry()
        await asyncio.sleep(10)

        assert cloud.counts.total() == 1


async def test_a_single_refusal_that_is_not_confirmed_is_no_alarm(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)

        cloud.faults.fail_next(status=401, path=DEVICES_PATH)
        await asyncio.sleep(5 * MINUTE)

        assert len(await home.told()) == 1


async def test_a_wrong_project_is_told_as_misconfigured(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)

        cloud.faults.always(status=404, path=DEVICES_PATH)
        await asyncio.sleep(3 * MINUTE)
        trouble = home.watch.standing.record.trouble("devices", Problem.MISCONFIGURED)
        cloud.faults.clear()
        await asyncio.sleep(3 * MINUTE)

        assert trouble is not None
        assert "project 'yard' not found" in trouble.detail
        assert (await home.told())[1:] == [
            "source.degraded devices misconfigured",
            "source.recovered devices misconfigured",
        ]


async def test_an_optional_resource_that_is_refused_is_switched_off_once_and_asked_every_6_hours(
    tmp_path: Path,
) -> None:
    cloud = JFrogCloud(devices=5)
    cloud.faults.always(status=403, path="/deployments")
    async with house(cloud, tmp_path, intervals={"devices": timedelta(hours=3)}) as home:
        await asyncio.sleep(13 * HOUR)

        asked = [seen for seen in cloud.requests if "/deployments" in seen.path]
        assert len(asked) == 3
        assert sorted(await home.told()) == ["source.baselined devices", "source.resource_unavailable deployments"]
        assert home.sample(f'fleetpulse_source_up{{source="{SOURCE}"}}') == 1.0


async def test_an_optional_resource_that_fails_is_a_trouble_of_its_own(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path, intervals=EVERY_5_MIN) as home:
        await baselined(home)
        cloud.faults.always(status=500, path="/deployments")
        await asyncio.sleep(20 * MINUTE)
        cloud.faults.clear()
        await asyncio.sleep(5 * MINUTE)

        assert [told for told in await home.told() if "baselined" not in told] == [
            "source.degraded deployments failing",
            "source.recovered deployments failing",
        ]
        assert ("deployments/failing",) in home.observed


async def test_a_rate_limit_is_obeyed_and_is_down_when_it_goes_on(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        await asyncio.sleep(5)
        cloud.forget_requests()

        cloud.faults.always(status=429, headers={"Retry-After": "100"}, path=DEVICES_PATH)
        await asyncio.sleep(10 * MINUTE)
        at = [seen.at for seen in cloud.requests]
        cloud.faults.clear()
        await asyncio.sleep(5 * MINUTE)

        assert min(later - earlier for earlier, later in itertools.pairwise(at)) >= 99
        assert sorted(told for told in (await home.told())[1:] if "stale" not in told) == [
            "source.degraded devices down",
            "source.degraded devices rate_limited",
            "source.recovered devices down",
            "source.recovered devices rate_limited",
        ]


async def test_a_surprise_ends_its_sweep_alone_with_one_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        fleet = home.watch.remembered.fleet
        sound = fleet._counts
        del fleet._counts  # no page can be accepted like this
        cloud.drop(1)

        await asyncio.sleep(5 * MINUTE)
        (degraded,) = [event for event in await home.events() if isinstance(event, SourceDegraded)]
        fleet._counts = sound
        await asyncio.sleep(5 * MINUTE)

        assert degraded.problem is Problem.DOWN
        assert "AttributeError" in degraded.detail
        assert capsys.readouterr().out.count("Traceback") == 1
        assert (await home.told())[-1] == "source.recovered devices down"


async def test_a_trouble_that_stood_at_a_restart_is_told_no_second_time(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        cloud.faults.always(status=503)
        await asyncio.sleep(3 * MINUTE)

    async with house(cloud, tmp_path) as home:
        await asyncio.sleep(3 * MINUTE)
        cloud.faults.clear()
        await asyncio.sleep(3 * MINUTE)

        assert [told for told in (await home.told()) if "devices down" in told] == [
            "source.degraded devices down",
            "source.recovered devices down",
        ]


async def test_a_filter_that_matches_nothing_is_told_with_what_there_is_until_it_matches(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=6)
    async with house(cloud, tmp_path, groups=["Lyon", "Prodction"]) as home:
        await asyncio.sleep(5 * MINUTE)
        trouble = home.watch.standing.record.trouble("devices", Problem.MISCONFIGURED)
        cloud.add_device(group="Prodction")
        await asyncio.sleep(2 * MINUTE)

        assert trouble is not None
        assert "group 'Prodction' matches no device" in trouble.detail
        assert [told for told in await home.told() if "baselined" not in told] == [
            "source.degraded devices misconfigured",
            "source.recovered devices misconfigured",
        ]
