"""What goes wrong with a source as a whole: its key, its configuration, its optional resources, our own surprises."""

import asyncio
import itertools
from datetime import timedelta
from pathlib import Path

import pytest

from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.events import Problem, SourceCredentialsRejected, SourceDegraded
from fleetpulse.simulator.jfrog_connect.account import JFrogConnect as JFrogCloud
from fleetpulse.sweeping.gate import Gate
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


async def test_a_key_that_is_good_for_another_source_is_this_ones_trouble_alone(tmp_path: Path) -> None:
    good, bad = JFrogCloud(devices=5), JFrogCloud(devices=5)
    bad.faults.always(status=403, path=DEVICES_PATH)
    gate = Gate(refresh_secret=lambda: False)
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
    async with house(good, tmp_path / "good", gate=gate) as healthy, house(bad, tmp_path / "bad", gate=gate) as refused:
        await asyncio.sleep(40 * MINUTE)

        at = [seen.at for seen in bad.requests if seen.status == 403]
        pauses = [round((later - earlier) / MINUTE) for earlier, later in itertools.pairwise(at)]
        rejected = refused.watch.standing.record.trouble("devices", Problem.REJECTED)
        swept_at = [seen.at for seen in good.requests if seen.path.endswith(DEVICES_PATH)]
        assert rejected is not None
        assert pauses == [0, 5, 10, 20]
        assert [told for told in await healthy.told() if "baselined" not in told] == []
        assert max(later - earlier for earlier, later in itertools.pairwise(swept_at)) <= 61


@pytest.mark.parametrize("status", [503, 404, 429])
async def test_a_rejected_key_is_the_one_trouble_told_whatever_its_probes_meet(tmp_path: Path, status: int) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        cloud.faults.always(status=503)
        await asyncio.sleep(2 * MINUTE)
        cloud.faults.clear()
        cloud.revoke()
        await asyncio.sleep(3 * MINUTE)
        cloud.faults.always(status=status)
        await asyncio.sleep(HOUR)

        assert [told for told in await home.told() if "devices" in told and "stale" not in told][1:] == [
            "source.degraded devices down",
            "source.recovered devices down",
            "source.credentials_rejected devices",
        ]


async def test_the_new_key_in_its_file_works_at_once(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path, watch_keys=True) as home:
        await baselined(home)
        cloud.set_token("another-token")
        await asyncio.sleep(30 * MINUTE)
        cloud.forget_requests()

        home.key_file.write_text("another-token\n")
        await asyncio.sleep(15)

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

        await home.watch.retry()
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


async def test_a_single_request_too_many_is_the_budgets_to_mend_and_no_trouble(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=2500)
    async with house(cloud, tmp_path) as home:
        await baselined(home)

        for _ in range(5):
            cloud.faults.fail_next(status=429, headers={"Retry-After": "2"}, path=DEVICES_PATH)
            await asyncio.sleep(2 * MINUTE)

        assert cloud.statuses[429] == 5
        assert [told for told in await home.told() if "degraded" in told] == []
        assert home.statuses()[DeviceStatus.ONLINE] == 2500


async def test_a_surprise_ends_its_sweep_alone_with_one_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        fleet = home.watch.remembered.fleet
        sound = fleet._segments
        del fleet._segments  # no page can be compared like this
        cloud.drop(1)

        await asyncio.sleep(5 * MINUTE)
        (degraded,) = [event for event in await home.events() if isinstance(event, SourceDegraded)]
        fleet._segments = sound
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


@pytest.mark.parametrize("others", [["Lyon"], []])
async def test_a_filter_that_matches_nothing_is_told_with_what_there_is_until_it_matches(
    tmp_path: Path, others: list[str]
) -> None:
    cloud = JFrogCloud(devices=6)
    async with house(cloud, tmp_path, settings={"groups": [*others, "Prodction"]}) as home:
        await asyncio.sleep(5 * MINUTE)
        trouble = home.watch.standing.record.trouble("devices", Problem.MISCONFIGURED)
        cloud.add_device(group="Prodction")
        await asyncio.sleep(2 * MINUTE)

        assert trouble is not None
        assert "group 'Prodction' matches no device" in trouble.detail
        assert [told for told in await home.told() if "source.degraded" in told or "recovered" in told] == [
            "source.degraded devices misconfigured",
            "source.recovered devices misconfigured",
        ]


async def test_a_group_that_becomes_empty_leaves_the_others_watched(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=60)
    async with house(cloud, tmp_path, settings={"groups": ["Lyon", "Nantes"]}) as home:
        await baselined(home)
        emptied, dropped = cloud.uuids(group="Nantes"), cloud.uuids(group="Lyon")[0]

        cloud.remove(emptied)
        cloud.set_status(dropped, "offline")
        await asyncio.sleep(20 * MINUTE)

        record = home.watch.standing.record
        assert f"device.went_offline {dropped}" in await home.told()
        assert record.trouble("devices", Problem.MISCONFIGURED) is not None
        assert record.trouble("devices", Problem.DOUBTED) is not None
        assert record.trouble("devices", Problem.STALE) is None
        assert not [told for told in await home.told() if "missing" in told]


async def test_a_source_that_nobody_can_read_is_down_whatever_the_reason(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)

        cloud.faults.always(status=429, headers={"Retry-After": "3600"})
        await asyncio.sleep(15 * MINUTE)

        down = home.watch.standing.record.trouble("devices", Problem.DOWN)
        assert down is not None
        assert "last good sweep was 10m ago" in down.detail
        assert "429" in down.detail
        assert sum("devices" in subjects for subjects in home.observed) >= 4  # so that a rule's `for` can run out


async def test_old_states_do_not_look_live_while_the_journal_takes_nothing(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path, stale_after=timedelta(minutes=3)) as home:
        await baselined(home)

        async with home.watch.standing._writing:  # as if the writer before were kept waiting
            await asyncio.sleep(5 * MINUTE)
            shown, stale = home.shown(), home.sample(f'fleetpulse_source_stale{{source="{SOURCE}"}}')
        await asyncio.sleep(2 * MINUTE)

        assert "fleet_device_up{" not in shown
        assert stale == 1.0
        assert "fleet_device_up{" in home.shown()


async def test_no_secret_is_kept_with_a_surprise(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        fleet = home.watch.remembered.fleet

        def surprise(*_: object, **__: object) -> None:
            raise ValueError("demo-token")

        fleet.compare = surprise  # type: ignore[method-assign,assignment]
        await asyncio.sleep(2 * MINUTE)

        trouble = home.watch.standing.record.trouble("devices", Problem.DOWN)
        assert trouble is not None
        assert "demo-token" not in trouble.detail
