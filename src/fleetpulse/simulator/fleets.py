"""Invented fleets: names, addresses and readings that are the same for the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from random import Random

THINGS: Final = (
    "barrier", "boiler", "camera", "charger", "conveyor", "crane", "display", "door", "fan", "freezer", "gate",
    "kiosk", "lamp", "locker", "meter", "pump", "scale", "scanner", "turnstile", "valve",
)  # fmt: skip
TAGS: Final = ("indoor", "outdoor", "lab", "pilot", "spare", "roof")
VERSIONS: Final = ("6.2", "7.0", "7.1.3", "7.2")
PLACES: Final = {"Lyon": (45.7578, 4.832), "Nantes": (47.2184, -1.5536), "Porto": (41.1494, -8.6108)}


class Thing(NamedTuple):
    """What a device is like, apart from how it fares; disks in megabytes, cpu and ram in percent."""

    name: str
    tags: tuple[str, ...]
    version: str
    address: str
    cpu: int
    ram: int
    disk_used: int
    disk_size: int


def short_id(rng: Random) -> str:
    """Invent an id as JFrog Connect spells them."""
    digits = f"{rng.getrandbits(32):08x}"
    return f"d-{digits[:4]}-{digits[4:]}"


def thing(rng: Random, serial: int) -> Thing:
    """Invent a device; its name is unique by its serial number, its address is from the benchmarking range."""
    bits = rng.getrandbits(48)
    size = 8_192 << (bits & 3)
    return Thing(
        name=f"{THINGS[(bits >> 2) % len(THINGS)]}-{serial:04d}",
        tags=(TAGS[(bits >> 8) % len(TAGS)],),
        version=VERSIONS[(bits >> 12) % len(VERSIONS)],
        address=f"198.18.{bits >> 16 & 255}.{1 + (bits >> 24) % 254}",
        cpu=(bits >> 32) % 60,
        ram=20 + (bits >> 38) % 60,
        disk_used=size * (10 + (bits >> 42) % 50) // 100,
        disk_size=size,
    )
