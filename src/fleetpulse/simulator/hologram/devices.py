"""The simulated SIM fleet: devices in order of creation, and their rows as JSON.

A row is encoded once and kept until its device changes, or the forms that rows take, so that a page costs one join.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from fleetpulse.simulator import fleets
from fleetpulse.simulator.fleet import Fleet
from fleetpulse.simulator.hologram import times
from fleetpulse.simulator.oddity import EVEN, Oddity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

FIRST_DEVICE: Final = 5_100_001
FIRST_LINK: Final = 700_001
HOUR_S: Final = 3600.0
# The states that a new fleet is in, in turn, each with its session; the first devices of a small one are all online.
MIX: Final = (
    *[("LIVE", "open")] * 6, ("LIVE", "ended"), ("LIVE", "open"), ("PAUSED-USER", "ended"), ("LIVE", "open"),
    ("LIVE", "open"), ("INACTIVE", "never"), ("LIVE", "open"), ("PAUSED-SYS", "ended"), ("LIVE", "open"),
    ("LIVE", "ended"), ("PAUSED-PENDING-USER", "open"), ("LIVE", "open"), ("DEAD", "ended"), ("PAUSED-USER", "open"),
)  # fmt: skip


class Forms(NamedTuple):
    """How rows are worded: the account's switches of the same names."""

    ids: str
    numbers: str
    tags_form: str
    open_session: str
    no_session: str
    sessions: str


@dataclass(slots=True)
class Device:
    """One device with one SIM; times in seconds since the epoch, a session without an end is open.

    `oddity` spoils its row.
    """

    number: int
    name: str
    tags: tuple[str, ...]
    created_at: float
    sim: str
    used_bytes: int
    began_at: float | None = None
    ended_at: float | None = None
    oddity: Oddity = EVEN
    kept: bytes | None = None
    kept_forms: Forms | None = None

    @property
    def serial(self) -> int:
        """Count from 1 in order of creation."""
        return self.number - FIRST_DEVICE + 1

    @property
    def uuid(self) -> str:
        """Its number as stories have it."""
        return str(self.number)

    @property
    def status(self) -> str:
        """Whether the device has an open session: "online" or "offline"."""
        return "online" if self.began_at is not None and self.ended_at is None else "offline"


class Devices(Fleet[Device]):
    """The fleet of one organisation."""

    def __init__(self, org_id: int, rng: Random) -> None:
        """Start without devices; `rng` invents them."""
        super().__init__(rng)
        self._org_id = org_id
        self._open: dict[int, None] = {}
        self._open_encoded: dict[str, bytes] = {}

    def invent(self, *, now_s: float) -> Device:
        """Add a device; its state and session are the next ones of the mix."""
        self._serial += 1
        serial = self._serial
        like = fleets.thing(self._rng, serial)
        sim, session = MIX[(serial - 1) % len(MIX)]
        created_at = now_s - 24 * HOUR_S * (1 + serial % 300)
        device = Device(FIRST_DEVICE + serial - 1, like.name, like.tags, created_at, sim, like.disk_used * 1000)
        if session != "never":
            device.began_at = now_s - HOUR_S * (2 + serial % 20)
        if session == "ended":
            device.ended_at = now_s - HOUR_S
        self._add(device)
        self._note_session(device)
        return device

    def remove(self, uuids: Iterable[int | str]) -> Sequence[Device]:
        """Take devices out of the list; see `Fleet.remove`."""
        gone = super().remove(uuids)
        for device in gone:
            self._open.pop(device.number, None)
        self._open_encoded.clear()
        return gone

    def touch(self, device: Device) -> None:
        """Say that a device has changed: its row is encoded anew."""
        device.kept = None

    def connect(self, device: Device, now_s: float) -> None:
        """Open a session."""
        device.began_at, device.ended_at = now_s, None
        self._changed_session(device)

    def disconnect(self, device: Device, now_s: float) -> None:
        """End the session, where there is one."""
        if device.began_at is not None and device.ended_at is None:
            device.ended_at = now_s
        self._changed_session(device)

    def open_sessions(self, ids: str) -> bytes:
        """Encode the list of devices with an open session, kept until a session changes."""
        encoded = self._open_encoded.get(ids)
        if encoded is None:
            listed = list(self._open) if ids == "int" else list(map(str, self._open))
            encoded = self._open_encoded[ids] = msgspec.json.encode(listed)
        return encoded

    def newest_first(self, start_after: int | None, limit: int, shown: int) -> Sequence[Device]:
        """Cut a page: `limit` devices with ids below `start_after` (None: from the top) of the first `shown`."""
        end = len(self._rows)
        if start_after is not None:
            end = bisect_left(self._rows, start_after, key=lambda device: device.number)
        start = max(end - limit, len(self._rows) - shown, 0)
        return self._rows[start:end][::-1]

    def encoded(self, device: Device, forms: Forms) -> bytes:
        """Encode a device's row, the same in the list and alone."""
        if device.kept is None or device.kept_forms != forms:
            device.kept, device.kept_forms = device.oddity.encoded(self._row(device, forms)), forms
        return device.kept

    def _changed_session(self, device: Device) -> None:
        self.touch(device)
        self._note_session(device)

    def _note_session(self, device: Device) -> None:
        if device.status == "online":
            self._open[device.number] = None
        else:
            self._open.pop(device.number, None)
        self._open_encoded.clear()

    def _row(self, device: Device, forms: Forms) -> dict[str, Any]:
        number = device.number
        created = times.naive(device.created_at)
        row: dict[str, Any] = {
            "id": _id(number, forms),
            "orgid": _id(self._org_id, forms),
            "name": device.name,
            "type": "Unknown",
            "whencreated": created,
            "phonenumber": "",
            "phonenumber_cost": "0.0000",
            "tunnelable": 0,
            "hidden": 0,
            "imei": f"4900000{number:08d}",
            "simcardid": _id(number - FIRST_DEVICE + 1, forms),
            "tags": [
                {"id": 1 + fleets.TAGS.index(tag) if tag in fleets.TAGS else 0, "name": tag}
                if forms.tags_form == "objects"
                else tag
                for tag in device.tags
            ],
            "preflight_starttime": None,
            "model": "Unknown",
            "manufacturer": "Unknown",
            "links": {"cellular": [_link(device, forms, claimed=created)]},
        }
        session = _session(device, forms)
        if session is not ABSENT:
            row["lastsession"] = session
        return row


ABSENT: Final = object()
NO_SESSION: Final = {"null": None, "absent": ABSENT, "object": {}, "list": []}


def link_number(device: Device) -> int:
    """Give the number of a device's cellular link."""
    return FIRST_LINK + device.number - FIRST_DEVICE


def _link(device: Device, forms: Forms, *, claimed: str) -> dict[str, Any]:
    return {
        "id": _id(link_number(device), forms),
        "deviceid": _id(device.number, forms),
        "sim": f"89000000000{device.number:08d}",
        "state": device.sim,
        "whenclaimed": claimed,
        "whenexpires": times.ZERO,
        "overagelimit": -1,
        "smslimit": 100,
        "eid": None,
        "plan": {"id": 9, "zone": "global", "name": "Flat", "data": 0},
        "last_network_used": "" if device.began_at is None else "ExampleTel",
        "last_connect_time": times.ZERO if device.began_at is None else times.naive(device.began_at),
        "cur_billing_data_used": _count(device.used_bytes, forms),
    }


def _session(device: Device, forms: Forms) -> Any:
    if forms.sessions == "left_out":
        return ABSENT
    if device.began_at is None:
        return NO_SESSION[forms.no_session]
    session: dict[str, Any] = {
        "linkid": _id(link_number(device), forms),
        "session_begin": times.naive(device.began_at),
        "session_end": times.ZERO if device.ended_at is None else times.naive(device.ended_at),
        "bytes": str(device.used_bytes // 10),  # text here, a number in the link
        "radio_access_technology": "LTE",
        "network_name": "ExampleTel",
        "active": device.ended_at is None,
    }
    if device.ended_at is None and forms.open_session == "flag":
        del session["session_end"]
    elif forms.open_session == "zeros":
        del session["active"]
    return session


def _id(number: int, forms: Forms) -> int | str:
    return number if forms.ids == "int" else str(number)


def _count(number: int, forms: Forms) -> int | str:
    return number if forms.numbers == "int" else str(number)
