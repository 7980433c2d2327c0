"""The simulated fleet: devices in order of their numbers, found by number and by uuid, in pages of an offset."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from fleetpulse.simulator import fleets
from fleetpulse.simulator.fleet import Fleet
from fleetpulse.simulator.jfrog_connect_v1.dates import naive
from fleetpulse.simulator.oddity import EVEN, Oddity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from random import Random

    from fleetpulse.simulator.jfrog_connect_v1.updates import FieldNames, Install

HEARTBEAT_S: Final = 25  # the agent's default (docs/vendors/jfrog-connect-v1.md, "What can't be seen")
FIRST_NUMBER: Final = 700_101
FIRST_AGENT_OF_V2: Final = 7  # later agents are not served by this API
VERSIONS: Final = ("5.1", "5.4", "6.2")
LAST_UPDATES: Final = 5  # of each kind, as many as a row tells

STATE_FIELDS: Final = frozenset({"device_status", "device_name", "device_uuid", "device_id"})

StateIds = Literal["uuid", "number", "both", "uuid as device_id"]


@dataclass(slots=True)
class Device:
    """One device; times in seconds since the epoch.

    `apps` are the versions it reports; None: the one it was born with. `oddity` spoils its rows.
    """

    number: int
    uuid: str
    project: str
    group: str
    status: str
    like: fleets.Thing
    name: str
    tags: tuple[str, ...]
    version: str
    registered_at: float
    keepalive_at: float
    apps: dict[str, str] | None = None
    updates: list[Install] = field(default_factory=list)
    oddity: Oddity = EVEN

    @property
    def serial(self) -> int:
        """Count from 1 in order of creation."""
        return self.number - FIRST_NUMBER + 1

    def beat(self, now_s: float) -> float:
        """Tell when this device last called in: its own heartbeat while online, else what is on record."""
        if self.status != "online":
            return self.keepalive_at
        return max(self.registered_at, now_s - (now_s - self.number) % HEARTBEAT_S)

    def served(self) -> bool:
        """Tell whether this API serves the device at all."""
        return int(self.version.partition(".")[0]) < FIRST_AGENT_OF_V2

    def reported(self) -> dict[str, str]:
        """Tell the versions of its apps."""
        return {"default_app": f"v1.{self.serial % 9}"} if self.apps is None else self.apps

    def install(self, apps: Mapping[str, str]) -> None:
        """Let it report these versions from now on."""
        self.apps = {**self.reported(), **apps}

    def word(self, *, capital: bool) -> str:
        """Tell its status as the example has it, or as the prose beside it."""
        return self.status.capitalize() if capital else self.status

    # -- rows

    def state(self, ids: StateIds, *, capital: bool) -> bytes:
        """Encode this row of the states; `ids` says by which names the device goes (Q2)."""
        row: dict[str, Any] = {"device_status": self.word(capital=capital), "device_name": self.name}
        if ids in {"uuid", "both"}:
            row["device_uuid"] = self.uuid
        if ids in {"number", "both"}:
            row["device_id"] = self.number
        if ids == "uuid as device_id":
            row["device_id"] = self.uuid
        odd = {name: value for name, value in self.oddity.odd.items() if name in STATE_FIELDS}
        return self.oddity._replace(odd=odd).encoded(row)

    def details(self, *, now_s: float, names: FieldNames) -> bytes:
        """Encode this row of the details."""
        lat, lng = fleets.PLACES.get(self.group, (None, None))
        hexed = f"{self.serial:06x}"[-6:]
        told = self.updates
        return self.oddity.encoded(
            {
                "device_id": self.number,
                "device_uuid": self.uuid,
                "device_name": self.name,
                "upswift_version": self.version,
                "project": self.project,
                "group": self.group,
                "device_ip": self.like.address,
                "last_keepalive": naive(self.beat(now_s)),
                "cpu_usage": self.like.cpu,
                "ram_usage": self.like.ram,
                "disk_usage": float(self.like.disk_used),
                "address": "",
                "lat": lat,
                "lng": lng,
                "is_update_trigger_set": False,
                "description": "",
                "registered_date": naive(self.registered_at),
                "tags": list(self.tags),
                "updates": [each.row(names) for each in told if each.numbered][-LAST_UPDATES:],
                "updates_v2": [each.row(names) for each in told if not each.numbered][-LAST_UPDATES:],
                "apps": [{"app_name": app, "version": version} for app, version in self.reported().items()],
                "mac_addresses": [f"02:00:5e:{hexed[:2]}:{hexed[2:4]}:{hexed[4:]}"],
            }
        )


class Devices(Fleet[Device]):
    """The fleet of one account. Selections are kept, so that a page costs its own rows and no walk over the fleet."""

    def __init__(self, rng: Random) -> None:
        """Start without devices; `rng` invents them."""
        super().__init__(rng)
        self._selections: dict[tuple[str | None, str | None], list[Device]] = {}

    def invent(
        self, *, project: str, group: str, now_s: float, status: str = "online", uuid: str | None = None
    ) -> Device:
        """Add a device.

        Errors: ValueError when the uuid is taken.
        """
        uuid = self._free_id(uuid, lambda: fleets.short_id(self._rng))
        self._serial += 1
        number = FIRST_NUMBER + self._serial - 1
        like = fleets.thing(self._rng, self._serial)
        device = Device(
            number,
            uuid,
            project,
            group,
            status,
            like,
            like.name,
            like.tags,
            VERSIONS[self._serial % len(VERSIONS)],
            registered_at=now_s - 86_400.0 * (1 + self._serial % 300),
            keepalive_at=now_s - 3600,
        )
        if status == "online":
            device.keepalive_at = device.beat(now_s)
        self._add(device)
        self._selections.clear()
        return device

    def remove(self, uuids: Iterable[int | str]) -> Sequence[Device]:
        """Take devices out of the lists; see `Fleet.remove`."""
        self._selections.clear()
        return super().remove(uuids)

    def touch(self, device: Device) -> None:
        """Say that a device has changed: who is listed where may be another matter now."""
        del device
        self._selections.clear()

    def set_status(self, device: Device, status: str, now_s: float) -> None:
        """Change a status; the last heartbeat is put on record when the device leaves `online`."""
        device.keepalive_at = device.beat(now_s)
        device.status = status
        if status == "online":
            device.keepalive_at = now_s

    def select(self, project: str | None, group: str | None) -> Sequence[Device]:
        """List the devices that this API serves, of a project and a group (None: of all)."""
        found = self._selections.get((project, group))
        if found is None:
            found = self._selections[project, group] = [
                device
                for device in self._rows
                if device.served()
                and (project is None or device.project == project)
                and (group is None or device.group == group)
            ]
        return found

    def find(self, id_: object) -> Device | None:
        """Find a device by its uuid or its number, which may come as text; None when there is none."""
        if isinstance(id_, str) and id_ in self._index:
            return self._index[id_]
        number = int(id_) if isinstance(id_, int) or (isinstance(id_, str) and id_.isdecimal()) else -1
        at = bisect_left(self._rows, number, key=lambda device: device.number)
        return self._rows[at] if at < len(self._rows) and self._rows[at].number == number else None


def position(rows: Sequence[Device], number: int, *, inclusive: bool) -> int:
    """Tell where the page begins whose offset is the device of this number."""
    bisect = bisect_left if inclusive else bisect_right
    return bisect(rows, number, key=lambda device: device.number)
