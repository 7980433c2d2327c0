"""The simulated fleet: devices in order of creation, and their rows as JSON.

A row is encoded once and kept until its device changes, so that a page of 1,000 costs one join.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from fleetpulse.simulator import fleets
from fleetpulse.simulator.fleet import Fleet
from fleetpulse.simulator.jfrog_connect import dates
from fleetpulse.simulator.oddity import EVEN, Oddity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

HEARTBEAT_S: Final = 25  # the agent's default (docs/vendors/jfrog-connect.md, "What can't be seen")
MAX_TAGS: Final = 100  # the enriched list shows no more of them, and says so
# Up to so many devices the list's last_keepalive moves at each heartbeat; past it, encoding would cost too much.
MAX_LIVE: Final = 5_000

TagsForm = Literal["list", "object", "names", "null", "absent"]


@dataclass(slots=True)
class Device:
    """One device; times in seconds since the epoch. `oddity` spoils its rows."""

    serial: int
    uuid: str
    group: str
    status: str
    like: fleets.Thing
    name: str
    tags: tuple[str, ...]
    registered_at: float
    keepalive_at: float
    oddity: Oddity = EVEN
    kept: dict[tuple[str, bool], bytes] = field(default_factory=dict)

    def beat(self, now_s: float) -> float:
        """Tell when this device last called in: its own heartbeat while online, else what is on record."""
        if self.status != "online":
            return self.keepalive_at
        return max(self.registered_at, now_s - (now_s - self.serial) % HEARTBEAT_S)


class Devices(Fleet[Device]):
    """The fleet of one project."""

    def __init__(self, project: str, rng: Random) -> None:
        """Start without devices; `rng` invents them."""
        super().__init__(rng)
        self._project = project
        self._selections: dict[tuple[str | None, tuple[str, ...]], Sequence[Device]] = {}

    def invent(self, *, group: str, now_s: float, status: str = "online", uuid: str | None = None) -> Device:
        """Add a device.

        Errors: ValueError when the uuid is taken.
        """
        uuid = self._free_id(uuid, lambda: fleets.short_id(self._rng))
        self._serial += 1
        like = fleets.thing(self._rng, self._serial)
        registered_at = now_s - 86_400.0 * (1 + self._serial % 300)
        device = Device(self._serial, uuid, group, status, like, like.name, like.tags, registered_at, now_s)
        device.keepalive_at = device.beat(now_s) if status == "online" else now_s - 3600
        self._add(device)
        self._selections.clear()
        return device

    def remove(self, uuids: Iterable[int | str]) -> Sequence[Device]:
        """Take devices out of the list; see `Fleet.remove`."""
        self._selections.clear()
        return super().remove(uuids)

    def touch(self, device: Device) -> None:
        """Say that a device has changed: its rows are encoded anew."""
        device.kept.clear()
        self._selections.clear()

    def set_status(self, device: Device, status: str, now_s: float) -> None:
        """Change a status; the last heartbeat is put on record when the device leaves `online`."""
        device.keepalive_at = device.beat(now_s)
        device.status = status
        if status == "online":
            device.keepalive_at = now_s
        device.kept.clear()

    def select(self, group: str | None, tags: Iterable[str]) -> Sequence[Device]:
        """List the devices of a group (None: all) that have any of the tags (none given: all)."""
        key = (group, tuple(sorted(set(tags))))
        if key == (None, ()):
            return self._rows
        found = self._selections.get(key)
        if found is None:
            wanted = set(key[1])
            found = [
                device
                for device in self._rows
                if (group is None or device.group == group) and (not wanted or not wanted.isdisjoint(device.tags))
            ]
            self._selections[key] = found
        return found

    def listed(self, device: Device, *, tags_form: TagsForm, live_at: float | None, other_case: bool) -> bytes:
        """Encode a device's row of the list.

        `live_at` is now where `last_keepalive` must follow the heartbeat, else None: then the row is kept.
        """
        if live_at is not None:
            return self._encoded(device, tags_form, device.beat(live_at), other_case=other_case)
        row = device.kept.get((tags_form, other_case))
        if row is None:
            row = self._encoded(device, tags_form, device.keepalive_at, other_case=other_case)
            device.kept[tags_form, other_case] = row
        return row

    def detail(self, device: Device, *, now_s: float, updates: list[dict[str, Any]] | None, other_case: bool) -> bytes:
        """Encode a device alone: naive dates, and with `updates` also apps, tags (a plain list) and addresses."""
        beat = dates.naive(device.beat(now_s))
        row = self._row(device, beat, dates.naive(device.registered_at), other_case=other_case)
        if updates is not None:
            hexed = f"{device.serial:06x}"
            row["apps"] = [{"app_name": "default_app", "version": f"v1.{device.serial % 9}"}]
            row["mac_address"] = [f"02:00:5e:{hexed[-6:-4]}:{hexed[-4:-2]}:{hexed[-2:]}"]
            row["tags"] = list(device.tags)
            row["updates"] = updates
        return device.oddity.encoded(row)

    def _encoded(self, device: Device, tags_form: TagsForm, keepalive_at: float, *, other_case: bool) -> bytes:
        row = self._row(device, dates.iso(keepalive_at), dates.iso(device.registered_at), other_case=other_case)
        if tags_form != "absent":
            row["tags"] = _tags(device.tags, tags_form)
        return device.oddity.encoded(row)

    def _row(self, device: Device, last_keepalive: str, registered_date: str, *, other_case: bool) -> dict[str, Any]:
        like = device.like
        lat, lng = fleets.PLACES.get(device.group, (None, None))
        return {
            "address": "",
            "agent_version": like.version,
            "cpu_usage": like.cpu,
            "current_disk_usage": like.disk_used,
            "description": "",
            "device_ip": like.address,
            "device_name": device.name,
            "device_status": device.status.capitalize() if other_case else device.status,
            "device_uuid": device.uuid,
            "disk_size": like.disk_size,
            "group_name": device.group,
            "is_update_trigger_set": False,
            "last_keepalive": last_keepalive,
            "lat": lat,
            "lng": lng,
            "project": self._project,
            "ram_usage": like.ram,
            "registered_date": registered_date,
        }


def _tags(tags: tuple[str, ...], form: TagsForm) -> Any:
    """Word the tags of an enriched list (Q9)."""
    names = list(tags[:MAX_TAGS])
    match form:
        case "list":
            return names
        case "object":
            left_out = len(tags) - len(names)
            return {"message": f"{left_out} more tags are not shown" if left_out else "", "names": names}
        case "names":
            return {"names": names}
        case _:
            return None
