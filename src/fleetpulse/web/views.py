"""What the web needs to know of the house, as frozen values; the service answers it from memory."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from fleetpulse.alerting.state import Alert
from fleetpulse.fleet.deployments import KnownDeployments
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.events import Problem
from fleetpulse.fleet.jobs import KnownJobs
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.fleet.source import Trouble
from fleetpulse.fleet.summary import Summary


class SourceStatus(StrEnum):
    """How a source does, in one word."""

    STARTING = "starting"  # its main resource was never swept with success
    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    PAUSED = "paused"  # an operator wants it so
    DISABLED = "disabled"  # nobody looks, and nobody misses it


_DOWN = frozenset({Problem.DOWN, Problem.MISCONFIGURED, Problem.REJECTED})


class Depth(StrEnum):
    """How far a survey by hand looks."""

    SWEEP = "sweep"  # every resource whole
    PROBE = "probe"  # what the key can see, within a few requests


class ResourceView(msgspec.Struct, frozen=True):
    """When a resource was last swept with success (None: never), and how often it is swept now.

    `interval_s` is the live interval, `asked_interval_s` the configured one (None: the same); a live one that is longer
    was stretched because the account's budget carries no more. `switched_off`: the vendor does not give it to this key;
    it is asked again now and then. `progress_rows` of `progress_total` (None: the vendor does not say) rows have come
    in the walk under way; both are None while none is.
    """

    last_success_at: datetime | None
    interval_s: float
    switched_off: bool = False
    asked_interval_s: float | None = None
    progress_rows: int | None = None
    progress_total: int | None = None

    @property
    def stretched(self) -> bool:
        """Whether it is swept more slowly than its configuration asks for."""
        return self.asked_interval_s is not None and self.interval_s > self.asked_interval_s


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    """A source as people ask for it.

    `resources`: the first is the main one; a disabled source has none. Texts in `troubles` are redacted. `paused_until`
    is None where a pause has no end. `credentials_expire_at` is what the credential says of itself, `summary` the
    vendor's own count of the account; both are None where nothing is told. `credentials_unreadable` is why the
    credential's file cannot be read again, so that the one that was read last is used; it is redacted.
    """

    name: str
    vendor: str
    fresh: bool
    stale_after_s: float
    resources: Mapping[str, ResourceView]
    troubles: tuple[Trouble, ...] = ()
    devices: Mapping[DeviceStatus, int] = {}
    disabled: bool = False
    paused: bool = False
    paused_until: datetime | None = None
    credentials_expire_at: datetime | None = None
    credentials_unreadable: str = ""
    summary: Summary | None = None

    @property
    def credentials_ok(self) -> bool:
        """Whether the vendor takes our key, as far as we know."""
        return all(trouble.problem is not Problem.REJECTED for trouble in self.troubles)

    @property
    def healthy(self) -> bool:
        """Whether all is as it should be: a disabled source shows nothing, and a paused one is old on purpose."""
        return self.disabled or self.paused or (self.fresh and self.credentials_ok)

    @property
    def last_success_at(self) -> datetime | None:
        """The last good sweep of the main resource."""
        return next((resource.last_success_at for resource in self.resources.values()), None)

    @property
    def status(self) -> SourceStatus:
        """The worst that is true of it."""
        if self.disabled:
            return SourceStatus.DISABLED
        if self.paused:
            return SourceStatus.PAUSED
        if any(trouble.problem in _DOWN for trouble in self.troubles):
            return SourceStatus.DOWN
        if self.troubles:
            return SourceStatus.DEGRADED
        if self.last_success_at is None:
            return SourceStatus.STARTING
        return SourceStatus.OK if self.fresh else SourceStatus.DEGRADED


class ReceiverView(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver with its deliveries by state, and when the oldest of those that wait was due."""

    name: str
    kind: str
    deliveries: Mapping[str, int] = {}
    oldest_at: datetime | None = None


class Known(msgspec.Struct, frozen=True):
    """All that is known of one watched source, as the last good sweeps told it; `fresh`: it may be believed still."""

    source: str
    vendor: str
    fresh: bool
    fleet: KnownFleet
    deployments: KnownDeployments
    jobs: KnownJobs


class Views(Protocol):
    """What the service tells the web, from memory; nothing here raises."""

    def ready_for_metrics(self) -> bool:
        """Whether the known state is rendered: half a fleet must never be scraped."""
        ...

    def not_ready(self) -> str | None:
        """Why the service can't serve yet, in words; None when it can."""
        ...

    def sources(self, now: datetime) -> list[SourceView]:
        """All configured sources in the order of the configuration."""
        ...

    def known(self, now: datetime) -> list[Known]:
        """What is known of each watched source, in the order of the configuration."""
        ...

    def alerts(self) -> list[Alert]:
        """All alerts of whatever state, as a list of its own."""
        ...

    async def count_alerts(self) -> None:
        """Bring the numbers of alerts up to date that the metrics are going to show."""
        ...

    def receivers(self) -> list[ReceiverView]:
        """All configured receivers."""
        ...
