"""Devices and walks as the tests of the known fleet speak of them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from fleetpulse.fleet.device import NO_READINGS, Device, DeviceStatus, Readings, Sighting
from fleetpulse.fleet.known import Changes, KnownFleet
from fleetpulse.fleet.walk import Walk

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
ONLINE, OFFLINE, UNKNOWN, MISSING = DeviceStatus


def sighting(
    id_: str, status: DeviceStatus = ONLINE, *, name: str = "", group: str = "", readings: Readings = NO_READINGS
) -> Sighting:
    return Sighting(Device(id_, name=name, group=group), status, readings)


def sightings(count: int, status: DeviceStatus = ONLINE) -> list[Sighting]:
    return [sighting(f"d-{number:05}", status) for number in range(count)]


def walk_over(
    fleet: KnownFleet, page: Iterable[Sighting], *, at: datetime = T0, baseline: bool = False, odd: int = 0
) -> Changes:
    """Walk over one page and accept both its changes and the walk's end; gives what the end changed."""
    page = list(page)
    walk = Walk(started_at=at, baseline=baseline)
    walk.note([each.device.id for each in page], odd=odd)
    fleet.accept(fleet.compare(page, walk=walk, seen_at=at))
    changes = fleet.absent(walk, seen_at=at, forget_after=WEEK)
    fleet.accept(changes)
    return changes


def fleet_of(page: Iterable[Sighting], *, at: datetime = T0) -> KnownFleet:
    """A fleet whose baseline was this page."""
    fleet = KnownFleet("edge-prod")
    walk_over(fleet, page, at=at, baseline=True)
    return fleet
