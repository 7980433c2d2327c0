"""Rows of the device list become sightings, judged by their last heartbeat. This is the hot path."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from fleetpulse.fleet.device import Device, DeviceStatus, Readings, Sighting
from fleetpulse.vendors.wire import Rows, Table, parse_time, text, word
from fleetpulse.vendors.wire.rows import refuse_unreadable
from fleetpulse.vendors.wire.values import TEXT_LIMIT

_SLICE_ROWS = 250  # about a millisecond's work
_WORD_SHOWN = 40
_NO_WORD = "(none)"
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

    Made in slices, between which others have their turn: a page at once would hold back their messages.

    Errors: AnswerInvalid where no row at all can be read.
    """
    items: list[Sighting] = []
    odd, oddity = rows.odd, rows.oddity
    for first in range(0, len(rows.items), _SLICE_ROWS):
        await asyncio.sleep(0)
        for index, row in enumerate(rows.items[first : first + _SLICE_ROWS], first):
            spelled = _line(row.id)
            if spelled:
                items.append(_sighting(spelled, row, fresh))
            else:
                odd += 1
                oddity = oddity or f"row {index}: no id"
    refuse_unreadable(len(items), odd=odd, oddity=oddity)
    return Rows(items=items, beside=rows.beside, odd=odd, oddity=oddity)


def unknown_word(rows: Sequence[DeviceRow], found: Sequence[Sighting], *, redact: Callable[[str], str]) -> str:
    """The first status on a page that nobody documents, or that it is not told; empty where all are as documented."""
    if not any(sighting.status is _UNKNOWN for sighting in found):
        return ""
    for row in rows:
        spelled = _word(row.status)
        if spelled not in _STATUSES or not spelled:
            return text(redact(text(row.status)), _WORD_SHOWN) or _NO_WORD
    return ""


def _sighting(spelled: str, row: DeviceRow, fresh: Freshness) -> Sighting:
    seen_at = parse_time(row.last_seen_at)
    if seen_at is not None and seen_at > fresh.until:
        seen_at = None
    heartbeat = _NONE if seen_at is None else _FRESH if seen_at >= fresh.since else _OLD
    return Sighting(
        Device(
            spelled,
            _line(row.name),
            "",  # ScalePad has no groups
            (),  # and no tags
            _model(row.hardware),
            _line(row.agent_version),
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
    return f"{_line(hardware.get('manufacturer'))} {_line(hardware.get('model'))}".strip()[:TEXT_LIMIT]


def _line(value: object) -> str:
    """What `text` makes of it, without its cost where nothing is to be done."""
    if type(value) is str and value.isprintable() and len(value) <= TEXT_LIMIT:
        return value.strip()
    return text(value)
