"""Fleets on their pages, as the tests speak of them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from fleetpulse.fleet.device import NO_READINGS, Aspect, Device, DeviceStatus, Readings, Sighting
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.fleet.walk import Walk
from fleetpulse.metrics.pages import FleetPages

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
VENDOR = "jfrog-connect"


def sighting(
    device: str, status: DeviceStatus = DeviceStatus.ONLINE, *, group: str = "", readings: Readings = NO_READINGS
) -> Sighting:
    return Sighting(Device(device, group=group), status, readings)


def show(
    pages: FleetPages,
    fleet: KnownFleet,
    page: Sequence[Sighting],
    *,
    at: datetime = T0,
    aspects: Aspect = Aspect.ALL,
) -> None:
    """What a poller does with a page: compare, (commit,) accept, show."""
    changes = fleet.compare(page, walk=Walk(started_at=at), seen_at=at, aspects=aspects)
    fleet.accept(changes)
    pages.devices(fleet, vendor=VENDOR, changes=changes)


def shown(page: Sequence[Sighting], *, source: str = "edge", pages: FleetPages | None = None) -> FleetPages:
    """Pages that show a fleet of these devices."""
    pages = pages or FleetPages()
    show(pages, KnownFleet(source), page)
    return pages


def lines(pages: FleetPages, family: str = "") -> list[str]:
    """The samples (of one family, where it is named) with everything owed rendered."""
    text = rendered(pages)
    return [
        line
        for line in text.splitlines()
        if not line.startswith("#") and line.startswith(f"{family}{{" if family else "")
    ]


def rendered(pages: FleetPages) -> str:
    while pages.refresh(budget_s=1):
        pass
    return b"".join(pages.text()).decode()


def names(samples: Iterable[str]) -> set[str]:
    return {sample.partition("{")[0] for sample in samples}
