"""The simulated fleet: devices in order of creation, and their rows as JSON.

The vendor writes heartbeats down every 30 s, all at once, so that every device that lives has the same `last_seen_at`.
A row is encoded once, with a mark where that time goes, and kept until its device changes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from fleetpulse.simulator.fleet import Fleet
from fleetpulse.simulator.oddity import EVEN, Oddity
from fleetpulse.simulator.scalepad.dates import iso
from fleetpulse.simulator.scalepad.machines import VERSIONS, Machine, machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

HEARTBEAT_S: Final = 30
MARK: Final = "@the last heartbeat@"
MARKED: Final = msgspec.json.encode(MARK)
DEVICES_A_USER: Final = 2
AGE_S: Final = 200 * 86_400.0  # of the oldest device; each further one is a second younger


@dataclass(slots=True)
class Device:
    """One device; times in seconds since the epoch.

    While it is `live` its heartbeats arrive, and `seen_at` does not matter. One that was never enrolled has no machine.
    `oddity` spoils its row.
    """

    serial: int
    uuid: str
    name: str | None
    status: str | None
    machine: Machine | None
    created_at: float
    installed_at: float | None
    seen_at: float | None
    live: bool
    oddity: Oddity = EVEN
    kept: bytes | None = None

    @property
    def os_name(self) -> str | None:
        """Name its operating system."""
        return self.machine.os_name if self.machine else None

    @property
    def user(self) -> str:
        """Name whose device it is; the rows don't say, but the list can be asked for one user's."""
        return f"a1d97031-04e2-4907-a249-{self.serial // DEVICES_A_USER:012x}"

    @property
    def agent_version(self) -> str | None:
        """Tell the agent's version."""
        return VERSIONS[self.serial % len(VERSIONS)] if self.machine else None

    def last_seen(self, tick: float) -> float | None:
        """Tell when its last heartbeat was written down, `tick` being the last time that any was."""
        return tick if self.live else self.seen_at


class Devices(Fleet[Device]):
    """The fleet of one client.

    `versions` counts the changes by what they changed (`members`, or a field), so that others know what they may keep.
    """

    def __init__(self, rng: Random) -> None:
        """Start without devices; `rng` invents their ids."""
        super().__init__(rng)
        self.versions: Counter[str] = Counter()
        self.agents: Counter[str] = Counter()

    def invent(self, *, now_s: float, uuid: str | None = None, os_name: str | None = None) -> Device:
        """Add a device that was enrolled some time ago and lives.

        Errors: ValueError when the id is taken.
        """
        uuid = self._free_id(uuid, lambda: str(UUID(int=self._rng.getrandbits(128), version=4)))
        self._serial += 1
        serial = self._serial
        created_at = now_s - AGE_S + serial
        like = machine(serial, os_name)
        name = f"LAPTOP-{serial:06d}"
        device = Device(serial, uuid, name, "active", like, created_at, created_at, None, live=True)
        self._add(device)
        self.agents[str(device.agent_version)] += 1
        self.versions["members"] += 1
        return device

    def remove(self, uuids: Iterable[int | str]) -> Sequence[Device]:
        """Take devices out of the list; see `Fleet.remove`."""
        gone = super().remove(uuids)
        for device in gone:
            self._count_agent(device, -1)
        self.versions["members"] += 1
        return gone

    def touch(self, device: Device, *fields: str) -> None:
        """Say which fields of a device have changed: its row is encoded anew."""
        device.kept = None
        for name in fields:
            self.versions[name] += 1

    def enrol(self, device: Device, *, now_s: float) -> None:
        """Let a device be enrolled that was not: it gets a machine, and has had its agent installed now."""
        if device.machine is None:
            device.machine, device.installed_at = machine(device.serial), now_s
            device.name = device.name or f"LAPTOP-{device.serial:06d}"
            self._count_agent(device, 1)
            self.touch(device, "name", "os_name", "installed_at")

    def unenrol(self, device: Device) -> None:
        """Let a device be one that was announced and never enrolled: it has no name, machine or heartbeat."""
        self._count_agent(device, -1)
        device.machine = device.installed_at = device.name = device.seen_at = None
        self.touch(device, "name", "os_name", "installed_at", "last_seen_at")

    def encoded(self, device: Device) -> bytes:
        """Encode a device's row, with `MARKED` where the time of the last heartbeat goes."""
        if device.kept is None:
            device.kept = device.oddity.encoded(_row(device))
        return device.kept

    def _count_agent(self, device: Device, n: int) -> None:
        if device.agent_version is not None:
            self.agents[device.agent_version] += n


def _row(device: Device) -> dict[str, Any]:
    like = device.machine
    seen_at = MARK if device.live else iso(device.seen_at)
    return {
        "id": device.uuid,
        "name": device.name,
        "status": device.status,
        "serial_number": f"SN{device.serial:08d}" if like else None,
        "unique_key": f"{device.name or 'NEW'}-{device.serial}",
        "os_name": device.os_name,
        "os_version": like.os_version if like else None,
        "last_seen_at": seen_at,
        "installed_at": iso(device.installed_at),
        "agent_version": device.agent_version,
        "hardware": _hardware(like) if like else None,
        "extensions": _extensions(like, seen_at) if like else None,
        "created_at": iso(device.created_at),
        "updated_at": seen_at or iso(device.created_at),
    }


def _hardware(like: Machine) -> dict[str, Any]:
    return {
        "manufacturer": like.manufacturer,
        "model": like.model,
        "cpu_model": like.cpu_model,
        "cpu_cores": like.cpu_cores,
        "ram": like.ram,
    }


def _extensions(like: Machine, seen_at: str | None) -> dict[str, Any]:
    there = {"version": "1.11.0", "installed": True, "auto_update": True, "last_activity_at": seen_at}
    missing = {"version": None, "installed": False, "auto_update": False, "last_activity_at": None}
    return {"chrome": there, "edge": there if like.os_name == "Windows" else missing, "firefox": missing}
