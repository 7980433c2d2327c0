"""Our own metrics: what fleetpulse does and how well, counted where it happens."""

import platform
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram, Metric, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from fleetpulse.alerting.notification import NotifyReason
from fleetpulse.metrics.instruments import NO_ANSWER, ReceiverInstruments, SourceInstruments
from fleetpulse.metrics.readouts import BudgetReading, OutboxReading, Readouts

_LAG_BUCKETS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Meters:
    """One object counts for the whole process, in a registry of its own.

    Counters of expected sources and receivers stand at 0 from the start: a rate can't see the first step of a series
    that begins at 1. Label values from outside (status codes) are kept to a small set.
    """

    def __init__(self, *, version: str) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._registry = registry
        self._readouts = Readouts()
        registry.register(self._readouts)
        build = Gauge(
            "fleetpulse_build_info", "This build; always 1.", ["version", "python_version"], registry=registry
        )
        build.labels(version, platform.python_version()).set(1)
        self._lag = Histogram(
            "fleetpulse_event_loop_lag_seconds",
            "How late a timer of the event loop fired.",
            buckets=_LAG_BUCKETS_S,
            registry=registry,
        )
        self._sources = SourceInstruments(registry)
        self._receivers = ReceiverInstruments(registry)

    def expect_source(
        self, source: str, *, vendor: str, resources: Iterable[str], labels: Mapping[str, str] | None = None
    ) -> None:
        """Begin the source's series, its counters at 0. `labels` are the source's own."""
        self._readouts.sources[source] = {"vendor": vendor, **(labels or {})}
        self._sources.expect(source, vendor=vendor, resources=resources)

    def expect_receiver(self, receiver: str, *, outcomes: Iterable[tuple[str, str]] = ()) -> None:
        """Begin the receiver's series, its counters at 0. `outcomes`: how a try may end, each with its reason."""
        self._receivers.expect(receiver, outcomes)

    def source_walked(self, source: str, *, complete: bool) -> None:
        """A walk of the census ended."""
        self._sources.up.labels(source).set(complete)

    def source_stale(self, source: str, is_stale: bool) -> None:
        """The source became stale or fresh."""
        self._sources.stale.labels(source).set(is_stale)

    def credentials_expire(self, source: str, at: datetime | None) -> None:
        """The source's credentials say that they expire then; None: they say nothing."""
        if at is None:
            self._sources.credentials_expiry.remove(source)
        else:
            self._sources.credentials_expiry.labels(source).set(at.timestamp())

    def sweep_every(self, source: str, resource: str, seconds: float) -> None:
        """The interval as it is now, stretched or not."""
        self._sources.sweep_interval.labels(source, resource).set(seconds)

    def sweep_ended(self, source: str, *, vendor: str, resource: str, outcome: str, seconds: float) -> None:
        """A sweep ended with one of `SWEEP_OUTCOMES`."""
        self._sources.sweeps.labels(source, resource, outcome).inc()
        self._sources.sweep_duration.labels(vendor, resource).observe(seconds)

    def sweep_succeeded(self, source: str, resource: str, at: datetime) -> None:
        """The last good sweep ended then; also told at the start, of what the journal remembers."""
        self._sources.sweep_success.labels(source, resource).set(at.timestamp())

    def vendor_answered(self, source: str, *, vendor: str, code: int | None, seconds: float) -> None:
        """A request ended; `code` is None where no answer came."""
        self._sources.requests.labels(source, _code(code)).inc()
        self._sources.request_duration.labels(vendor).observe(seconds)

    def event_seen(self, source: str, event_type: str, number: int = 1) -> None:
        """Events of one type were committed."""
        self._sources.events.labels(source, event_type).inc(number)

    def notified(self, receiver: str, reason: NotifyReason) -> None:
        """A notification was put into the outbox."""
        self._receivers.notifications.labels(receiver, reason).inc()

    def delivery_tried(self, receiver: str, *, outcome: str, reason: str = "") -> None:
        """One try to deliver ended with one of the outcomes that were told beforehand."""
        self._receivers.deliveries.labels(receiver, outcome, reason).inc()

    def delivered(self, receiver: str, *, since_due_s: float, since_detection_s: float | None = None) -> None:
        """The receiver said yes. Without a page behind it (a repeat, a test) there is no detection to measure from."""
        self._receivers.delivery.labels(receiver).observe(since_due_s)
        if since_detection_s is not None:
            self._receivers.detection.labels(receiver).observe(since_detection_s)

    def loop_lagged(self, seconds: float) -> None:
        """A timer fired so much too late."""
        self._lag.observe(seconds)

    def watch_journal(self, read: Callable[[], bool]) -> None:
        """Ask this at each scrape whether the journal can be written."""
        self._readouts.journal_writable = read

    def watch_queues(self, read: Callable[[], Mapping[str, int]]) -> None:
        """Ask this at each scrape how many events each consumer is behind."""
        self._readouts.queues = read

    def watch_alerts(self, read: Callable[[], Mapping[tuple[str, str], int]]) -> None:
        """Ask this at each scrape how many alerts each (rule, state) has; give 0 for rules without one."""
        self._readouts.alerts = read

    def watch_outbox(self, read: Callable[[], Collection[OutboxReading]]) -> None:
        """Ask this at each scrape how the receivers' outboxes stand."""
        self._readouts.outbox = read

    def watch_budget(self, source: str, read: Callable[[], BudgetReading]) -> None:
        """Ask this at each scrape how the source's budget stands."""
        self._readouts.budgets[source] = read

    def text(self) -> bytes:
        """The exposition of all of it, in the text format 0.0.4."""
        return generate_latest(_Plain(self._registry))


class _Plain(Collector):
    """A registry without `_created` samples, which double every counter, and without families that have no sample.

    The library can switch the former off for the whole process only.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            if metric.samples:
                yield metric


def _code(code: int | None) -> str:
    if code is None:
        return NO_ANSWER
    return str(code) if 100 <= code <= 599 else "other"  # noqa: PLR2004 - what HTTP calls a status code
