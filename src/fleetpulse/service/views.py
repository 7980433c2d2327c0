"""What other rooms may see of the house: the fleet for messages, the state of everything for the web."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import structs

from fleetpulse.alerting.facts import GroupFacts
from fleetpulse.alerting.judge import Alerting
from fleetpulse.alerting.rules import Rule
from fleetpulse.alerting.state import Alert, AlertState
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.readouts import OutboxReading
from fleetpulse.receivers.settings import ReceiverSettings
from fleetpulse.service.sources import WatchedSource
from fleetpulse.vendors.settings import SourceSettings
from fleetpulse.web.views import Known, ReceiverView, SourceView


class Fleets:
    """The known fleets by source, as alerting's messages ask for them."""

    def __init__(self) -> None:
        self.known: dict[str, KnownFleet] = {}

    def devices(self, source: str) -> int:
        """How many devices of a source are known, those not counted that are missing."""
        fleet = self.known.get(source)
        if fleet is None:
            return 0
        return sum(number for (_, status), number in fleet.counts().items() if status is not DeviceStatus.MISSING)

    def group(self, source: str, group: str) -> GroupFacts | None:
        """The devices of one group, None where the source has none."""
        fleet = self.known.get(source)
        if fleet is None:
            return None
        numbers = {status: fleet.counts().get((group, status), 0) for status in DeviceStatus}
        devices = sum(numbers.values())
        return GroupFacts(devices, numbers[DeviceStatus.ONLINE]) if devices else None

    def names(self, source: str, devices: Iterable[str]) -> Mapping[str, str]:
        """The names of those devices that are known."""
        fleet = self.known.get(source)
        if fleet is None:
            return {}
        return {device: known.device.name for device in devices if (known := fleet.device(device)) is not None}

    def statuses(self, source: str, devices: Iterable[str]) -> Mapping[str, DeviceStatus]:
        """The present status of those devices that are known."""
        fleet = self.known.get(source)
        if fleet is None:
            return {}
        return {device: known.status for device in devices if (known := fleet.device(device)) is not None}

    def last_seen(self, source: str, device: str) -> datetime | None:
        """When the vendor last heard of a device; None where nobody knows."""
        fleet = self.known.get(source)
        known = None if fleet is None else fleet.device(device)
        return None if known is None else known.last_seen_at


class State:
    """Answers the web from memory. What is not there yet is None or empty."""

    def __init__(
        self, *, sources: Iterable[SourceSettings], receivers: Iterable[ReceiverSettings], rules: Iterable[Rule]
    ) -> None:
        self.starting: str | None = "the known state is being loaded"
        self.rendered = False
        self.journal: Journal | None = None
        self.alerting: Alerting | None = None
        self.watched: list[WatchedSource] = []
        self.outbox: Mapping[str, OutboxReading] = {}
        self._sources = tuple(sources)
        self._receivers = tuple(receivers)
        self._rules = tuple(rules)
        self._counted: Mapping[tuple[str, AlertState], int] = {}

    def ready_for_metrics(self) -> bool:
        """Whether the known state is rendered."""
        return self.rendered

    def not_ready(self) -> str | None:
        """Why the service can't serve, in words; vendor trouble is no reason."""
        if self.starting is None and self.journal is not None and not self.journal.writable:
            return f"the journal cannot be written: {self.journal.trouble}"
        return self.starting

    def sources(self, now: datetime) -> list[SourceView]:
        """All sources that are watched or disabled, in the order of the configuration."""
        watched = {each.settings.name: each for each in self.watched}
        return [
            _disabled(source) if not source.enabled else _seen(watched[source.name], now)
            for source in self._sources
            if source.name in watched or not source.enabled
        ]

    def known(self, now: datetime) -> list[Known]:
        """What is known of each watched source, in the order of the configuration."""
        return [_known(each, now) for each in self.watched]

    def alerts(self) -> list[Alert]:
        """All alerts of whatever state."""
        return [] if self.alerting is None else [alert for _, alert in self.alerting.ledger.alerts.items()]

    async def count_alerts(self) -> None:
        """Count the alerts on a thread, for `alert_counts`: at 60,000 it takes 20 ms."""
        alerts = self.alerts()
        self._counted = await asyncio.to_thread(lambda: Counter((alert.rule, alert.state) for alert in alerts))

    def alert_counts(self) -> Mapping[tuple[str, str], int]:
        """How many alerts each rule had in each state when they were counted last, 0 included."""
        states = (AlertState.PENDING, AlertState.FIRING)
        return {
            (rule.name, state.value): self._counted.get((rule.name, state), 0)
            for rule in self._rules
            if rule.enabled
            for state in states
        }

    def receivers(self) -> list[ReceiverView]:
        """All configured receivers with their deliveries, then those that are gone and have rows left."""
        kinds = {receiver.name: receiver.kind for receiver in self._receivers}
        kinds |= {name: "no longer configured" for name in self.outbox if name not in kinds}
        readings = {name: self.outbox.get(name, OutboxReading(name, {})) for name in kinds}
        return [
            ReceiverView(name=name, kind=kinds[name], deliveries=reading.deliveries, oldest_at=reading.oldest_at)
            for name, reading in readings.items()
        ]


def _seen(watched: WatchedSource, now: datetime) -> SourceView:
    return structs.replace(watched.view(now), credentials_unreadable=watched.expiry.unreadable)


def _known(watched: WatchedSource, now: datetime) -> Known:
    standing, remembered = watched.watch.standing, watched.watch.remembered
    return Known(
        source=watched.settings.name,
        vendor=watched.settings.vendor,
        fresh=standing.fresh(now, watched.watch.stale_for()),
        fleet=remembered.fleet,
        deployments=remembered.deployments,
        jobs=remembered.jobs,
    )


def _disabled(source: SourceSettings) -> SourceView:
    return SourceView(
        name=source.name, vendor=source.vendor, fresh=False, stale_after_s=0.0, resources={}, disabled=True
    )
