"""Rows of the device list become sightings: the session tells the status, the cellular link the SIM.

Source: docs/vendors/hologram.md, "Sessions", "SIM states" and "Values".
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from fleetpulse.fleet.device import Device, DeviceStatus, Readings, Sighting
from fleetpulse.vendors.hologram.envelope import values
from fleetpulse.vendors.hologram.sims import sim_state
from fleetpulse.vendors.wire import Rows, identifier, made_of, number, parse_time, text, word

_FLAGS: Final[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}
_STILL_OPEN: Final = "0000-00-00"  # how a session's end begins that has not come
_NOT_KNOWN: Final = "unknown"  # the vendor's own word in model and manufacturer
_TAGS_MAX: Final = 100
_LINKS_MAX: Final = 100  # a device has one or two; a list without bound is no list of profiles
_BYTES_MAX: Final = 1e18  # an exabyte: beyond that it is no data used
_SLICE_ROWS: Final = 100  # about a millisecond's work

Session = Mapping[str, Any]
Link = Mapping[str, Any]


class DeviceRow(msgspec.Struct, gc=False):
    """The fields that are used, of any type: an odd value costs its field, not the device, let alone the page."""

    id: Any = None
    name: Any = None
    model: Any = None
    tags: Any = None
    links: Any = None
    lastsession: Any = msgspec.UNSET


async def sightings(rows: Rows[DeviceRow]) -> Rows[Sighting]:
    """The page's devices; rows without an id are counted as odd and skipped.

    Errors: AnswerInvalid where there are rows and none has an id.
    """
    return await made_of(rows, sighting, lacking="no id", size=_SLICE_ROWS)


def sighting(row: DeviceRow) -> Sighting | None:
    """One device; None without an id. Hologram has no groups, and knows no version of what runs on a device."""
    spelled = identifier(row.id)
    if not spelled:
        return None
    session, links = _session(row), _links(row)
    link = _link_of(session, links)
    model = text(row.model)
    return Sighting(
        Device(
            id=spelled,
            name=text(row.name),
            tags=_tags(row.tags),
            model="" if model.casefold() == _NOT_KNOWN else model,
            sim=None if link is None else sim_state(link.get("state")),
        ),
        _status(session),
        Readings(last_seen_at=_last_seen_at(session, links), transferred_bytes=_transferred_bytes(links)),
    )


def unclear(row: DeviceRow) -> bool:
    """Whether only the list of open sessions can tell if the device has one."""
    return row.lastsession is msgspec.UNSET or _status(_session(row)) is DeviceStatus.UNKNOWN


def open_session_ids(data: object) -> frozenset[str] | None:
    """The devices in a list of open sessions; None where it is no such list. An empty object may come as a list."""
    if data in ([], {}):
        return frozenset()
    listed = data.get("deviceids") if isinstance(data, dict) else None
    return frozenset(map(text, values(listed))) if isinstance(listed, (list, dict)) else None


def strange(rows: Sequence[DeviceRow], found: Sequence[Sighting]) -> list[object]:
    """What those sessions on a page say that tell neither an open one nor its end."""
    if not any(sighting.status is DeviceStatus.UNKNOWN for sighting in found):
        return []
    sessions = (session for row in rows if _status(session := _session(row)) is DeviceStatus.UNKNOWN)
    return [None if session is None else session.get("active") for session in sessions]


def _session(row: DeviceRow) -> Session | None:
    """The last session; empty where the device never had one, None where it should have been told and is not.

    A device that never connected has null, `{}`, `[]` or nothing there. Where the field is missing and a link did
    connect, the vendor has left out what decides, and offline would be a guess.
    """
    told = row.lastsession
    if told is msgspec.UNSET:
        return None if any(parse_time(link.get("last_connect_time")) for link in _links(row)) else {}
    if isinstance(told, dict):
        return told
    return {} if told is None or told == [] else None


def _status(session: Session | None) -> DeviceStatus:
    if session is None:
        return DeviceStatus.UNKNOWN
    if not session:
        return DeviceStatus.OFFLINE
    active, end = _flag(session.get("active")), session.get("session_end")
    if active or (isinstance(end, str) and end.startswith(_STILL_OPEN)):
        return DeviceStatus.ONLINE
    if active is False or parse_time(end) is not None:
        return DeviceStatus.OFFLINE
    return DeviceStatus.UNKNOWN


def _last_seen_at(session: Session | None, links: Sequence[Link]) -> datetime | None:
    """The latest sign of life that is told; of an open session that is its begin."""
    told = session or {}
    signs = [told.get("session_end"), told.get("session_begin"), *(link.get("last_connect_time") for link in links)]
    return max((at for sign in signs if (at := parse_time(sign)) is not None), default=None)


def _transferred_bytes(links: Sequence[Link]) -> float | None:
    """What all links used in the billing period that runs; None where none tells it."""
    used = [number(link.get("cur_billing_data_used")) for link in links]
    told = [each for each in used if each is not None and 0 <= each <= _BYTES_MAX]
    return sum(told) if told else None


def _links(row: DeviceRow) -> Sequence[Link]:
    cellular = row.links.get("cellular") if isinstance(row.links, dict) else None
    return [link for link in values(cellular)[:_LINKS_MAX] if isinstance(link, dict)]


def _link_of(session: Session | None, links: Sequence[Link]) -> Link | None:
    """Of several links the one that the last session used, else the first: that is the SIM in use."""
    first = links[0] if links else None
    used = text(session.get("linkid")) if session and len(links) > 1 else ""
    return next((link for link in links if text(link.get("id")) == used), first) if used else first


def _tags(tags: object) -> tuple[str, ...]:
    """Sorted, each once; a tag is `{id, name}`, or its bare name."""
    listed = values(tags)[:_TAGS_MAX]
    names = {text(tag.get("name") if isinstance(tag, dict) else tag) for tag in listed}
    return tuple(sorted(names - {""}))


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else _FLAGS.get(word(text(value)))
