"""Devices that leave one source and are found in another of the same vendor and host."""

import asyncio
from pathlib import Path

from fleetpulse import clock
from fleetpulse.fleet.device import Device, DeviceStatus, Sighting
from fleetpulse.fleet.events import DeviceMoved
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.fleet.walk import Walk
from fleetpulse.simulator.jfrog_connect.account import JFrogConnect as JFrogCloud
from fleetpulse.sweeping.neighbours import Neighbours
from sweeping.house import MINUTE, House, house, until


async def swept(home: House) -> None:
    await until(lambda: "devices" in home.watch.standing.record.baselined_at)


def holding(source: str, device: str) -> KnownFleet:
    """Another source's fleet, which holds this one device."""
    fleet, now = KnownFleet(source), clock.now()
    sighting = Sighting(Device(device), DeviceStatus.ONLINE)
    fleet.accept(fleet.compare([sighting], walk=Walk(started_at=now, baseline=True), seen_at=now))
    return fleet


async def test_a_device_found_in_another_source_has_moved_there_and_is_not_missing(tmp_path: Path) -> None:
    cloud, neighbours = JFrogCloud(devices=30), Neighbours()
    moved = cloud.uuids()[0]
    async with house(cloud, tmp_path, neighbours=neighbours) as home:
        await swept(home)
        neighbours.add(holding("lab", moved), fresh=lambda: True)

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
        neighbours.add(holding("lab", gone), fresh=lambda: False)

        cloud.remove(gone)
        await asyncio.sleep(5 * MINUTE)

        assert home.statuses()[DeviceStatus.MISSING] == 1
