"""The counters and histograms of a source and of a receiver, with the beginning and the end of their series."""

from collections.abc import Iterable
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from fleetpulse.alerting.notification import NotifyReason
from fleetpulse.fleet.events import AnyEvent, SourceRemoved

SWEEP_OUTCOMES: Final = (
    "complete",
    "incomplete",
    "stalest",
    "unreachable",
    "rate_limited",
    "credentials_rejected",
    "resource_unavailable",
    "cursor_refused",
    "answer_invalid",
    "filter_matches_nothing",
    "error",
)
"""How a sweep ends: the whole walk, one that proves no absence, a look at the stalest, or why it failed."""
NO_ANSWER: Final = "none"

_USUAL_CODES: Final = ("200", "401", "403", "404", "429", "500", "502", "503", "504", NO_ANSWER)
_UNCOUNTED: Final = (SourceRemoved,)  # with the source go its series
_EVENT_TYPES: Final = tuple(str(event.__struct_config__.tag) for event in get_args(AnyEvent) if event not in _UNCOUNTED)

_SWEEP_BUCKETS_S: Final = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_REQUEST_BUCKETS_S: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_DELIVERY_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)


class SourceInstruments:
    """What is measured of sources, their sweeps and their vendors."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.up = Gauge(
            "fleetpulse_source_up",
            "Whether the last walk of the source's census ended complete.",
            ["source"],
            registry=registry,
        )
        self.stale = Gauge(
            "fleetpulse_source_stale",
            "Whether the source's last good sweep is too long ago to be believed.",
            ["source"],
            registry=registry,
        )
        self.credentials_expiry = Gauge(
            "fleetpulse_source_credentials_expiry_timestamp_seconds",
            "When the source's credentials expire, as they say themselves.",
            ["source"],
            registry=registry,
        )
        self.events = Counter(
            "fleet_events", "What happened to the fleet, by type.", ["source", "type"], registry=registry
        )
        self.sweeps = Counter(
            "fleetpulse_sweeps", "Sweeps by outcome.", ["source", "resource", "outcome"], registry=registry
        )
        self.sweep_duration = Histogram(
            "fleetpulse_sweep_duration_seconds",
            "How long a sweep took from its first request to its end.",
            ["vendor", "resource"],
            buckets=_SWEEP_BUCKETS_S,
            registry=registry,
        )
        self.sweep_interval = Gauge(
            "fleetpulse_sweep_interval_seconds",
            "How often the resource is swept now.",
            ["source", "resource"],
            registry=registry,
        )
        self.sweep_success = Gauge(
            "fleetpulse_sweep_last_success_timestamp_seconds",
            "When the last good sweep of the resource ended.",
            ["source", "resource"],
            registry=registry,
        )
        self.requests = Counter(
            "fleetpulse_vendor_requests",
            "Requests to the vendor by status code; none where no answer came.",
            ["source", "code"],
            registry=registry,
        )
        self.request_duration = Histogram(
            "fleetpulse_vendor_request_duration_seconds",
            "How long the vendor took to answer.",
            ["vendor"],
            buckets=_REQUEST_BUCKETS_S,
            registry=registry,
        )

    def expect(self, source: str, *, vendor: str, resources: Iterable[str]) -> None:
        """Begin the series of a source."""
        for resource in resources:
            self.sweep_duration.labels(vendor, resource)
            for outcome in SWEEP_OUTCOMES:
                self.sweeps.labels(source, resource, outcome)
        for code in _USUAL_CODES:
            self.requests.labels(source, code)
        self.request_duration.labels(vendor)
        for event in _EVENT_TYPES:
            self.events.labels(source, event)


class ReceiverInstruments:
    """What is measured of receivers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.notifications = Counter(
            "fleetpulse_notifications",
            "Notifications by why they were made.",
            ["receiver", "reason"],
            registry=registry,
        )
        self.deliveries = Counter(
            "fleetpulse_deliveries",
            "Tries to deliver a notification, by how they ended.",
            ["receiver", "outcome", "reason"],
            registry=registry,
        )
        self.detection = Histogram(
            "fleetpulse_detection_to_delivery_seconds",
            "From the commit of the page that showed it to the receiver's yes.",
            ["receiver"],
            buckets=_DELIVERY_BUCKETS_S,
            registry=registry,
        )
        self.delivery = Histogram(
            "fleetpulse_delivery_seconds",
            "From the moment a notification was due to the receiver's yes.",
            ["receiver"],
            buckets=_DELIVERY_BUCKETS_S,
            registry=registry,
        )

    def expect(self, receiver: str, outcomes: Iterable[tuple[str, str]]) -> None:
        """Begin the series of a receiver, whose tries may end with these outcomes and reasons."""
        for reason in NotifyReason:
            self.notifications.labels(receiver, reason)
        for outcome, why in outcomes:
            self.deliveries.labels(receiver, outcome, why)
        self.detection.labels(receiver)
        self.delivery.labels(receiver)
