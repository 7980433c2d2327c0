"""`fleetpulse test-receiver`: one test notification to one receiver, and what it answered."""

from datetime import timedelta
from uuid import uuid4

import typer

from fleetpulse import clock
from fleetpulse.alerting.notification import AlertStatus, Notification, NotifyReason, ToldAlert
from fleetpulse.alerting.opening import fingerprint_of
from fleetpulse.outbound import Outbound
from fleetpulse.receivers.contract import Delivered, Refused
from fleetpulse.secrets import Redactor
from fleetpulse.service.catalogue import RECEIVERS
from fleetpulse.service.failures import DoneBadlyError, UsageError
from fleetpulse.service.settings import Settings
from fleetpulse.service.version import VERSION


async def run_test_receiver(settings: Settings, name: str) -> None:
    """Deliver a test message once, without retries.

    Errors: UsageError for a receiver that isn't configured; DoneBadlyError with its answer where it was not taken.
    """
    entry = next((receiver for receiver in settings.receivers if receiver.name == name), None)
    if entry is None:
        names = ", ".join(receiver.name for receiver in settings.receivers) or "none"
        raise UsageError(f"no receiver is called {name!r}; the config has {names}")
    redactor = Redactor()
    async with Outbound(version=VERSION, redactor=redactor) as outbound:
        receiver = RECEIVERS[entry.kind].build(entry, outbound=outbound, redactor=redactor)
        notification = _sample(name, settings.http.external_url)
        outcome = await receiver.send(notification.id, receiver.message(notification))
    if not isinstance(outcome, Delivered):
        kind = "refused it" if isinstance(outcome, Refused) else "did not take it"
        raise DoneBadlyError(f"{name} ({entry.kind}) {kind}: {outcome.reason}. {outcome.detail}".strip())
    typer.echo(f"{name} ({entry.kind}) took the test notification: HTTP {outcome.status}")


def _sample(receiver: str, external_url: str) -> Notification:
    now = clock.now()
    labels = {"alertname": "FleetpulseTest", "severity": "info", "source": "test", "device": "d-0000-0001"}
    alert = ToldAlert(
        fingerprint=fingerprint_of(labels),
        status=AlertStatus.FIRING,
        labels=labels,
        annotations={
            "name": "test-device",
            "summary": "A test of fleetpulse: if you read this, its notifications reach you",
            "since": now.isoformat(),
            "last_seen": (now - timedelta(minutes=1)).isoformat(),
        },
        starts_at=now,
    )
    return Notification(
        id=str(uuid4()),
        receiver=receiver,
        group_key="test",
        group_labels={"alertname": "FleetpulseTest", "source": "test"},
        common_labels=labels,
        common_annotations=alert.annotations,
        status=AlertStatus.FIRING,
        reason=NotifyReason.TEST,
        alerts=(alert,),
        at=now,
        text="[TEST] fleetpulse can reach you here",
        detail="Nothing is wrong: this message was sent by fleetpulse test-receiver.",
        firing=1,
        added=1,
        external_url=external_url,
    )
