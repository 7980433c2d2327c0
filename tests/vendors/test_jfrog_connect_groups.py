"""Configured groups are walked one by one; who is missing is decided over their union."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from fleetpulse import simulator
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.events import DeviceEvent, DeviceWentMissing
from fleetpulse.fleet.known import Changes, KnownFleet
from fleetpulse.fleet.walk import Walk
from fleetpulse.vendors.jfrog_connect import JFrogConnect
from vendors import jfrog_cloud
from vendors.jfrog_cloud import Build

cloud, build = jfrog_cloud.cloud, jfrog_cloud.build
AT = datetime(2025, 3, 2, tzinfo=UTC)


async def swept(
    vendor: JFrogConnect, fleet: KnownFleet, *, meanwhile: Callable[[], None] = lambda: None
) -> list[DeviceEvent]:
    """Sweep once into the fleet; `meanwhile` happens after the walk's first page. Gives the events."""
    walk = Walk(started_at=AT, baseline=not len(fleet))
    events: list[DeviceEvent] = []

    def take(changes: Changes) -> None:
        fleet.accept(changes)
        events.extend(event for event in changes.events if isinstance(event, DeviceEvent))

    async for page in vendor.devices("devices"):
        first = walk.first_sightings(page.items)
        walk.note((item.device.id for item in page.items), odd=page.odd, total=page.total, guard=page.guarded)
        take(fleet.compare(first, walk=walk, seen_at=AT, aspects=page.aspects))
        meanwhile()
        meanwhile = lambda: None  # noqa: E731 - nothing happens a second time
    take(fleet.absent(walk, seen_at=AT, forget_after=timedelta(days=7)))
    return events


@pytest.mark.parametrize(("before", "after"), [("Lyon", "Porto"), ("Porto", "Lyon")])
async def test_a_device_that_moves_between_groups_during_a_walk_does_not_go_missing(
    cloud: simulator.JFrogConnect, build: Build, before: str, after: str
) -> None:
    vendor, fleet = build(groups=["Lyon", "Porto"]), KnownFleet("edge")
    uuid = cloud.uuids(group=before)[0]
    await swept(vendor, fleet)

    events = await swept(vendor, fleet, meanwhile=lambda: cloud.move(uuid, after))
    events += await swept(vendor, fleet)

    known = fleet.device(uuid)
    assert known is not None
    assert (known.status, known.device.group) == (DeviceStatus.ONLINE, after)
    assert [event for event in events if isinstance(event, DeviceWentMissing)] == []


async def test_a_device_of_no_walked_group_goes_missing_after_two_walks_over_all_of_them(
    cloud: simulator.JFrogConnect, build: Build
) -> None:
    vendor, fleet = build(groups=["Lyon", "Porto"]), KnownFleet("edge")
    uuid = cloud.uuids(group="Porto")[0]
    await swept(vendor, fleet)
    cloud.remove(uuid)

    once, twice = await swept(vendor, fleet), await swept(vendor, fleet)

    assert once == []
    assert [(type(event), event.subject) for event in twice] == [(DeviceWentMissing, uuid)]
