"""The families of which every device has its series, and how a segment of devices is rendered."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from fleetpulse.fleet.device import NO_READINGS, DeviceStatus, KnownDevice, Readings
from fleetpulse.fleet.segments import Segment
from fleetpulse.metrics.exposition import Family, escape, escape_all

_UP: Final[Mapping[DeviceStatus, str]] = {DeviceStatus.ONLINE: "1", DeviceStatus.OFFLINE: "0"}
_MISSING: Final = DeviceStatus.MISSING  # looked up a million times


class DeviceFamily(Family, frozen=True, kw_only=True):
    """A family with a sample for each device that has a value.

    `value` gives the sample's value as text, or None to withhold it. `more` gives labels beyond source and device.
    `aspect` is its name in `[metrics] per_device`. `of_readings`: new readings alone change it. `fresh_only`: it is
    withheld while its source is stale.
    """

    aspect: str
    value: Callable[[KnownDevice, Readings], str | None]
    more: Callable[[KnownDevice], str] | None = None
    of_readings: bool = False
    fresh_only: bool = False


class Piece(msgspec.Struct, frozen=True):
    """One family's samples of one part of a source, as bytes, and how many they are."""

    text: bytes = b""
    samples: int = 0


def device_piece(
    family: DeviceFamily, segment: Segment, readings: Mapping[str, Readings], *, source: str, vendor: str
) -> Piece:
    """Render one family for one segment."""
    lines = []
    begin = f'{family.name}{{source="{escape(source)}"'
    if family.more is not None:
        begin += f',vendor="{escape(vendor)}"'
    begin += ',device="'
    value_of, more, told = family.value, family.more, readings.get
    for (device, known), spelled in zip(segment.items(), escape_all(segment), strict=True):
        value = value_of(known, told(device, NO_READINGS))
        if value is not None:
            rest = "" if more is None else more(known)
            lines.append(f'{begin}{spelled}"{rest}}} {value}\n')
    return Piece("".join(lines).encode(), len(lines))


def count_samples(family: DeviceFamily, segment: Segment, readings: Mapping[str, Readings]) -> int:
    """How many samples `device_piece` would hold, for a family that is not shown."""
    told, value_of = readings.get, family.value
    return sum(value_of(known, told(device, NO_READINGS)) is not None for device, known in segment.items())


def families(per_device: Iterable[str]) -> list[DeviceFamily]:
    """The families of these aspects, in their order.

    Errors: ValueError when an aspect has no family.
    """
    wanted = tuple(dict.fromkeys(per_device))
    for aspect in wanted:
        if aspect not in ASPECTS:
            raise ValueError(f"{aspect!r} is nothing that devices are measured by: choose from {', '.join(ASPECTS)}")
    return [family for aspect in wanted for family in _FAMILIES if family.aspect == aspect]


def _up(known: KnownDevice, _: Readings) -> str | None:
    return _UP.get(known.status)


def _info(_: KnownDevice, __: Readings) -> str:
    return "1"


def _info_labels(known: KnownDevice) -> str:
    device = known.device
    tags = f",{','.join(device.tags)}," if device.tags else ""
    return (
        f',name="{escape(device.name)}",group="{escape(device.group)}",model="{escape(device.model)}"'
        f',version="{escape(device.version)}",tags="{escape(tags)}"'
    )


def _last_seen(known: KnownDevice, readings: Readings) -> str | None:
    at = readings.last_seen_at
    if at is None and known.status is not DeviceStatus.ONLINE:
        at = known.last_seen_at  # kept over restarts; of an online device it would be old and look like silence
    return None if at is None else str(at.timestamp())


def _cpu(known: KnownDevice, readings: Readings) -> str | None:
    return _measured(known, readings.cpu_usage_ratio)


def _memory(known: KnownDevice, readings: Readings) -> str | None:
    return _measured(known, readings.memory_usage_ratio)


def _disk_used(known: KnownDevice, readings: Readings) -> str | None:
    return _measured(known, readings.disk_used_bytes)


def _disk_size(known: KnownDevice, readings: Readings) -> str | None:
    return _measured(known, readings.disk_size_bytes)


def _transferred(known: KnownDevice, readings: Readings) -> str | None:
    return _measured(known, readings.transferred_bytes)


def _messages(known: KnownDevice, readings: Readings) -> str | None:
    return _measured(known, readings.messages)


def _updates_blocked(known: KnownDevice, readings: Readings) -> str | None:
    blocked = readings.updates_blocked
    return None if blocked is None or known.status is _MISSING else str(int(blocked))


def _measured(known: KnownDevice, reading: float | None) -> str | None:
    """Nobody measures a device that is gone: its last reading would be a ghost."""
    return None if reading is None or known.status is _MISSING else str(reading)


_FAMILIES: Final = (
    DeviceFamily(
        "fleet_device_up",
        "Whether the vendor reports the device as online (1) or offline (0); withheld while nobody knows.",
        aspect="up",
        value=_up,
        fresh_only=True,
    ),
    DeviceFamily(
        "fleet_device_info",
        "What the device is called and runs; always 1.",
        aspect="info",
        value=_info,
        more=_info_labels,
    ),
    DeviceFamily(
        "fleet_device_last_seen_timestamp_seconds",
        "When the vendor last heard of the device.",
        aspect="last_seen",
        value=_last_seen,
        of_readings=True,
    ),
    DeviceFamily(
        "fleet_device_cpu_usage_ratio",
        "Share of the processor in use, 0 to 1, as the device last told.",
        aspect="cpu",
        value=_cpu,
        of_readings=True,
    ),
    DeviceFamily(
        "fleet_device_memory_usage_ratio",
        "Share of the memory in use, 0 to 1, as the device last told.",
        aspect="memory",
        value=_memory,
        of_readings=True,
    ),
    DeviceFamily(
        "fleet_device_disk_used_bytes",
        "Disk space in use, as the device last told.",
        aspect="disk",
        value=_disk_used,
        of_readings=True,
    ),
    DeviceFamily(
        "fleet_device_disk_size_bytes",
        "Size of the disk, as the device last told.",
        aspect="disk",
        value=_disk_size,
        of_readings=True,
    ),
    DeviceFamily(
        "fleet_device_updates_blocked",
        "Whether software updates of the device are blocked (1) or not (0).",
        aspect="updates_blocked",
        value=_updates_blocked,
        of_readings=True,
    ),
    DeviceFamily(
        "fleet_device_transferred_bytes",
        "Bytes sent and received, as the vendor last counted; it says itself when it begins anew.",
        aspect="traffic",
        value=_transferred,
        of_readings=True,
    ),
    DeviceFamily(
        "fleet_device_messages",
        "Messages sent and received, as the vendor last counted; it says itself when it begins anew.",
        aspect="traffic",
        value=_messages,
        of_readings=True,
    ),
)

ASPECTS: Final = tuple(dict.fromkeys(family.aspect for family in _FAMILIES))
"""What `[metrics] per_device` may name, the most wanted first."""
