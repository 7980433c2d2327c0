"""Which device a row is about: each has a number and a uuid, and the vendor shows now the one, now the other (Q2)."""

from collections.abc import Mapping

import msgspec

from fleetpulse.fleet.known import MOST_DEVICES
from fleetpulse.vendors.wire import identifier

_PREFIX = "d-"
_NUMBER_DIGITS = 18  # more is no id, and not every JSON reader could read it back


class Ids(msgspec.Struct, frozen=True):
    """The ids of one row as the vendor spells them; a value under the other one's name is taken for what it is."""

    uuid: str = ""
    number: int | None = None


class Identities:
    """The uuid of each number, learned from rows that hold both. Not kept over restarts: details tell it again."""

    def __init__(self) -> None:
        self._uuids: dict[int, str] = {}

    def device(self, ids: Ids) -> str:
        """The one stable id of a device, `d-...`; empty where the row has only a number that nobody has explained."""
        if not ids.uuid:
            return "" if ids.number is None else self._uuids.get(ids.number, "")
        device = with_prefix(ids.uuid)
        if ids.number is not None and (ids.number in self._uuids or len(self._uuids) < MOST_DEVICES):
            self._uuids[ids.number] = device
        return device


def ids_of(device_uuid: object, device_id: object) -> Ids:
    """The ids in a row's two fields, either of which may hold either, or nothing."""
    values = [value if type(value) is int else identifier(value) for value in (device_uuid, device_id)]
    return Ids(
        uuid=next((value for value in values if isinstance(value, str) and value and not _digits(value)), ""),
        number=next((number for value in reversed(values) if (number := _number(value)) is not None), None),
    )


def ids_in(found: Mapping[str, object]) -> Ids:
    """The ids in a decoded object."""
    return ids_of(found.get("device_uuid"), found.get("device_id"))


def with_prefix(uuid: str) -> str:
    """A uuid as devices are known by."""
    return uuid if uuid.startswith(_PREFIX) else _PREFIX + uuid


def _number(value: int | str) -> int | None:
    if isinstance(value, str):
        return int(value) if _digits(value) and len(value) <= _NUMBER_DIGITS else None
    return value if 0 <= value < 10**_NUMBER_DIGITS else None


def _digits(value: str) -> bool:
    return value.isascii() and value.isdigit()
