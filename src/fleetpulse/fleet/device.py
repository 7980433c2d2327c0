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


class Device(msgspec.Struct, frozen=True, gc=False):
    """What is compared: a difference in any field but the id is a `changed` event.

    `id` is the vendor's own (JFrog `device_uuid` with `d-`); `version` is the agent's or firmware's.
    """

    id: str
    name: str = ""
    group: str = ""
    tags: tuple[str, ...] = ()
    model: str = ""
    version: str = ""
    address: str = ""


class Readings(msgspec.Struct, frozen=True, gc=False):
    """What goes from the page to the metrics: never compared, never an event. None: not told."""

    last_seen_at: datetime | None = None
    cpu_usage_ratio: float | None = None
    memory_usage_ratio: float | None = None
    disk_used_bytes: float | None = None
    disk_size_bytes: float | None = None
    updates_blocked: bool | None = None


NO_READINGS = Readings()


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """One row of a page: the device, its status now, its readings."""

    device: Device
    status: DeviceStatus = DeviceStatus.UNKNOWN
    readings: Readings = NO_READINGS


class KnownDevice(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a device between sweeps and over restarts.

    `since_at` is when we first saw the present status, `last_seen_at` what the vendor said of it then. `ever_online`
    is true once we saw it online or the vendor named a time it was last seen: a device never online opens no alert.
    """

    device: Device
    status: DeviceStatus
    since_at: datetime
    last_seen_at: datetime | None = None
    ever_online: bool = False
