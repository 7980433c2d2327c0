"""Devices that leave one source and are found in another of the same vendor and host."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from threading import get_ident

from fleetpulse import clock
from fleetpulse.fleet.device import Device, DeviceStatus, Sighting
from fleetpulse.fleet.events import DeviceMoved, Problem
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.fleet.walk import Walk
from fleetpulse.simulator.jfrog_connect.account import JFrogConnect as JFrogCloud
from fleetpulse.sweeping.counted import Newcomers
from fleetpulse.sweeping.neighbours import Neighbours
from sweeping.house import MINUTE, SOURCE, House, house, until


async def swept(home: House) -> None:
    await until(lambda: "devices" in home.watch.standing.record.baselined_at)


def add(neighbours: Neighbours, source: str, *devices: str, new: bool = True, fresh: bool = True) -> None:
    """Another source, which began to list these devices now; or at its first look, so nobody knows since when."""
    fleet, newcomers, now = KnownFleet(source), Newcomers(), clock.now()
    page = [Sighting(Device(device), DeviceStatus.ONLINE) for device in devices]
    fleet.accept(fleet.compare(page, walk=Walk(started_at=now, baseline=not new), seen_at=now))
    newcomers.note(devices if new else (), now)
    neighbours.add(fleet, newcomers=newcomers, fresh=lambda: fresh)


async def test_a_device_found_in_another_source_has_moved_there_and_is_not_missing(tmp_path: Path) -> None:
    cloud, neighbours = JFrogCloud(devices=30), Neighbours()
    moved = cloud.uuids()[0]
    async with house(cloud, tmp_path, neighbours=neighbours) as home:
        await swept(home)
        add(neighbours, "lab", moved)

        cloud.remove(moved)
        await asyncio.sleep(5 * MINUTE)

        (event,) = [event for event in await home.events() if event.subject == moved]
        assert isinstance(event, DeviceMoved)
        assert event.to == "lab"
        assert home.statuses() == {DeviceStatus.ONLINE: 29}


async def test_what_a_stale_source_knows_moves_nobody(tmp_path: Path) -> None:
    cloud, neighbours = JFrogCloud(devices=30), Neighbours()
    gone = cloud.uuids()[0]
    async with house(cloud, tmp_path, neighbours=neighbours) as home:
        await swept(home)
        add(neighbours, "lab", gone, fresh=False)

        cloud.remove(gone)
        await asyncio.sleep(5 * MINUTE)

        assert home.statuses()[DeviceStatus.MISSING] == 1


async def test_a_bad_list_beside_a_source_that_lists_everything_moves_nobody(tmp_path: Path) -> None:
    cloud, neighbours = JFrogCloud(devices=60), Neighbours()
    async with house(cloud, tmp_path, neighbours=neighbours) as home:
        add(neighbours, "all", *cloud.uuids(), new=False)
        await swept(home)

        for device in cloud.uuids()[1:]:
            cloud.remove(device)
        await asyncio.sleep(10 * MINUTE)

        assert home.statuses() == {DeviceStatus.ONLINE: 60}
        assert home.watch.standing.record.trouble("devices", Problem.DOUBTED) is not None


async def test_many_devices_that_appear_elsewhere_leave_without_a_doubt(tmp_path: Path) -> None:
    cloud, neighbours = JFrogCloud(devices=60), Neighbours()
    async with house(cloud, tmp_path, neighbours=neighbours) as home:
        await swept(home)
        moved = cloud.uuids()[20:]

        for device in moved:
            cloud.remove(device)
        add(neighbours, "lab", *moved)
        await asyncio.sleep(5 * MINUTE)

        assert home.statuses() == {DeviceStatus.ONLINE: 20}
        assert home.watch.standing.record.troubles == ()


async def test_who_appears_in_a_source_is_known_to_be_listed_there_since(tmp_path: Path) -> None:
    cloud, neighbours = JFrogCloud(devices=3), Neighbours()
    async with house(cloud, tmp_path, neighbours=neighbours) as home:
        await swept(home)
        old, new, before = cloud.uuids()[0], cloud.add_device(), clock.now()
        await asyncio.sleep(5 * MINUTE)

        elsewhere = neighbours.elsewhere("lab")
        assert [elsewhere(old), elsewhere(new)] == [SOURCE, SOURCE]
        assert [elsewhere(old, since=before), elsewhere(new, since=before)] == ["", SOURCE]
        assert elsewhere(new, since=before + timedelta(minutes=4)) == ""
        assert neighbours.elsewhere(SOURCE)(new) == ""


async def test_what_a_paused_source_lists_is_nowhere_for_the_others(tmp_path: Path) -> None:
    cloud, neighbours = JFrogCloud(devices=3), Neighbours()
    async with house(cloud, tmp_path, neighbours=neighbours) as home:
        await swept(home)
        device = cloud.uuids()[0]

        await home.watch.pause(None)

        assert neighbours.elsewhere("lab")(device) == ""


async def test_freshness_is_asked_for_once_at_a_walks_end_and_not_for_each_device() -> None:
    neighbours, asked = Neighbours(), []
    add(neighbours, "lab", "d-1", "d-2")
    neighbours.add(KnownFleet("all"), newcomers=Newcomers(), fresh=lambda: bool(asked.append(1)))  # type: ignore[func-returns-value]  # it counts

    elsewhere = neighbours.elsewhere("edge")
    found = [elsewhere(f"d-{number}") for number in range(4)]

    assert found == ["", "lab", "lab", ""]
    assert asked == [1]


async def test_who_is_absent_is_found_out_on_a_thread_for_of_many_it_takes_long(tmp_path: Path) -> None:
    threads: set[int] = set()

    class Watching(Newcomers):
        def appeared(self, device: str, since: datetime) -> bool:
            threads.add(get_ident())
            return super().appeared(device, since)

    cloud, neighbours = JFrogCloud(devices=30), Neighbours()
    neighbours.add(KnownFleet("lab"), newcomers=Watching(), fresh=lambda: True)
    async with house(cloud, tmp_path, neighbours=neighbours) as home:
        await swept(home)

        cloud.remove(cloud.uuids()[0])
        await asyncio.sleep(5 * MINUTE)

        assert home.statuses()[DeviceStatus.MISSING] == 1
        assert threads
        assert get_ident() not in threads
