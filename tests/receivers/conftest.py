"""What the tests of receivers share: notifications as alerting makes them, and the way out."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from fleetpulse.alerting.notification import AlertStatus, EventRef, Notification, NotifyReason, ToldAlert
from fleetpulse.outbound import Outbound
from fleetpulse.secrets import Redactor

NOW = datetime(2026, 11, 20, 14, 8, tzinfo=UTC)


def _device(number: int, **changes: Any) -> ToldAlert:
    alert = ToldAlert(
        fingerprint=f"{number:016x}",
        status=AlertStatus.FIRING,
        labels={
            "alertname": "FleetDeviceOffline",
            "severity": "warning",
            "source": "edge-prod",
            "vendor": "jfrog-connect",
            "device": f"d-0a1b-{number:04x}",
            "group": "Lyon",
        },
        annotations={"name": f"gate-{number}", "last_seen": "2026-11-20T14:02:00+00:00"},
        starts_at=NOW - timedelta(minutes=6),
        events=(EventRef(id=40 + number, type="fleet.device.went_offline"),),
    )
    merged = {
        "labels": {**alert.labels, **changes.pop("labels", {})},
        "annotations": {**alert.annotations, **changes.pop("annotations", {})},
    }
    return msgspec.structs.replace(alert, **merged, **changes)


def _notification(*alerts: ToldAlert, **changes: Any) -> Notification:
    fields: dict[str, Any] = {
        "id": "dl-0001",
        "receiver": "ops",
        "group_key": '{}/{}:{alertname="FleetDeviceOffline", group="Lyon", source="edge-prod"}',
        "group_labels": {"alertname": "FleetDeviceOffline", "source": "edge-prod", "group": "Lyon"},
        "common_labels": {"alertname": "FleetDeviceOffline", "source": "edge-prod", "group": "Lyon"},
        "common_annotations": {},
        "status": AlertStatus.FIRING,
        "reason": NotifyReason.FIRST,
        "alerts": alerts,
        "at": NOW,
        "text": f"[FIRING {len(alerts)}] FleetDeviceOffline \u00b7 edge-prod \u00b7 Lyon",
        "detail": f"{len(alerts)} devices offline in Lyon, 12 others there are online",
        "firing": len(alerts),
    }
    return Notification(**{**fields, **changes})


@pytest.fixture
def now() -> datetime:
    """When the notifications are made."""
    return NOW


@pytest.fixture
def device() -> Callable[..., ToldAlert]:
    """Makes an alert of one device by its number; labels and annotations given are added."""
    return _device


@pytest.fixture
def notification() -> Callable[..., Notification]:
    """Makes a notification of alerts; fields given replace the usual ones."""
    return _notification


@pytest.fixture
def redactor() -> Redactor:
    """The process's redactor."""
    return Redactor()


@pytest_asyncio.fixture
async def outbound(redactor: Redactor) -> AsyncIterator[Outbound]:
    """The way out."""
    async with Outbound(version="0", redactor=redactor) as outbound:
        yield outbound
