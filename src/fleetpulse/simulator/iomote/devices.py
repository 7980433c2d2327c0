"""The simulated gateways: in order of creation, with their rows as JSON.

The list has no pages, so it is kept in pieces of a thousand rows: a change costs the encoding of one row and one piece.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fleetpulse.simulator import fleets
from fleetpulse.simulator.fleet import Fleet
from fleetpulse.simulator.oddity import EVEN, Oddity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from random import Random

PIECE_ROWS: Final = 1000
WORDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "azure": {"online": "Connected", "offline": "Disconnected"},
    "lower": {"online": "connected", "offline": "disconnected"},
    "line": {"online": "online", "offline": "offline"},
    "number": {"online": 1, "offline": 0},
    "boolean": {"online": True, "offline": False},
}
MESSAGE_BYTES: Final = 240  # of a message on average; the vendor's quota allows 3750
WEEK: Final = range(1, 8)


class Forms(NamedTuple):
    """How rows are worded: the account's switches of the same names."""

    words: str
    unset: str | None
    ids: str


@dataclass(slots=True)
class Device:
    """One gateway; `place` is its index in the list.

    `oddity` spoils its rows (`status` is the one beside the device).
    """

    place: int
    serial: int
    device_id: str
    id: str
    name: str
    group_id: str
    status: str
    like: fleets.Thing
    messages: int
    oddity: Oddity = EVEN

    @property
    def uuid(self) -> str:
        """Its `device_id`, as stories have it."""
        return self.device_id


class Devices(Fleet[Device]):
    """The fleet of one account."""

    def __init__(self, user_id: str, rng: Random) -> None:
        """Start without devices; `rng` invents them."""
        super().__init__(rng)
        self._user_id = user_id
        self._by_id: dict[str, Device] = {}
        self._forms: Forms | None = None
        self._pieces: dict[int, bytes] = {}
        self._whole: bytes | None = None

    def with_path_id(self, value: str, kind: str) -> Device | None:
        """Find a device as paths name it: by its `device_id`, its `id`, or ("both") either."""
        found = self._index.get(value) if kind != "id" else None
        return found or (self._by_id.get(value) if kind != "device_id" else None)

    def invent(self, *, group_id: str, status: str = "online", device_id: str | None = None) -> Device:
        """Add a device.

        Errors: ValueError when the id is taken.
        """
        self._serial += 1
        device_id = self._free_id(device_id, lambda: f"X400_{self._rng.getrandbits(160):040x}")
        like = fleets.thing(self._rng, self._serial)
        messages = 90 * (1 + self._serial % 300)
        device = Device(
            len(self._rows), self._serial, device_id, f"{self._serial:04x}", like.name, group_id, status, like, messages
        )
        self._add(device)
        self._by_id[device.id] = device
        self.touch(device)
        return device

    def remove(self, uuids: Iterable[int | str]) -> Sequence[Device]:
        """Take devices out of the account; see `Fleet.remove`."""
        gone = super().remove(uuids)
        for device in gone:
            del self._by_id[device.id]
        for place, device in enumerate(self._rows):
            device.place = place
        self._forget_rows()
        return gone

    def touch(self, device: Device) -> None:
        """Say that a device has changed: its row is encoded anew."""
        self._pieces.pop(device.place // PIECE_ROWS, None)
        self._whole = None

    def first(self, n: int, forms: Forms) -> bytes:
        """Encode the list of the first `n` devices with their statuses; that of all is kept as long as it holds."""
        if forms != self._forms:
            self._forms = forms
            self._forget_rows()
        if n < len(self._rows):
            return self._joined(n, forms)
        if self._whole is None:
            self._whole = self._joined(n, forms)
        return self._whole

    def _forget_rows(self) -> None:
        self._pieces.clear()
        self._whole = None

    def _joined(self, n: int, forms: Forms) -> bytes:
        rest = n - n % PIECE_ROWS
        pieces = [self._piece(start, forms) for start in range(0, rest, PIECE_ROWS)]
        last = b",".join(self.stated(device, forms) for device in self._rows[rest:n])
        return b"[%b]" % b",".join(filter(None, [*pieces, last]))

    def group(self, group_id: str, forms: Forms) -> bytes:
        """Encode the list of a group's devices, which has no statuses."""
        return b"[" + b",".join(self.plain(each, forms) for each in self._rows if each.group_id == group_id) + b"]"

    def stated(self, device: Device, forms: Forms) -> bytes:
        """Encode a device with its status beside it."""
        oddity = device.oddity
        if oddity.raw is not None:
            return oddity.raw
        stated: dict[str, Any] = {"device": self._fields(device, forms)}
        if "status" not in oddity.without:
            stated["status"] = oddity.odd.get("status", word(device.status, forms))
        return oddity.dumped(stated)

    def plain(self, device: Device, forms: Forms) -> bytes:
        """Encode a device without a status, as the list of a group has it."""
        raw = device.oddity.raw
        return device.oddity.dumped(self._fields(device, forms)) if raw is None else raw

    def _piece(self, start: int, forms: Forms) -> bytes:
        piece = self._pieces.get(start // PIECE_ROWS)
        if piece is None:
            rows = self._rows[start : start + PIECE_ROWS]
            piece = self._pieces[start // PIECE_ROWS] = b",".join(self.stated(device, forms) for device in rows)
        return piece

    def _fields(self, device: Device, forms: Forms) -> dict[str, Any]:
        lat, lng = fleets.PLACES.get(device.like.tags[0], (45.0703, 7.6869))
        fields: dict[str, Any] = {
            "id": int(device.id, 16) if forms.ids == "int" else device.id,
            "device_id": device.device_id,
            "device_key": device_key(device.device_id),
            "user_id": self._user_id,
            "group_id": device.group_id or forms.unset,
            "name": device.name,
            "type": "X400",
            "location": f"{lat},{lng}" if device.serial % 2 else f"{lat}, {lng}",
            "connectivity": forms.unset,
            "fwversion": device.like.version,
            "app_name": device.like.name.partition("-")[0],
            "app_version": "1.2.1",
            "stat_device_id": f"s-{device.serial}",
            "ICCID": forms.unset,
        }
        spoiled = device.oddity.spoiled(fields)
        spoiled.pop("status", None)
        return spoiled


def device_key(device_id: str) -> str:
    """Tell a device's own secret, of 64 characters: what no monitor may keep."""
    return hashlib.sha256(device_id.encode()).hexdigest()


def word(status: str, forms: Forms) -> Any:
    """Word a status; one of no known meaning stays as it is."""
    return WORDS[forms.words].get(status, status)


def statistics(device: Device, *, as_text: bool) -> dict[str, Any]:
    """Word how much a device has sent: in all, today, and on each of seven days."""
    counts: dict[str, int] = {}
    for name, each in (("msg", 1), ("bytes", MESSAGE_BYTES)):
        counts |= {f"{name}_tot": device.messages * each, f"{name}_current": device.messages % 100 * each}
        counts |= {f"{name}_{day}": (device.messages + day) % 100 * each for day in WEEK}
    told = {name: str(count) for name, count in counts.items()} if as_text else counts
    return {"id": f"s-{device.serial}", "stat_of_device_id": device.id, **told}
