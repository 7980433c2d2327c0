"""Rows of both device lists become sightings: states tell who is there and how, details what they are like."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from fleetpulse.fleet.deployment import Rollout, RolloutStatus
from fleetpulse.fleet.device import Device, DeviceStatus, Readings, Sighting
from fleetpulse.vendors.jfrog_connect_v1.identity import Identities, Ids, ids_of
from fleetpulse.vendors.jfrog_connect_v1.updates import rollouts, strange_words
from fleetpulse.vendors.wire import Rows, Table, in_slices, number, parse_time, text, unknown_word, word
from fleetpulse.vendors.wire.rows import refuse_unreadable

_STATUSES = {"online": DeviceStatus.ONLINE, "offline": DeviceStatus.OFFLINE}
_BYTES_PER_MB = 1e6  # megabytes, says the vendor; not whether of 1000 or 1024
_DISK_MAX_MB = 1e12  # an exabyte: beyond that it is no disk, and arithmetic with it may overflow
_TAGS_MAX = 100
_DETAILS_AT_ONCE = 10  # rows whose updates are read without a turn for others: up to a millisecond each


class StateRow(msgspec.Struct):
    """The fields of `get_devices_state` that are used, of any type: an odd value costs its field, not the device."""

    device_uuid: Any = None
    device_id: Any = None
    device_name: Any = None
    device_status: Any = None


class DetailRow(msgspec.Struct):
    """The fields of `devices_details` that are used, of any type. There is no status among them."""

    device_uuid: Any = None
    device_id: Any = None
    device_name: Any = None
    group: Any = None
    upswift_version: Any = None  # the agent's, from when the product was called so
    device_ip: Any = None
    last_keepalive: Any = None
    cpu_usage: Any = None
    ram_usage: Any = None
    disk_usage: Any = None
    is_update_trigger_set: Any = None
    tags: Any = None
    updates: Any = None
    updates_v2: Any = None
    apps: Any = None


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One page of either list. `last` holds the ids of the last row that has any: the next page's offset is one."""

    sightings: list[Sighting]
    last: Ids
    odd: int
    oddity: str
    unknown_word: str = ""
    rollouts: tuple[Rollout, ...] = ()


def state_table() -> Table[StateRow]:
    """Q1: `message` is one object in the example, a list in the sample; whichever id it has (Q2), it has a status."""
    return Table(StateRow, keys=("message",), lone="device_status", beside=("more",))


def detail_table() -> Table[DetailRow]:
    """A list by all accounts; one bare object is taken as well, as its sister endpoint has it."""
    return Table(DetailRow, keys=("message",), lone="device_id", beside=("more",))


def states(rows: Rows[StateRow], *, identities: Identities, redact: Callable[[str], str]) -> Listed:
    """The devices of a page of `get_devices_state`, with their status; their names count for new devices alone.

    Errors: AnswerInvalid where no row can be read.
    """
    named = _Named(rows, identities)
    devices = named.devices()
    items = [Sighting(Device(device, text(row.device_name)), status_of(row.device_status)) for row, device in devices]
    strange = [row.device_status for row, _ in devices if status_of(row.device_status) is DeviceStatus.UNKNOWN]
    return named.listed(items, unknown_word=unknown_word(strange, redact=redact))


async def details(
    rows: Rows[DetailRow], *, identities: Identities, redact: Callable[[str], str], now: datetime
) -> Listed:
    """The devices of a page of `devices_details`, their readings, and the deployments they tell of.

    Errors: AnswerInvalid where no row can be read.
    """
    items: list[Sighting] = []
    told: list[Rollout] = []
    strange: list[object] = []
    named = _Named(rows, identities)
    async for _, part in in_slices(named.devices(), size=_DETAILS_AT_ONCE):
        for row, device in part:
            items.append(_detailed(device, row))
            found = [
                *rollouts(device, updates=row.updates, updates_v2=row.updates_v2, apps=row.apps, redact=redact, now=now)
            ]
            if any(rollout.status is RolloutStatus.UNKNOWN for rollout in found):
                strange += strange_words(row.updates, row.updates_v2)
            told += found
    return named.listed(items, unknown_word=unknown_word(strange, redact=redact), rollouts=tuple(told))


def status_of(value: object) -> DeviceStatus:
    """`online` and `offline`, however they are written; anything else is unknown."""
    return _STATUSES.get(word(value), DeviceStatus.UNKNOWN)


class _Named:
    """A page's rows with the ids of their devices; rows of which nobody knows the device are odd and skipped."""

    def __init__(self, rows: Rows[Any], identities: Identities) -> None:
        self._rows = rows
        self._identities = identities
        self._odd = rows.odd
        self._oddity = rows.oddity
        self._last = Ids()

    def devices(self) -> Sequence[tuple[Any, str]]:
        named: list[tuple[Any, str]] = []
        for index, row in enumerate(self._rows.items):
            ids = ids_of(row.device_uuid, row.device_id)
            device = self._identities.device(ids)
            if ids != Ids():
                self._last = ids
            if device:
                named.append((row, device))
            else:
                self._odd += 1
                why = (
                    "no device_uuid" if ids.number is None else "a device_id that no page of details has explained yet"
                )
                self._oddity = self._oddity or f"row {index}: {why}"
        refuse_unreadable(len(named), odd=self._odd, oddity=self._oddity)
        return named

    def listed(
        self, sightings: list[Sighting], *, unknown_word: str = "", rollouts: tuple[Rollout, ...] = ()
    ) -> Listed:
        return Listed(
            sightings=sightings,
            last=self._last,
            odd=self._odd,
            oddity=self._oddity,
            unknown_word=unknown_word,
            rollouts=rollouts,
        )


def _detailed(device: str, row: DetailRow) -> Sighting:
    return Sighting(
        Device(
            device,
            name=text(row.device_name),
            group=text(row.group),
            tags=_tags(row.tags),
            version=text(row.upswift_version),
            address=text(row.device_ip),
        ),
        readings=Readings(
            last_seen_at=parse_time(row.last_keepalive),
            cpu_usage_ratio=_ratio(row.cpu_usage),
            memory_usage_ratio=_ratio(row.ram_usage),
            disk_used_bytes=_disk_bytes(row.disk_usage),
            updates_blocked=row.is_update_trigger_set if type(row.is_update_trigger_set) is bool else None,
        ),
    )


def _tags(tags: object) -> tuple[str, ...]:
    if not isinstance(tags, list):
        return ()
    return tuple(sorted({text(name) for name in tags[:_TAGS_MAX]} - {""}))


def _ratio(percent: object) -> float | None:
    found = number(percent)
    return found / 100 if found is not None and 0 <= found <= 100 else None  # noqa: PLR2004 - per cent


def _disk_bytes(megabytes: object) -> float | None:
    found = number(megabytes)
    return found * _BYTES_PER_MB if found is not None and 0 <= found < _DISK_MAX_MB else None
