"""Sweeps of devices over real HTTP: what is seen, what resumes, and what a bad spell never does."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from fleetpulse import clock
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.events import DeviceEvent, Problem, SourceBaselined, SourceDegraded
from fleetpulse.simulator.jfrog_connect.account import JFrogConnect as JFrogCloud
from fleetpulse.sweeping import devices
from sweeping.house import MINUTE, SOURCE, House, house, until

HOUR = 60 * MINUTE
DEVICES_PATH = "/yard/devices"


async def baselined(home: House) -> None:
    await until(lambda: home.watch.standing.record.baselined_at.keys() == {"devices", "deployments"})


async def test_a_first_walk_is_a_baseline_and_a_drop_is_seen_at_the_next(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=30)
    async with house(cloud, tmp_path) as home:
        await baselined(home)

        dropped = cloud.drop(2)
        await asyncio.sleep(MINUTE + 5)

        first, *events = await home.events()
        assert isinstance(first, SourceBaselined)
        assert [(event.type, event.subject) for event in events] == [
            ("fleet.device.went_offline", uuid) for uuid in dropped
        ]
        assert all(event.late is False for event in events)
        assert f'fleet_device_up{{source="{SOURCE}",device="{dropped[0]}"}} 0' in home.shown()


async def test_a_list_that_is_never_complete_does_not_silence_the_source(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=1500, repeat_token=True, total_mode="absent")
    async with house(cloud, tmp_path) as home:
        await until(lambda: "devices" in home.watch.standing.record.baselined_at)

        (dropped,) = cloud.drop(1)
        await asyncio.sleep(MINUTE + 5)

        first, *events = await home.events()
        assert isinstance(first, SourceBaselined)
        assert [(event.type, event.subject) for event in events] == [("fleet.device.went_offline", dropped)]
        assert home.watch.standing.record.good_at["devices"] > home.watch.standing.record.baselined_at["devices"]


async def test_a_device_that_stays_offline_is_observed_at_each_sweep(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        (dropped,) = cloud.drop(1)

        await asyncio.sleep(4 * MINUTE + 5)

        assert home.observed.count((dropped,)) == 3


async def test_a_vendor_down_for_three_sweeps_is_one_alarm_and_one_recovery(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=30)
    async with house(cloud, tmp_path) as home:
        await baselined(home)

        cloud.faults.always(status=503, path=DEVICES_PATH)
        await asyncio.sleep(3 * MINUTE)
        before = home.statuses()
        up = home.sample(f'fleetpulse_source_up{{source="{SOURCE}"}}')
        cloud.faults.clear()
        await asyncio.sleep(2 * MINUTE)

        assert (await home.told())[1:] == ["source.degraded devices down", "source.recovered devices down"]
        assert before == home.statuses() == {DeviceStatus.ONLINE: 30}
        assert up == 0.0
        assert home.sample(f'fleetpulse_source_up{{source="{SOURCE}"}}') == 1.0
        assert ("devices",) in home.observed  # so that a rule's `for` can run out


@pytest.mark.parametrize("spell", ["html", "cut", "reset", "rows"])
async def test_garbage_changes_no_device(tmp_path: Path, spell: str) -> None:
    cloud = JFrogCloud(devices=30)
    async with house(cloud, tmp_path) as home:
        await baselined(home)

        if spell == "html":
            cloud.faults.garble_next(n=20, path=DEVICES_PATH)
        elif spell == "cut":
            cloud.faults.truncate_next(n=20, path=DEVICES_PATH)
        elif spell == "reset":
            cloud.faults.reset_next(n=20, path=DEVICES_PATH)
        else:
            body = '{"devices": {"oops": 1}}'
            cloud.faults.garble_next(n=20, body=body, content_type="application/json", path=DEVICES_PATH)
        await asyncio.sleep(10 * MINUTE)
        cloud.faults.clear()
        await asyncio.sleep(2 * MINUTE)

        events = await home.events()
        assert not [event for event in events if isinstance(event, DeviceEvent)]
        problems = [event.problem for event in events if isinstance(event, SourceDegraded)]
        assert problems[:1] == [Problem.DOWN]
        assert home.statuses() == {DeviceStatus.ONLINE: 30}


async def test_status_words_that_nobody_knows_are_told_as_a_source_that_is_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = JFrogCloud(devices=30)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        good_at = home.watch.standing.record.good_at["devices"]

        for uuid in cloud.uuids():
            cloud.set_row(uuid, device_status="connected")
        await asyncio.sleep(3 * MINUTE)
        record, unknown = home.watch.standing.record, home.statuses()
        for uuid in cloud.uuids():
            cloud.set_row(uuid, device_status="online")
        await asyncio.sleep(2 * MINUTE)

        down = record.trouble("devices", Problem.DOWN)
        assert down is not None
        assert down.detail == 'no intelligible status for 30 of 30 devices; the vendor says "connected"'
        assert unknown == {DeviceStatus.UNKNOWN: 30}
        assert record.good_at["devices"] - good_at < timedelta(minutes=2)
        assert capsys.readouterr().out.count("that nobody knows") == 1
        told = [line for line in await home.told() if line.startswith("source")]
        assert told[1:] == ["source.degraded devices down", "source.recovered devices down"]


async def test_a_first_look_at_words_that_nobody_knows_is_no_baseline(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=12)
    for uuid in cloud.uuids():
        cloud.set_row(uuid, device_status="connected")
    async with house(cloud, tmp_path) as home:
        await asyncio.sleep(3 * MINUTE)

        standing = home.watch.standing
        assert standing.record.trouble("devices", Problem.DOWN) is not None
        assert "devices" not in standing.record.baselined_at
        assert not standing.fresh(clock.now(), home.watch.stale_for())


async def test_an_unknown_word_of_a_few_devices_is_logged_once_and_is_no_trouble(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = JFrogCloud(devices=12)
    async with house(cloud, tmp_path) as home:
        await baselined(home)

        cloud.set_row(cloud.uuids()[0], device_status="hibernating")
        await asyncio.sleep(3 * MINUTE)

        assert home.watch.standing.record.troubles == ()
        assert capsys.readouterr().out.count("that nobody knows") == 1


async def test_a_device_that_is_listed_twice_does_not_come_and_go(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=12)
    async with house(cloud, tmp_path) as home:
        await baselined(home)

        cloud.add_device(status="offline", device_uuid=cloud.uuids()[0])
        await asyncio.sleep(3 * MINUTE)

        assert not [event for event in await home.events() if isinstance(event, DeviceEvent)]


async def test_a_list_without_end_makes_the_source_down_and_adds_no_page_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = JFrogCloud(devices=12)
    async with house(cloud, tmp_path) as home:
        await baselined(home)

        monkeypatch.setattr(devices, "MOST_DEVICES", 20)
        for _ in range(12):
            cloud.add_device()
        await asyncio.sleep(2 * MINUTE)

        down = home.watch.standing.record.trouble("devices", Problem.DOWN)
        assert down is not None
        assert down.detail == "the list of devices goes on beyond 20, the most that one source may have"
        assert home.statuses() == {DeviceStatus.ONLINE: 12}


async def test_an_empty_list_for_an_hour_is_doubted_and_nobody_goes_missing(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=30)
    async with house(cloud, tmp_path) as home:
        await baselined(home)

        cloud.empty_list()
        await asyncio.sleep(2 * HOUR)
        doubted = home.watch.standing.record.trouble("devices", Problem.DOUBTED)
        cloud.empty_list(on=False)
        await asyncio.sleep(2 * MINUTE)

        assert doubted is not None
        assert home.observed.count(("devices/doubted",)) > 100
        assert doubted.detail == "lists 0 of 30 known devices"
        assert (await home.told())[1:] == ["source.degraded devices doubted", "source.recovered devices doubted"]
        assert home.statuses() == {DeviceStatus.ONLINE: 30}


async def test_half_a_page_set_is_doubted_until_it_has_stood_for_an_hour(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=100)
    async with house(cloud, tmp_path) as home:
        await baselined(home)

        cloud.half_list()
        await asyncio.sleep(55 * MINUTE)
        within = home.statuses()
        await asyncio.sleep(10 * MINUTE)

        assert within == {DeviceStatus.ONLINE: 100}
        assert home.statuses() == {DeviceStatus.ONLINE: 50, DeviceStatus.MISSING: 50}


async def test_an_accepted_shorter_list_is_believed_at_once(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=100)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        cloud.half_list()
        await asyncio.sleep(3 * MINUTE)

        home.watch.accept_shorter_list()
        await asyncio.sleep(5)

        assert home.statuses()[DeviceStatus.MISSING] == 50


async def test_a_deleted_device_goes_missing_and_is_forgotten(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=30)
    async with house(cloud, tmp_path, forget_after=timedelta(hours=1)) as home:
        await baselined(home)

        gone = cloud.uuids()[3]
        cloud.remove(gone)
        await asyncio.sleep(3 * MINUTE)
        missing = home.statuses()[DeviceStatus.MISSING]
        await asyncio.sleep(HOUR)

        assert missing == 1
        assert (await home.told())[1:] == [f"device.went_missing {gone}", f"device.forgotten {gone}"]
        assert gone not in home.shown()


async def test_a_walk_that_breaks_goes_on_from_its_last_page(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=2500)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        dropped = cloud.uuids()[-1]
        cloud.set_status(dropped, "offline")
        cloud.forget_requests()

        await cloud.arrived(1)
        cloud.faults.fail_next(status=500, path=DEVICES_PATH)
        await asyncio.sleep(20)

        statuses = [seen.status for seen in cloud.requests if seen.path.endswith("/devices")]
        outcome = f'fleetpulse_sweeps_total{{outcome="incomplete",resource="devices",source="{SOURCE}"}}'
        assert statuses == [200, 500, 200, 200]  # pages 1, 2, 2, 3
        assert home.sample(outcome) == 1.0  # a resumed walk tells statuses, never absences
        assert f"device.went_offline {dropped}" in await home.told()


async def test_a_walk_that_cannot_go_on_begins_anew(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=2500)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        dropped = cloud.uuids()[0]
        cloud.forget_requests()

        await cloud.arrived(1)
        cloud.faults.fail_next(n=4, status=500, path=DEVICES_PATH)
        cloud.set_status(dropped, "offline")  # on the page that the broken walk has behind it
        await asyncio.sleep(2 * MINUTE)

        first_pages = ["after" not in seen.parameters for seen in cloud.requests if seen.path.endswith("/devices")]
        assert first_pages[:8] == [True, False, False, False, False, True, False, False]  # broke, three resumes, anew
        assert f"device.went_offline {dropped}" in await home.told()


async def test_a_refused_cursor_begins_the_walk_anew_once(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=2500)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        cloud.forget_requests()

        await cloud.arrived(1)
        cloud.faults.fail_next(status=410, path=DEVICES_PATH)
        await asyncio.sleep(10)

        statuses = [seen.status for seen in cloud.requests if seen.path.endswith("/devices")]
        assert statuses == [200, 410, 200, 200, 200]
        assert len(await home.told()) == 1


async def test_what_changed_while_the_service_was_down_is_late(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=30)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        await asyncio.sleep(5)
    (dropped,) = cloud.drop(1)

    await asyncio.sleep(HOUR)
    async with house(cloud, tmp_path) as home:
        withheld = home.shown()
        await asyncio.sleep(30)

        (event,) = (await home.events())[1:]
        assert (event.type, event.subject, event.late) == ("fleet.device.went_offline", dropped, True)
        assert "fleet_device_up{" not in withheld
        assert "fleet_devices{" in withheld
        assert "fleet_device_up{" in home.shown()


async def test_after_a_short_restart_nothing_is_late_and_no_baseline_comes_again(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=30)
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        await asyncio.sleep(5)
    cloud.drop(1)

    async with house(cloud, tmp_path) as home:
        await asyncio.sleep(30)

        (event,) = (await home.events())[1:]
        assert (event.type, event.late) == ("fleet.device.went_offline", False)


async def test_sweeps_keep_their_interval_and_a_restart_is_spread(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=3)
    async with house(cloud, tmp_path):
        await asyncio.sleep(10 * MINUTE)

        at = [seen.at for seen in cloud.requests if seen.path.endswith("/devices")]
        assert [round(later - earlier) for earlier, later in pairwise(at)] == [60] * (len(at) - 1)
        assert len(at) == 10


async def test_an_age_below_a_minute_is_told_in_seconds(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=3)
    async with house(cloud, tmp_path, stale_after=timedelta(seconds=40)) as home:
        await baselined(home)

        cloud.faults.hang_next(n=100, path=DEVICES_PATH)
        await until(lambda: home.watch.standing.stale)

        stale = home.watch.standing.record.trouble("devices", Problem.STALE)
        assert stale is not None
        assert stale.detail == "the last good sweep was 40s ago"


async def test_a_hung_vendor_makes_the_source_stale_and_a_good_sweep_fresh(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=3)
    async with house(cloud, tmp_path, stale_after=timedelta(minutes=3)) as home:
        await baselined(home)

        cloud.faults.hang_next(n=100, path=DEVICES_PATH)
        await asyncio.sleep(5 * MINUTE)
        shown = home.shown()
        stale = home.sample(f'fleetpulse_source_stale{{source="{SOURCE}"}}')
        cloud.faults.clear()
        await asyncio.sleep(3 * MINUTE)

        told = (await home.told())[1:]
        assert sorted(told) == sorted(
            [
                "source.degraded devices down",
                "source.degraded devices stale",
                "source.recovered devices down",
                "source.recovered devices stale",
            ]
        )
        (stale_event,) = [event for event in await home.events() if getattr(event, "problem", "") is Problem.STALE][:1]
        assert isinstance(stale_event, SourceDegraded)
        assert stale_event.detail == "the last good sweep was 3m ago"
        assert "fleet_device_up{" not in shown
        assert "fleet_devices{" in shown
        assert stale == 1.0
        assert "fleet_device_up{" in home.shown()
        assert any("devices/stale" in subjects for subjects in home.observed)


async def test_a_wider_scope_is_a_baseline_for_who_is_new_in_it(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=60)
    (known, *_), (new, *_) = cloud.uuids(group="Lyon"), cloud.uuids(group="Nantes")
    cloud.set_status(new, "offline")
    async with house(cloud, tmp_path, settings={"groups": ["Lyon"]}) as home:
        await baselined(home)
        await asyncio.sleep(5)
    cloud.set_status(known, "offline")

    async with house(cloud, tmp_path) as home:
        await asyncio.sleep(5 * MINUTE)
        cloud.restore()
        await asyncio.sleep(2 * MINUTE)

        first, went, again, *rest = await home.events()
        assert isinstance(first, SourceBaselined)
        assert isinstance(again, SourceBaselined)
        assert (went.type, went.subject) == ("fleet.device.went_offline", known)
        assert again.counts == {"online": 58, "offline": 2}
        assert [each.device.id for each in again.offline] == [new]
        assert sorted((event.type, event.subject) for event in rest) == sorted(
            ("fleet.device.came_online", device) for device in (known, new)
        )


async def test_who_is_outside_a_narrower_scope_is_forgotten_and_not_missing(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=60)
    stays, left = cloud.uuids(group="Lyon"), set(cloud.uuids()) - set(cloud.uuids(group="Lyon"))
    async with house(cloud, tmp_path) as home:
        await baselined(home)
        await asyncio.sleep(5)

    async with house(cloud, tmp_path, settings={"groups": ["Lyon"]}) as home:
        await asyncio.sleep(10 * MINUTE)

        told = (await home.told())[1:]
        assert sorted(told) == sorted([*(f"device.forgotten {device}" for device in left), "source.baselined devices"])
        assert home.statuses() == {DeviceStatus.ONLINE: len(stays)}
        assert home.watch.standing.record.troubles == ()
