"""What is handed to the journal and what comes back: frozen values, times aware and in UTC."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from fleetpulse.fleet.events import AnyEvent, Event
from fleetpulse.fleet.known import Segment
from fleetpulse.fleet.source import SourceRecord

DeliveryState = Literal["owed", "claimed", "delivered", "dead"]
"""How an outbox row stands: to be sent, being sent, or at one of its two ends."""


class StoredEvent(msgspec.Struct, frozen=True):
    """A committed event. Ids rise in the order of the commits and are never used again."""

    id: int
    event: AnyEvent


class Undecodable(msgspec.Struct, frozen=True):
    """A committed event whose payload this version cannot read, and why."""

    id: int
    error: str


class PageWrite(msgspec.Struct, frozen=True, kw_only=True):
    """What one page, or a walk's end, changes of one source (transaction 1).

    `followed` holds what is followed beside devices by (kind, id), such as deployments; None deletes the entry.
    """

    source: str
    events: Sequence[Event] = ()
    segments: Mapping[int, Segment] = {}
    followed: Mapping[tuple[str, str], msgspec.Struct | None] = {}
    record: SourceRecord | None = None


class StoredSource(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of one source; segments as `KnownFleet.load` takes them, followed things as msgpack."""

    record: SourceRecord | None = None
    segments: dict[int, bytes] = {}
    followed: dict[tuple[str, str], bytes] = {}


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A finished payload for one receiver.

    `noticed_at` is when the page behind it was committed. `attempts` are tries that began, as far as is known.
    `doubtful`: it was being sent when the process ended, so the receiver may have it already; the next outcome that
    asks for another try takes the mark away, so that each such end is counted once. `summary` is a headline for lists.
    """

    id: str
    receiver: str
    group_key: str
    payload: bytes
    created_at: datetime
    noticed_at: datetime
    due_at: datetime
    summary: str
    attempts: int = 0
    doubtful: bool = False


class DeliveryRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one try; a `retry` needs its `due_at`."""

    id: str
    state: Literal["delivered", "retry", "dead"]
    at: datetime
    due_at: datetime | None = None
    reason: str = ""
    detail: str = ""
    status: int | None = None


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as lists show it: without its payload, with what became of it."""

    id: str
    receiver: str
    group_key: str
    state: DeliveryState
    created_at: datetime
    noticed_at: datetime
    due_at: datetime
    summary: str
    attempts: int
    doubtful: bool
    reason: str
    detail: str
    status: int | None
    done_at: datetime | None


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows retention has deleted."""

    events: int = 0
    decisions: int = 0
    deliveries: int = 0
    set_aside: int = 0
