"""What kinds of machines there are in the simulated fleet."""

from __future__ import annotations

from typing import Final, NamedTuple

GIB: Final = 1024**3


class Machine(NamedTuple):
    """A kind of machine, shared by all devices of its kind; `ram` in bytes, as the vendor has it."""

    os_name: str
    os_version: str
    manufacturer: str
    model: str
    cpu_model: str
    cpu_cores: int
    ram: int


MACHINES: Final = (
    Machine("Windows", "10.0.19045", "Dell Inc.", "Latitude 5540", "Intel(R) Core(TM) i5-1345U", 10, 16 * GIB),
    Machine("Windows", "10.0.22631", "LENOVO", "ThinkPad T14", "AMD Ryzen 7 PRO 7840U", 8, 32 * GIB),
    Machine("macOS", "14.2.1", "Apple Inc.", "MacBook Pro", "Apple M2 Pro", 10, 32 * GIB),
    Machine("Linux", "6.8.0", "Framework", "Laptop 13", "AMD Ryzen 5 7640U", 6, 16 * GIB),
)
VERSIONS: Final = ("1.2.3", "1.2.4", "1.3.0")


def machine(serial: int, os_name: str | None = None) -> Machine:
    """Choose a machine by a device's serial number, with this operating system where one is wished."""
    fitting = [each for each in MACHINES if os_name in {None, each.os_name}]
    if not fitting:
        return MACHINES[0]._replace(os_name=str(os_name), os_version="1.0")
    return fitting[serial % len(fitting)]
