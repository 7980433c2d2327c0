"""A condition: something that is wrong now, whoever may want to hear of it. Rules are judged over conditions."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from fleetpulse.alerting.notification import EventRef
from fleetpulse.fleet.deployment import Deployment
from fleetpulse.fleet.device import Device
from fleetpulse.fleet.job import BulkJob
from fleetpulse.fleet.tunnel import Tunnel


class ConditionKind(StrEnum):
    """What a rule's `when` may name. Occurrences are past facts: told once, again only when they grow."""

    DEVICE_OFFLINE = "device_offline"
    DEVICE_SILENT = "device_silent"  # a view of the one before: what is offline, once it was silent for long enough
    DEPLOYMENT_FAILED = "deployment_failed"
    JOB_FAILED = "job_failed"
    TUNNEL_OPEN = "tunnel_open"
    SIM_PAUSED_BY_SYSTEM = "sim_paused_by_system"
    SOURCE_DOWN = "source_down"
    SOURCE_DEGRADED = "source_degraded"
    SOURCE_MISCONFIGURED = "source_misconfigured"
    CREDENTIALS_REJECTED = "credentials_rejected"
    CREDENTIALS_EXPIRING = "credentials_expiring"
    SOURCE_BASELINE = "source_baseline"


KEPT_AS: Final = {ConditionKind.DEVICE_SILENT: ConditionKind.DEVICE_OFFLINE}
"""Kinds that are judged over conditions of another kind: a device that sleeps must not be kept twice."""

OCCURRENCES: Final = frozenset(
    {ConditionKind.DEPLOYMENT_FAILED, ConditionKind.JOB_FAILED, ConditionKind.SOURCE_BASELINE}
)


OF_SOURCES: Final = frozenset(
    {
        ConditionKind.SOURCE_DOWN,
        ConditionKind.SOURCE_DEGRADED,
        ConditionKind.SOURCE_MISCONFIGURED,
        ConditionKind.CREDENTIALS_REJECTED,
        ConditionKind.CREDENTIALS_EXPIRING,
    }
)
"""What we know of a source by ourselves, however little the vendor says."""


class ConditionKey(msgspec.Struct, frozen=True, order=True):
    """What makes a condition the same one: its kind, its source and the id of its subject there."""

    kind: ConditionKind
    source: str
    subject: str


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, since when, with a snapshot for the message.

    `since_at` is our first observation. `size` is what an occurrence grows by (failed devices). `baseline`: it was so
    when the source was first seen, so it is listed but told only in the summary. `in_doubt`: the vendor no longer says
    anything intelligible, which neither ends the condition nor proves that it lasts. `open_end`: for an occurrence,
    whether it may still grow. `last_seen_at` is the vendor's word and only shown; `heard_at` is until when a device was
    heard of, by us or else by the vendor, as far as either knows. `until_at` is when credentials expire. `counts`
    are by status, and of devices also of the SIMs that the system paused.
    """

    key: ConditionKey
    since_at: datetime
    size: int = 1
    detail: str = ""
    baseline: bool = False
    late: bool = False
    in_doubt: bool = False
    open_end: bool = False
    last_seen_at: datetime | None = None
    heard_at: datetime | None = None
    until_at: datetime | None = None
    device: Device | None = None
    deployment: Deployment | None = None
    bulk_job: BulkJob | None = None
    tunnel: Tunnel | None = None
    counts: dict[str, int] = {}
    events: tuple[EventRef, ...] = ()
