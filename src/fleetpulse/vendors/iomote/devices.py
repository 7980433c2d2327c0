"""Rows of the device lists become devices. A device's key is among no row's fields, so it never leaves the body."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from fleetpulse.fleet.device import Device, DeviceStatus, Sighting
from fleetpulse.vendors.wire import Rows, Table, text, word
from fleetpulse.vendors.wire.rows import refuse_unreadable
from fleetpulse.vendors.wire.values import TEXT_LIMIT

_STATUSES: Final[Mapping[str, DeviceStatus]] = {
    "connected": DeviceStatus.ONLINE,
    "online": DeviceStatus.ONLINE,
    "1": DeviceStatus.ONLINE,
    "true": DeviceStatus.ONLINE,
    "disconnected": DeviceStatus.OFFLINE,
    "offline": DeviceStatus.OFFLINE,
    "0": DeviceStatus.OFFLINE,
    "false": DeviceStatus.OFFLINE,
}
_WORD_SHOWN: Final = 40
_SLICE_ROWS: Final = 250  # some two milliseconds' work


class DeviceRow(msgspec.Struct, gc=False):
    """The fields that are used, of any type: an odd value costs its field, not the device."""

    id: Any = None
    device_id: Any = None
    group_id: Any = None
    name: Any = None
    type: Any = None
    fwversion: Any = None


class StatedRow(msgspec.Struct, gc=False):
    """A device with its connection status, as the list of all devices has it."""

    device: DeviceRow
    status: Any = None


class Listed(msgspec.Struct, frozen=True):
    """What the list of all devices says. `other_ids` maps a device's `device_id` to its `id`."""

    rows: Rows[Sighting]
    unknown_word: str
    other_ids: Mapping[str, str]


def stated_table() -> Table[StatedRow]:
    """A bare list is documented, for one device as well; one bare object will do."""
    return Table(StatedRow, keys=("devices", "data", "items"), lone="device")


def plain_table() -> Table[DeviceRow]:
    """The devices of a group, which come without a status."""
    return Table(DeviceRow, keys=("devices", "data", "items"), lone="device_id")


async def listed(rows: Rows[StatedRow], *, names: Mapping[str, str] | None, redact: Callable[[str], str]) -> Listed:
    """The list's devices; rows without `device_id` are counted as odd and skipped.

    `names` are the groups by id, None where nobody knows them: then no device has a group. Made in slices, between
    which others have their turn, for the whole account comes in one answer.
    Errors: AnswerInvalid where no row has an id.
    """
    items: list[Sighting] = []
    other_ids: dict[str, str] = {}
    odd, oddity, wordless, strange = rows.odd, rows.oddity, False, ""
    for first in range(0, len(rows.items), _SLICE_ROWS):
        await asyncio.sleep(0)
        for index, row in enumerate(rows.items[first : first + _SLICE_ROWS], first):
            sighting = stated(row, names=names)
            if sighting is None:
                odd += 1
                oddity = oddity or f"row {index}: no device_id"
                continue
            items.append(sighting)
            if other := _line(row.device.id):
                other_ids[sighting.device.id] = other
            if sighting.status is DeviceStatus.UNKNOWN and not strange:
                strange = text(redact(text(row.status)), _WORD_SHOWN)
                wordless = wordless or not strange
    refuse_unreadable(len(items), odd=odd, oddity=oddity)
    return Listed(Rows(items=items, odd=odd, oddity=oddity), strange or ("(none)" if wordless else ""), other_ids)


def stated(row: StatedRow, *, names: Mapping[str, str] | None) -> Sighting | None:
    """One device with its status; None without an id."""
    device = _device(row.device, names=names)
    return None if device is None else Sighting(device, _status(row.status))


def plain_devices(rows: Rows[DeviceRow], *, names: Mapping[str, str] | None) -> Sequence[Device]:
    """The devices of a list without statuses; rows without `device_id` are skipped.

    Errors: AnswerInvalid where no row has an id.
    """
    found = [device for row in rows.items if (device := _device(row, names=names)) is not None]
    odd = rows.odd + len(rows.items) - len(found)
    refuse_unreadable(len(found), odd=odd, oddity=rows.oddity or "no device_id")
    return found


def connection_state(found: Any) -> DeviceStatus | None:
    """The status of one device asked for by itself, which has another name there; None where the answer has none."""
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, dict):
        return None
    return next((_status(found[name]) for name in ("connectionState", "status") if name in found), None)


def _device(row: DeviceRow, *, names: Mapping[str, str] | None) -> Device | None:
    """One device; None without an id. A group that has no name is called by its id."""
    spelled = _line(row.device_id)
    if not spelled:
        return None
    group = "" if names is None else _line(row.group_id)
    return Device(
        id=spelled,
        name=_line(row.name),
        group=names.get(group, group) if names else group,
        model=_line(row.type),
        version=_line(row.fwversion),
    )


def _line(value: object) -> str:
    """`text`, quicker for what is as documented: the whole account comes at once."""
    if type(value) is str and value.isprintable() and len(value) <= TEXT_LIMIT:
        return value.strip()
    return text(value)


def _status(value: object) -> DeviceStatus:
    """Connected or not, in any of the words and values it may have."""
    if value == "Connected":
        return DeviceStatus.ONLINE
    spelled = str(value) if type(value) is bool else text(value)
    return _STATUSES.get(word(spelled), DeviceStatus.UNKNOWN)
