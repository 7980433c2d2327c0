"""The vendor's own count of a client's devices."""

from typing import Any

from fleetpulse.fleet.summary import Summary
from fleetpulse.vendors.scalepad.place import count

_NOTHING = Summary()


def summary(found: Any) -> Summary | None:
    """The summary; None where the answer is none. Each number for itself may be missing, but not all of them."""
    if not isinstance(found, dict):
        return None
    errors = found.get("deployment_errors")
    listed = errors if isinstance(errors, dict) else {}
    counted = Summary(
        devices=count(found.get("total_devices")),
        enrolment_errors=count(listed.get("total_errors")),
        affected_devices=count(listed.get("affected_devices")),
    )
    return None if counted == _NOTHING else counted


def told(found: Summary) -> str:
    """The summary in a few words for people; nothing where it counts nothing."""
    devices = "" if found.devices is None else f"{found.devices:,} devices"
    errors = f"{found.enrolment_errors:,} failed enrolments" if found.enrolment_errors else ""
    return ", ".join(part for part in (devices, errors) if part)
