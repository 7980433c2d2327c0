"""Invented things to store; used by the tests of the journal and of the queue."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fleetpulse.alerting.condition import Condition, ConditionKey, ConditionKind
from fleetpulse.alerting.state import Alert, AlertState, Decision, Group, Judgement, Told
from fleetpulse.fleet.device import Device, DeviceStatus, KnownDevice
from fleetpulse.fleet.events import DeviceWentOffline, SourceRemoved
from fleetpulse.fleet.source import SourceRecord
from fleetpulse.journal.entries import Delivery
from fleetpulse.journal.journal import Journal

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
KEY = ConditionKey(ConditionKind.DEVICE_OFFLINE, "edge", "d-1")
Opener = Callable[..., Awaitable[Journal]]


def device(number: int, name: str = "") -> Device:
    return Device(f"d-{number}", name or f"gate-{number}", "Lyon", ("roof",))


def offline(number: int, *, name: str = "", source: str = "edge", seen_at: datetime = AT) -> DeviceWentOffline:
    return DeviceWentOffline(
        source=source,
        subject=f"d-{number}",
        seen_at=seen_at,
        device=device(number, name),
        status=DeviceStatus.OFFLINE,
        was=DeviceStatus.ONLINE,
        ever_online=True,
    )


def segment(*numbers: int) -> dict[str, KnownDevice]:
    return {f"d-{number}": KnownDevice(device(number), DeviceStatus.ONLINE, AT) for number in numbers}


def content(path: Path) -> bytes:
    return path.read_bytes()


def record(source: str = "edge") -> SourceRecord:
    return SourceRecord(source, "jfrog-connect", {"devices": AT}, {"devices": AT})


def removed(source: str = "edge") -> SourceRemoved:
    return SourceRemoved(source=source, subject="devices", seen_at=AT)


def delivery(key: str, *, receiver: str = "ops", group: str = "", due_s: float = 0, created_s: float = 0) -> Delivery:
    return Delivery(
        id=key,
        receiver=receiver,
        group_key=group or key,
        payload=f'{{"text":"{key}"}}'.encode(),
        created_at=AT + timedelta(seconds=created_s),
        noticed_at=AT,
        due_at=AT + timedelta(seconds=due_s),
        summary=f"headline of {key}",
    )


def judgement(cursor: int | None = None) -> Judgement:
    """One device is offline, its alert fires, its group is due, one receiver was told."""
    alert = Alert(
        fingerprint="f1",
        rule="FleetDeviceOffline",
        condition=KEY,
        state=AlertState.FIRING,
        labels={"alertname": "FleetDeviceOffline", "device": "d-1"},
        annotations={"summary": "gate-1 is offline"},
        starts_at=AT,
        fires_at=AT,
    )
    group = Group(key="g", route="r", receiver="ops", labels={}, flush_at=AT)
    return Judgement(
        cursor=cursor,
        conditions={KEY: Condition(key=KEY, since_at=AT, device=device(1))},
        alerts={"f1": alert},
        groups={"g": group},
        told={("ops", "f1"): Told(AT)},
        decisions=(Decision(at=AT, reason="opened", source="edge", subject="d-1", fingerprint="f1"),),
    )
