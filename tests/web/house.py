"""A house for the web to look at: what the service would tell it, held still."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from fleetpulse.alerting.condition import ConditionKey, ConditionKind
from fleetpulse.alerting.state import Alert, AlertState
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.source import Trouble
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.web.address import Address
from fleetpulse.web.server import WebServer
from fleetpulse.web.views import ReceiverView, ResourceView, SourceView

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class House:
    """The views of a house that does nothing by itself."""

    def __init__(self) -> None:
        self.rendered = True
        self.counted = 0
        self.reason: str | None = None
        self.known_sources: list[SourceView] = []
        self.known_alerts: list[Alert] = []
        self.known_receivers: list[ReceiverView] = []

    def ready_for_metrics(self) -> bool:
        return self.rendered

    def not_ready(self) -> str | None:
        return self.reason

    def sources(self, now: datetime) -> list[SourceView]:  # noqa: ARG002 - held still, whatever the time
        return self.known_sources

    def alerts(self) -> list[Alert]:
        return self.known_alerts

    async def count_alerts(self) -> None:
        self.counted += 1

    def receivers(self) -> list[ReceiverView]:
        return self.known_receivers


def source(name: str = "edge", *, fresh: bool = True, troubles: tuple[Trouble, ...] = ()) -> SourceView:
    return SourceView(
        name=name,
        vendor="jfrog-connect",
        fresh=fresh,
        stale_after_s=600.0,
        resources={"devices": ResourceView(T0, 60.0), "deployments": ResourceView(None, 300.0, switched_off=True)},
        troubles=troubles,
        devices={DeviceStatus.ONLINE: 417, DeviceStatus.OFFLINE: 13},
    )


def alert(
    device: str = "d-1",
    *,
    severity: str = "warning",
    state: AlertState = AlertState.FIRING,
    summary: str = "",
    name: str = "",
    group: str = "",
    minutes: int = 0,
) -> Alert:
    at = T0 + timedelta(minutes=minutes)
    labels = {"alertname": "FleetDeviceOffline", "severity": severity, "source": "edge", "device": device}
    labels |= {"group": group} if group else {}
    return Alert(
        fingerprint=f"{device}-{severity}",
        rule="FleetDeviceOffline",
        condition=ConditionKey(ConditionKind.DEVICE_OFFLINE, "edge", device),
        state=state,
        labels=labels,
        annotations={"summary": summary, "name": name},
        starts_at=at,
        fires_at=at,
    )


@asynccontextmanager
async def serving(
    house: House, *, pages: FleetPages | None = None, meters: Meters | None = None, port: int = 0
) -> AsyncIterator[str]:
    """The house's server on a free port; gives its URL."""
    server = WebServer(
        address=Address("127.0.0.1", port),
        views=house,
        pages=pages or FleetPages(),
        meters=meters or Meters(version="1.2.3"),
        version="1.2.3",
        zone=UTC,
    )
    async with server:
        yield server.url
