"""The history of each device's agent. Most have been installed once, so only what came after is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fleetpulse.simulator.scalepad.dates import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fleetpulse.simulator.scalepad.devices import Device

STATUSES: Final = ("success", "error", "pending")
ERROR: Final = "error"


@dataclass(slots=True)
class Enrolment:
    """One installation of the agent; `at` in seconds since the epoch."""

    uuid: str
    device: str
    status: str
    at: float

    def row(self) -> dict[str, Any]:
        """Word this for the list."""
        return {"id": self.uuid, "status": self.status, "enrollment_date": iso(self.at)}


class Enrolments:
    """All enrolments beyond each device's first."""

    def __init__(self) -> None:
        """Start with none."""
        self._by_device: dict[str, list[Enrolment]] = {}
        self._index: dict[str, Enrolment] = {}
        self._failed: dict[str, int] = {}

    def __getitem__(self, uuid: str) -> Enrolment:
        """Find one; LookupError when there is none."""
        try:
            return self._index[uuid]
        except KeyError:
            message = f"no enrolment {uuid!r}"
            raise LookupError(message) from None

    def add(self, device: Device, status: str, at: float) -> Enrolment:
        """Install the agent once more."""
        enrolment = Enrolment(f"e0e0e0e0-0000-4000-8000-{len(self._index) + 1:012x}", device.uuid, "", at)
        self._by_device.setdefault(device.uuid, []).append(enrolment)
        self._index[enrolment.uuid] = enrolment
        self.set_status(enrolment, status)
        return enrolment

    def set_status(self, enrolment: Enrolment, status: str) -> None:
        """Give an enrolment a status, any word."""
        change = (status == ERROR) - (enrolment.status == ERROR)
        enrolment.status = status
        if change:
            failed = self._failed.get(enrolment.device, 0) + change
            self._failed[enrolment.device] = failed
            if not failed:
                del self._failed[enrolment.device]

    def forget(self, devices: Iterable[str]) -> None:
        """Forget those of devices that are gone; their ids are never given again."""
        for device in devices:
            self._by_device.pop(device, None)
            self._failed.pop(device, None)

    def of(self, device: Device) -> list[Enrolment]:
        """List a device's enrolments, newest first; the first one of all is pending until the device is enrolled."""
        later = sorted(self._by_device.get(device.uuid, ()), key=lambda each: each.at, reverse=True)
        at = device.created_at if device.installed_at is None else device.installed_at
        status = "pending" if device.installed_at is None else "success"
        return [*later, Enrolment(f"f1f1f1f1-0000-4000-8000-{device.serial:012x}", device.uuid, status, at)]

    def errors(self) -> dict[str, int]:
        """Count for the summary."""
        return {"total_errors": sum(self._failed.values()), "affected_devices": len(self._failed)}
