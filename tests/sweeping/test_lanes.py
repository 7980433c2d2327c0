"""The lanes of one source: how many requests each is expected to take before anyone has seen it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from fleetpulse.durations import Rate
from fleetpulse.fleet.device import Device, DeviceStatus, Sighting
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.fleet.walk import Walk
from fleetpulse.outbound import Budget
from fleetpulse.sweeping.lanes import Lanes
from fleetpulse.sweeping.pacer import Lane, Pacer
from fleetpulse.vendors.contract import Kind, Resource

MINUTE = timedelta(minutes=1)
T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
RESOURCES: Mapping[str, Resource] = {
    "devices": Resource(
        kind=Kind.DEVICES, interval=MINUTE, census=True, rows_a_request=10, whole_every=timedelta(hours=6)
    ),
    "readings": Resource(kind=Kind.READINGS, interval=MINUTE, per_device=True),
    "deployments": Resource(kind=Kind.DEPLOYMENTS, interval=MINUTE),
}


def fleet_of(devices: int, *, missing: int) -> KnownFleet:
    """A fleet of which the last devices are missing."""
    fleet = KnownFleet("edge")
    page = [Sighting(Device(f"d-{number}"), DeviceStatus.ONLINE) for number in range(devices)]
    fleet.accept(fleet.compare(page, walk=Walk(started_at=T0), seen_at=T0))
    fleet.accept_shorter_list()
    walk = Walk(started_at=T0)
    walk.note([each.device.id for each in page[: devices - missing]])
    fleet.accept(fleet.absent(walk, seen_at=T0, forget_after=timedelta(days=7)))
    return fleet


@pytest.fixture
async def lanes() -> Lanes:
    return Lanes(
        pacer=Pacer(budget=Budget(rate=Rate(3, 60.0))),
        resources=RESOURCES,
        fleet=fleet_of(100, missing=30),
        requests_of=lambda resource, devices: RESOURCES[resource].requests(devices),
        asleep=lambda: False,
    )


def requests(lane: Lane) -> float:
    return lane.demand.requests


async def test_a_look_at_a_few_is_not_expected_to_take_the_walk_over_all(lanes: Lanes) -> None:
    assert requests(lanes.sweeps("devices", MINUTE)) == 1
    assert requests(lanes.whole("devices", 60 * MINUTE)) == 10


async def test_of_missing_devices_nobody_asks_while_a_list_may_be_as_long_as_it_was(lanes: Lanes) -> None:
    assert requests(lanes.sweeps("readings", MINUTE)) == 70
    assert requests(lanes.whole("devices", MINUTE)) == 10


async def test_looks_are_asked_for_beside_their_list(lanes: Lanes) -> None:
    looks = lanes.looks("deployments", lambda: 7.5)

    assert (requests(looks), looks.demand.resource) == (7.5, "deployments looks")
    assert looks.demand.priority is lanes.sweeps("deployments", MINUTE).demand.priority
