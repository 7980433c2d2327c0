"""What alerting has to know of the sources and of the fleet around what it judges."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from fleetpulse.fleet.device import DeviceStatus


class SourceFacts(msgspec.Struct, frozen=True):
    """What messages, labels and rules take from a source.

    `title` is the vendor's name for people, `credential` what people call its secret: token, API key. A source that is
    not `watched` is configured but disabled. `offline_for` is how long a device of this vendor is offline before that
    is trouble, None where it is none; `silent_after` how long one may be silent where being offline is healthy.
    `missing_hint` is why a device of this vendor may be missing although it is well.
    """

    name: str
    vendor: str = ""
    title: str = ""
    main_resource: str = "devices"
    labels: dict[str, str] = {}
    credential: str = "credentials"
    watched: bool = True
    offline_for: timedelta | None = timedelta(minutes=5)
    silent_after: timedelta | None = None
    missing_hint: str = ""


class GroupFacts(msgspec.Struct, frozen=True):
    """How many devices a group of the known fleet has, and how many of them are online."""

    devices: int
    online: int


class FleetView(Protocol):
    """The fleet around an alert, as it is known now. It is asked on the thread that judges."""

    def devices(self, source: str) -> int:
        """How many devices of a source are known, those not counted that are missing."""
        ...

    def group(self, source: str, group: str) -> GroupFacts | None:
        """The devices of one group, None where the source has none."""
        ...

    def names(self, source: str, devices: Iterable[str]) -> Mapping[str, str]:
        """The names of those devices that are known."""
        ...

    def statuses(self, source: str, devices: Iterable[str]) -> Mapping[str, DeviceStatus]:
        """The present status of those devices that are known."""
        ...

    def last_seen(self, source: str, device: str) -> datetime | None:
        """When the vendor last heard of a device, be it between two looks that both found it offline; None: unknown."""
        ...
