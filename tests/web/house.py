"""A house for the web to look at: what the service would tell it, held still."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from fleetpulse.alerting.condition import ConditionKey, ConditionKind
from fleetpulse.alerting.state import Alert, AlertState
from fleetpulse.fleet.deployment import Deployment
from fleetpulse.fleet.deployments import KnownDeployments
from fleetpulse.fleet.device import Device, DeviceStatus, Sighting
from fleetpulse.fleet.followed import DeploymentChanges, Followed
from fleetpulse.fleet.job import BulkJob
from fleetpulse.fleet.jobs import KnownJobs
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.fleet.source import Trouble
from fleetpulse.fleet.walk import Walk
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.secrets import Redactor
from fleetpulse.web.access import Access, Token
from fleetpulse.web.address import Address
from fleetpulse.web.server import WebServer
from fleetpulse.web.views import Depth, Known, ReceiverView, ResourceView, SourceView

TOKEN: Final = "invented-write-token"
READ_TOKEN: Final = "invented-read-token"
BEARER: Final = {"Authorization": f"Bearer {TOKEN}"}
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
        self.known_fleets: list[Known] = []

    def ready_for_metrics(self) -> bool:
        return self.rendered

    def not_ready(self) -> str | None:
        return self.reason

    def sources(self, now: datetime) -> list[SourceView]:  # noqa: ARG002 - held still, whatever the time
        return self.known_sources

    def known(self, now: datetime) -> list[Known]:  # noqa: ARG002 - held still, whatever the time
        return self.known_fleets

    def alerts(self) -> list[Alert]:
        return self.known_alerts

    async def count_alerts(self) -> None:
        self.counted += 1

    def receivers(self) -> list[ReceiverView]:
        return self.known_receivers


class Step(msgspec.Struct, tag="step"):
    number: int


class Hands:
    """The operations of a house that only writes down what it is asked to do.

    `refuse` is raised instead, `fail` later on; a device is told of after `wait_s`.
    """

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []
        self.refuse: Exception | None = None
        self.fail: Exception | None = None
        self.wait_s = 0.0
        self.steps: AsyncIterator[msgspec.Struct] | None = None
        self.closed = 0
        self.ended = asyncio.Event()

    async def retry(self, source: str) -> None:
        self._do("retry", source)

    async def pause(self, source: str, *, for_: timedelta | None) -> None:
        self._do("pause", source, for_)

    async def resume(self, source: str) -> None:
        self._do("resume", source)

    async def accept(self, source: str) -> None:
        self._do("accept", source)

    async def ask(self, source: str, device: str) -> AsyncGenerator[Sighting | None, None]:
        self._do("ask", source, device)
        yield None
        await asyncio.sleep(self.wait_s)
        if self.fail is not None:
            raise self.fail
        yield Sighting(Device(device, name="gate-1"), DeviceStatus.ONLINE)

    async def survey(self, source: str, depth: Depth) -> AsyncGenerator[msgspec.Struct | None, None]:
        self._do("survey", source, depth)
        try:
            yield None
            if self.fail is not None:
                raise self.fail
            if self.steps is not None:
                async for step in self.steps:
                    yield step
            yield Step(0)
        finally:
            self.closed += 1
            self.ended.set()

    def _do(self, *what: object) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.done.append(what)


def known(source: str = "edge", *, fresh: bool = True) -> Known:
    """A source of which nothing is known yet."""
    return Known(source, "jfrog-connect", fresh, KnownFleet(source), KnownDeployments(source), KnownJobs(source))


def meet(fleet: KnownFleet, *sightings: Sighting) -> None:
    """Take devices in, as a walk would."""
    fleet.accept(fleet.compare(sightings, walk=Walk(started_at=T0), seen_at=T0))


def sighting(id_: str, status: DeviceStatus = DeviceStatus.ONLINE, **fields: object) -> Sighting:
    return Sighting(Device(id_, **fields), status)  # type: ignore[arg-type]  # a device's own fields


def follow(deployments: KnownDeployments, *followed: Deployment) -> None:
    """Take deployments in, as looked at."""
    deployments.accept(
        DeploymentChanges(
            followed={
                each.id: Followed(deployment=each, first_seen_at=T0, progressed_at=T0, look_at=None)
                for each in followed
            }
        )
    )


def run_jobs(jobs: KnownJobs, *found: BulkJob) -> None:
    """Take jobs in."""
    jobs.accept(jobs.listed(found, resource="jobs", complete=False, baseline=False, seen_at=T0, late=False))


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
    house: House,
    *,
    hands: Hands | None = None,
    access: Access | None = None,
    pages: FleetPages | None = None,
    meters: Meters | None = None,
    port: int = 0,
) -> AsyncIterator[str]:
    """The house's server on a free port; gives its URL."""
    server = WebServer(
        address=Address("127.0.0.1", port),
        views=house,
        operations=hands or Hands(),
        access=access or made_access(),
        pages=pages or FleetPages(),
        meters=meters or Meters(version="1.2.3"),
        version="1.2.3",
        zone=UTC,
    )
    async with server:
        yield server.url


def made_access(*, read: bool = False) -> Access:
    """Access with the tokens of this file."""
    with tempfile.TemporaryDirectory() as folder:
        write_file, read_file = Path(folder, "write"), Path(folder, "read")
        write_file.write_text(TOKEN)
        read_file.write_text(READ_TOKEN)
        redactor = Redactor()
        return Access(
            write=Token(write_file, redactor=redactor), read=Token(read_file, redactor=redactor) if read else None
        )
