"""What happened to a device between two looks at it. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from fleetpulse.fleet.device import Device, DeviceStatus, KnownDevice, SimState
from fleetpulse.fleet.events import (
    DeviceAppeared,
    DeviceBecameUnknown,
    DeviceCameOnline,
    DeviceChanged,
    DeviceEvent,
    DeviceForgotten,
    DeviceMoved,
    DeviceReturned,
    DeviceWentMissing,
    DeviceWentOffline,
    SimChanged,
)

_TURNED: Final[Mapping[DeviceStatus, type[DeviceEvent]]] = {
    DeviceStatus.ONLINE: DeviceCameOnline,
    DeviceStatus.OFFLINE: DeviceWentOffline,
    DeviceStatus.UNKNOWN: DeviceBecameUnknown,
    DeviceStatus.MISSING: DeviceWentMissing,
}


class Teller:
    """Tells events of one source's devices that one page, or one walk's end, shows."""

    def __init__(self, source: str, *, seen_at: datetime, late: bool) -> None:
        self._source = source
        self._seen_at = seen_at
        self._late = late

    def between(self, before: KnownDevice | None, after: KnownDevice) -> list[DeviceEvent]:
        """All that happened from one look to the next: what it is, where it is, its SIM, then its status."""
        if before is None:
            return [self._turned(DeviceAppeared, None, after)]
        events: list[DeviceEvent] = []
        was, now = before.device, after.device
        if was != now:
            events += [self._event(kind, before, after, before=was) for kind in _differences(was, now)]
        if before.status is not after.status:
            kind = DeviceReturned if before.status is DeviceStatus.MISSING else _TURNED[after.status]
            events.append(self._turned(kind, before, after))
        return events

    def forgotten(self, known: KnownDevice) -> DeviceEvent:
        """The device is given up."""
        return self._turned(DeviceForgotten, known, known)

    def moved_away(self, known: KnownDevice, to: str) -> DeviceEvent:
        """The device is another source's now."""
        return self._event(DeviceMoved, known, known, before=known.device, to=to)

    def _turned(self, kind: type[DeviceEvent], before: KnownDevice | None, after: KnownDevice) -> DeviceEvent:
        at = after.last_seen_at if after.status is DeviceStatus.OFFLINE else None
        return self._event(kind, before, after, occurred_at=at)

    def _event(self, kind: type[DeviceEvent], was: KnownDevice | None, after: KnownDevice, **more: Any) -> DeviceEvent:
        return kind(
            source=self._source,
            subject=after.device.id,
            seen_at=self._seen_at,
            late=self._late,
            device=after.device,
            status=after.status,
            was=None if was is None else was.status,
            ever_online=after.ever_online,
            last_seen_at=after.last_seen_at,
            **more,
        )


def _differences(was: Device, now: Device) -> list[type[DeviceEvent]]:
    """What is told of them.

    A first group is no move: a vendor may tell of statuses before it tells of names. A SIM that nobody told of before
    did not change; but one that does not heal by itself is told.
    """
    moved = bool(was.group) and was.group != now.group
    rest = msgspec.structs.replace(was, group=now.group if moved else was.group, sim=now.sim)
    kinds: list[type[DeviceEvent]] = []
    if rest != now:
        kinds.append(DeviceChanged)
    if moved:
        kinds.append(DeviceMoved)
    if was.sim is not now.sim and (was.sim is not None or now.sim is SimState.PAUSED_BY_SYSTEM):
        kinds.append(SimChanged)
    return kinds
