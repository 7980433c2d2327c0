"""Gauges that are not kept but read when Prometheus asks: backlogs, budgets, alerts, what a source is."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class BudgetReading(msgspec.Struct, frozen=True):
    """Requests per second: `ceiling` as configured, `granted` after slowing down, `needed` for the intervals."""

    ceiling: float
    granted: float
    needed: float


class OutboxReading(msgspec.Struct, frozen=True):
    """One receiver's deliveries by state, and when the oldest of those not yet delivered was due."""

    receiver: str
    deliveries: Mapping[str, int]
    oldest_at: datetime | None = None


class Readouts(Collector):
    """Asks those who know at each scrape. Callbacks answer from memory: a scrape waits for nobody."""

    def __init__(self) -> None:
        self.journal_writable: Callable[[], bool] | None = None
        self.queues: Callable[[], Mapping[str, int]] = dict
        self.alerts: Callable[[], Mapping[tuple[str, str], int]] = dict
        self.outbox: Callable[[], Iterable[OutboxReading]] = tuple
        self.budgets: dict[str, Callable[[], BudgetReading]] = {}
        self.sources: dict[str, dict[str, str]] = {}

    def collect(self) -> Iterable[Metric]:
        """The families as they stand at this moment."""
        yield self._source_info()
        yield self._budgets()
        yield self._journal()
        yield self._queues()
        yield self._alerts()
        yield from self._outbox()

    def _source_info(self) -> Metric:
        """Sources may have different labels; one that a source lacks is empty, which Prometheus takes as absent."""
        names = list(dict.fromkeys(name for labels in self.sources.values() for name in labels))
        family = GaugeMetricFamily(
            "fleetpulse_source_info", "A configured source with its labels; always 1.", labels=["source", *names]
        )
        for source, labels in self.sources.items():
            family.add_metric([source, *(labels.get(name, "") for name in names)], 1)
        return family

    def _budgets(self) -> Metric:
        family = GaugeMetricFamily(
            "fleetpulse_vendor_budget_requests_per_second",
            "Requests per second to the source's account: ceiling as configured, granted now, needed by the intervals.",
            labels=["source", "kind"],
        )
        for source, read in self.budgets.items():
            for kind, value in msgspec.structs.asdict(read()).items():
                family.add_metric([source, kind], value)
        return family

    def _journal(self) -> Metric:
        family = GaugeMetricFamily(
            "fleetpulse_journal_writable",
            "Whether the journal takes what is written; while it does not, sweeps and notifications wait.",
            labels=[],
        )
        if self.journal_writable is not None:
            family.add_metric([], self.journal_writable())
        return family

    def _queues(self) -> Metric:
        family = GaugeMetricFamily(
            "fleetpulse_queue_events", "Committed events that the consumer has not taken yet.", labels=["consumer"]
        )
        for consumer, events in self.queues().items():
            family.add_metric([consumer], events)
        return family

    def _alerts(self) -> Metric:
        family = GaugeMetricFamily("fleetpulse_alerts", "Alerts by rule and state.", labels=["alertname", "state"])
        for (alertname, state), alerts in self.alerts().items():
            family.add_metric([alertname, state], alerts)
        return family

    def _outbox(self) -> Iterable[Metric]:
        deliveries = GaugeMetricFamily(
            "fleetpulse_outbox_deliveries", "Deliveries in the outbox by state.", labels=["receiver", "state"]
        )
        oldest = GaugeMetricFamily(
            "fleetpulse_outbox_oldest_timestamp_seconds",
            "When the oldest delivery that still waits was due; no sample where none waits.",
            labels=["receiver"],
        )
        for reading in self.outbox():
            for state, number in reading.deliveries.items():
                deliveries.add_metric([reading.receiver, state], number)
            if reading.oldest_at is not None:
                oldest.add_metric([reading.receiver], reading.oldest_at.timestamp())
        return deliveries, oldest
