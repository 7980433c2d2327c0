"""A tunnel: a port of a device, opened towards the outside."""

from datetime import datetime
from enum import StrEnum

import msgspec


class TunnelStatus(StrEnum):
    """`terminated` is an end by force or fault, and not the same as `closed`."""

    PENDING = "pending"
    OPEN = "open"
    CLOSED = "closed"
    TERMINATED = "terminated"


class Tunnel(msgspec.Struct, frozen=True, kw_only=True):
    """A tunnel as the vendor last told it."""

    id: str
    device: str
    status: TunnelStatus
    created_at: datetime | None = None
    finished_at: datetime | None = None
