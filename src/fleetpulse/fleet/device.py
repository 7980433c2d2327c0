"""A device as every room past the vendors sees it."""

from datetime import datetime
from enum import Flag, StrEnum, auto

import msgspec


class DeviceStatus(StrEnum):
    """The four honest states. An absent or unrecognised word is `unknown`: never offline, never healthy."""

    ONLINE = "online"
    OFFLINE = "offline"
    UNKNOWN = "unknown"
    MISSING = "missing"  # gone from complete walks


class Aspect(Flag):
    """What a page of devices speaks of. What it does not speak of stays as it is."""

    STATUS = auto()
    ATTRIBUTES = auto()
    READINGS = auto()
    ALL = STATUS | ATTRIBUTES | READINGS


class SimState(StrEnum):
    """What a device's SIM may do; not whether the device is connected."""

    ACTIVE = "active"
    PAUSED = "paused"
    PAUSED_BY_SYSTEM = "paused_by_system"  # does not heal by waiting: a balance, a data or an SMS limit
    INACTIVE = "inactive"
    RETIRED = "retired"
    PENDING = "pending"  # between two of the others
    UNKNOWN = "unknown"


class Device(msgspec.Struct, frozen=True, gc=False):
    """What is compared: a difference in any field but the id is an event.

    `id` is the vendor's own (JFrog `device_uuid` with `d-`); `version` is the agent's or firmware's. `sim` is None
    where the vendor knows no SIM.
    """

    id: str
    name: str = ""
    group: str = ""
    tags: tuple[str, ...] = ()
    model: str = ""
    version: str = ""
    address: str = ""
    sim: SimState | None = None


class Readings(msgspec.Struct, frozen=True, gc=False):
    """What goes from the page to the metrics: never compared, never an event. None: not told."""

    last_seen_at: datetime | None = None
    cpu_usage_ratio: float | None = None
    memory_usage_ratio: float | None = None
    disk_used_bytes: float | None = None
    disk_size_bytes: float | None = None
    updates_blocked: bool | None = None
    transferred_bytes: float | None = None
    messages: float | None = None


NO_READINGS = Readings()


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """One row of a page: the device, its status now, its readings."""

    device: Device
    status: DeviceStatus = DeviceStatus.UNKNOWN
    readings: Readings = NO_READINGS


class KnownDevice(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a device between sweeps and over restarts.

    `since_at` is when we first saw the present status. `last_seen_at` is when the vendor last heard of it: as told when
    that status was first seen, and while the device is not online as told since. `ever_online` is true once we saw it
    online or the vendor named a time it was last seen: a device never online opens no alert.
    """

    device: Device
    status: DeviceStatus
    since_at: datetime
    last_seen_at: datetime | None = None
    ever_online: bool = False
