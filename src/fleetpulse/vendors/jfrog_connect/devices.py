"""Rows of the device list become sightings. This is the hot path: a page is a thousand rows."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from fleetpulse.fleet.device import Device, DeviceStatus, Readings, Sighting
from fleetpulse.vendors.wire import Rows, Table, identifier, made_of, number, parse_time, text, word

_ONLINE, _OFFLINE = DeviceStatus.ONLINE, DeviceStatus.OFFLINE
_STATUSES = {"online": _ONLINE, "offline": _OFFLINE}
_BYTES_PER_MB = 1e6  # the unit is MB by analogy with v1; nobody says whether of 1000 or 1024
_DISK_MAX_MB = 1e12  # an exabyte: beyond that it is no disk, and arithmetic with it may overflow
_TAGS_MAX = 100  # the vendor itself lists no more
_ID_PREFIX = "d-"


class DeviceRow(msgspec.Struct, gc=False):
    """The fields that are used, of any type: an odd value costs its field, not the device, let alone the page."""

    device_uuid: Any = None
    device_name: Any = None
    group_name: Any = None
    agent_version: Any = None
    device_ip: Any = None
    device_status: Any = None
    last_keepalive: Any = None
    cpu_usage: Any = None
    ram_usage: Any = None
    current_disk_usage: Any = None
    disk_size: Any = None
    is_update_trigger_set: Any = None
    tags: Any = None


def device_table() -> Table[DeviceRow]:
    """Q8: the documented example is one bare device; lists under these names, or bare, are what may really come."""
    return Table(DeviceRow, keys=("devices", "data", "items"), lone="device_uuid")


def device_id(value: object) -> str:
    """The one spelling of a device's id: Q13, some maps leave the leading `d-` away."""
    spelled = identifier(value)
    return spelled if not spelled or spelled.startswith(_ID_PREFIX) else _ID_PREFIX + spelled


async def sightings(rows: Rows[DeviceRow]) -> Rows[Sighting]:
    """The page's devices; rows without an id are counted as odd and skipped.

    Errors: AnswerInvalid where no row has one.
    """
    return await made_of(rows, partial(_sighting, tag_sets={}), lacking="no device_uuid")


def strange(rows: Sequence[DeviceRow], found: Sequence[Sighting]) -> list[object]:
    """The statuses on a page that are none of the vendor's known words."""
    if not any(sighting.status is DeviceStatus.UNKNOWN for sighting in found):
        return []
    return [row.device_status for row in rows if _status(row.device_status) is DeviceStatus.UNKNOWN]


def _sighting(row: DeviceRow, *, tag_sets: dict[tuple[Any, ...], tuple[str, ...]]) -> Sighting | None:
    """One device; None without an id. Some three microseconds: what is as documented is taken inline."""
    spelled = device_id(row.device_uuid)
    if not spelled:
        return None
    status, cpu, ram = row.device_status, row.cpu_usage, row.ram_usage
    used, size, blocked = row.current_disk_usage, row.disk_size, row.is_update_trigger_set
    if type(used) is int and type(size) is int and 0 <= used <= size and 0 < size < _DISK_MAX_MB:
        used_bytes: float | None = used * _BYTES_PER_MB
        size_bytes: float | None = size * _BYTES_PER_MB
    else:
        used_bytes, size_bytes = _disk(used, size)
    return Sighting(
        Device(
            spelled,
            text(row.device_name),
            text(row.group_name),
            _tags(row.tags, tag_sets) if row.tags else (),
            "",  # JFrog knows no model
            text(row.agent_version),
            text(row.device_ip),
        ),
        _ONLINE if status == "online" else _OFFLINE if status == "offline" else _status(status),
        Readings(
            parse_time(row.last_keepalive),
            cpu / 100 if type(cpu) is float and 0 <= cpu <= 100 else _ratio(cpu),  # noqa: PLR2004 - per cent
            ram / 100 if type(ram) is float and 0 <= ram <= 100 else _ratio(ram),  # noqa: PLR2004 - per cent
            used_bytes,
            size_bytes,
            blocked if type(blocked) is bool else None,
        ),
    )


def tag_names(tags: object) -> tuple[str, ...]:
    """Q9: a list of names, or an object that holds one under `names` or `tags`, or nothing; sorted, each once."""
    if isinstance(tags, dict):
        tags = tags.get("names") or tags.get("tags")
    if not isinstance(tags, list) or not tags:
        return ()
    names = {text(name) for name in tags[:_TAGS_MAX]}
    names.discard("")
    return tuple(sorted(names))


def group_names(found: Sequence[Sighting]) -> list[str]:
    """The groups that appear, sorted."""
    return sorted({sighting.device.group for sighting in found} - {""})


def _tags(tags: object, known: dict[tuple[Any, ...], tuple[str, ...]]) -> tuple[str, ...]:
    """`tag_names`, made once for all devices of a page that have the same tags."""
    listed = tags.get("names") if type(tags) is dict else tags
    if type(listed) is not list:
        return tag_names(tags)
    key = tuple(listed)
    try:
        names = known.get(key)
    except TypeError:  # something unhashable among the names
        return tag_names(listed)
    if names is None:
        names = known[key] = tag_names(listed)
    return names


def _status(value: object) -> DeviceStatus:
    return _STATUSES.get(word(value), DeviceStatus.UNKNOWN)


def _ratio(percent: object) -> float | None:
    """0..100 become 0..1; a fresh device has null, and what is out of range is no reading."""
    if type(percent) is not int and type(percent) is not float:
        percent = number(percent)
        if percent is None:
            return None
    return percent / 100 if 0 <= percent <= 100 else None  # noqa: PLR2004 - per cent


def _disk(used: object, size: object) -> tuple[float | None, float | None]:
    """Used and whole size in bytes; a fresh device reports 0 of 0, which is no reading."""
    if used is None and size is None:
        return None, None
    used_mb, size_mb = _megabytes(used), _megabytes(size)
    if not size_mb:
        size_mb = None
        used_mb = used_mb or None
    return (
        None if used_mb is None else used_mb * _BYTES_PER_MB,
        None if size_mb is None else size_mb * _BYTES_PER_MB,
    )


def _megabytes(value: object) -> float | None:
    found = number(value)
    return found if found is not None and 0 <= found < _DISK_MAX_MB else None
