"""Rows of the device list become sightings, judged by their last heartbeat. This is the hot path."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from fleetpulse.fleet.device import Device, DeviceStatus, Readings, Sighting
from fleetpulse.vendors.wire import Rows, Table, identifier, made_of, parse_time, text, word
from fleetpulse.vendors.wire.values import TEXT_LIMIT

# what two synchronised clocks never differ by; a heartbeat from further ahead would keep a dead device fresh until then
_AHEAD_MAX = timedelta(minutes=15)

_ONLINE, _OFFLINE, _UNKNOWN = DeviceStatus.ONLINE, DeviceStatus.OFFLINE, DeviceStatus.UNKNOWN
# By the vendor's word ("" is none at all): what a fresh, an old and no heartbeat mean beside it. To be online takes
# both, to be offline either is enough. Who was never enrolled is neither.
_STATUSES: Mapping[str, tuple[DeviceStatus, DeviceStatus, DeviceStatus]] = {
    "active": (_ONLINE, _OFFLINE, _UNKNOWN),
    "inactive": (_OFFLINE, _OFFLINE, _OFFLINE),
    "pending": (_UNKNOWN, _UNKNOWN, _UNKNOWN),
    "": (_UNKNOWN, _OFFLINE, _UNKNOWN),
}
_STRANGE = (_UNKNOWN, _UNKNOWN, _UNKNOWN)
_FRESH, _OLD, _NONE = range(3)


class Freshness(msgspec.Struct, frozen=True):
    """Which heartbeats are fresh at a moment: from `since` on, and up to `until`, for clocks differ a little."""

    since: datetime
    until: datetime

    @classmethod
    def at(cls, now: datetime, *, offline_after: timedelta) -> "Freshness":
        """What is fresh now."""
        return cls(now - offline_after, now + _AHEAD_MAX)

    def reached(self, found: Sequence[Sighting]) -> bool:
        """Whether any of these was heard of lately; who was never heard of was not."""
        return any((seen_at := each.readings.last_seen_at) is not None and seen_at >= self.since for each in found)


class DeviceRow(msgspec.Struct, gc=False):
    """The fields that are used, of any type: an odd value costs its field, not the device, let alone the page."""

    id: Any = None
    name: Any = None
    status: Any = None
    last_seen_at: Any = None
    agent_version: Any = None
    hardware: Any = None


def device_table() -> Table[DeviceRow]:
    """The list's envelope; one device alone comes bare."""
    return Table(DeviceRow, keys=("data",), lone="id", beside=("total_count", "next_cursor"))


async def sightings(rows: Rows[DeviceRow], *, fresh: Freshness) -> Rows[Sighting]:
    """The page's devices; rows without an id are counted as odd and skipped.

    Errors: AnswerInvalid where no row at all can be read.
    """
    return await made_of(rows, partial(_sighting, fresh=fresh), lacking="no id")


def strange(rows: Sequence[DeviceRow], found: Sequence[Sighting]) -> list[object]:
    """The statuses on a page that nobody documents, those that are not told included."""
    if not any(sighting.status is _UNKNOWN for sighting in found):
        return []
    return [row.status for row in rows if (spelled := _word(row.status)) not in _STATUSES or not spelled]


def _sighting(row: DeviceRow, *, fresh: Freshness) -> Sighting | None:
    spelled = identifier(row.id)
    if not spelled:
        return None
    seen_at = parse_time(row.last_seen_at)
    if seen_at is not None and seen_at > fresh.until:
        seen_at = None
    heartbeat = _NONE if seen_at is None else _FRESH if seen_at >= fresh.since else _OLD
    return Sighting(
        Device(
            spelled,
            text(row.name),
            "",  # ScalePad has no groups
            (),  # and no tags
            _model(row.hardware),
            text(row.agent_version),
        ),
        _STATUSES.get(_word(row.status), _STRANGE)[heartbeat],
        Readings(seen_at),
    )


def _word(status: object) -> str:
    """The status in its normal form; "" where there is none, and something that is no word where it is no text."""
    if type(status) is str and status in _STATUSES and status:
        return status
    return "" if status is None else word(text(status)) or "?"


def _model(hardware: object) -> str:
    """Who made it and what it is called, as much of it as there is; nothing before the first heartbeat."""
    if type(hardware) is not dict:
        return ""
    return f"{text(hardware.get('manufacturer'))} {text(hardware.get('model'))}".strip()[:TEXT_LIMIT]
