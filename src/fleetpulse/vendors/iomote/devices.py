"""Rows of the device lists become devices. A device's key is among no row's fields, so it never leaves the body."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from fleetpulse.fleet.device import Device, DeviceStatus, Sighting
from fleetpulse.vendors.wire import Rows, Table, identifier, made_of, text, unknown_word, word
from fleetpulse.vendors.wire.rows import refuse_unreadable

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

    `names` are the groups by id, None where nobody knows them: then no device has a group.
    Errors: AnswerInvalid where no row has an id.
    """
    other_ids: dict[str, str] = {}
    strange: list[object] = []

    def read(row: StatedRow) -> Sighting | None:
        sighting = stated(row, names=names)
        if sighting is not None:
            if other := identifier(row.device.id):
                other_ids[sighting.device.id] = other
            if sighting.status is DeviceStatus.UNKNOWN:
                strange.append(row.status)
        return sighting

    made = await made_of(rows, read, lacking="no device_id")
    return Listed(made, unknown_word(strange, redact=redact), other_ids)


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
    spelled = identifier(row.device_id)
    if not spelled:
        return None
    group = "" if names is None else identifier(row.group_id)
    return Device(
        id=spelled,
        name=text(row.name),
        group=names.get(group, group) if names else group,
        model=text(row.type),
        version=text(row.fwversion),
    )


def _status(value: object) -> DeviceStatus:
    """Connected or not, in any of the words and values it may have."""
    if value == "Connected":
        return DeviceStatus.ONLINE
    spelled = str(value) if type(value) is bool else text(value)
    return _STATUSES.get(word(spelled), DeviceStatus.UNKNOWN)
