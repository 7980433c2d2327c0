"""The fleet in each order that can be asked for, kept until something changes it.

Sorted by `last_seen_at`, whoever lives shares one time that moves every 30 s; so those are not sorted at all but put,
in order of creation, where that time belongs among the others.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fleetpulse.simulator.scalepad.devices import Device, Devices

SORTS: Final = ("name", "status", "os_name", "last_seen_at", "installed_at", "created_at")
BY_HEARTBEAT: Final = "last_seen_at"
MOST_KEPT: Final = 64  # whoever searches for ever new names must not fill the memory

Nulls = Literal["first", "last"]
# Where nulls stand, the value, whether it is of a device that lives, and the serial number: no two are the same
Key = tuple[int, float | str, int, int]


class Filters(NamedTuple):
    """What the list is asked for; None does not matter."""

    q: str | None = None
    user_id: str | None = None
    status: str | None = None
    os_name: str | None = None


FIELDS: Final = ("name", "members", "status", "os_name")  # what each of the filters looks at


class Orders:
    """The orders of one fleet."""

    def __init__(self, fleet: Devices) -> None:
        """Start with none made."""
        self._fleet = fleet
        self._kept: dict[tuple[object, ...], tuple[tuple[object, ...], list[Device]]] = {}

    def rows(self, sort_by: str, filters: Filters, *, tick: float, nulls: Nulls, folded: bool) -> Sequence[Device]:
        """List those that match, ascending; `folded` matches `os_name` in any case."""
        moved = (tick,) if sort_by == BY_HEARTBEAT else ()
        if filters == Filters():
            everyone = self._merged if sort_by == BY_HEARTBEAT else self._sorted
            return self._once(("all", sort_by, nulls), (sort_by,), moved, lambda: everyone(sort_by, tick, nulls))
        fields = [name for name, value in zip(FIELDS, filters, strict=True) if value is not None]
        return self._once(
            ("some", sort_by, nulls, filters, folded),
            (sort_by, *fields),
            moved,
            lambda: [
                device
                for device in self.rows(sort_by, Filters(), tick=tick, nulls=nulls, folded=folded)
                if matches(device, filters, folded=folded)
            ],
        )

    def _sorted(self, sort_by: str, tick: float, nulls: Nulls) -> list[Device]:
        return sorted(self._fleet.rows, key=lambda device: key(device, sort_by, tick=tick, nulls=nulls))

    def _merged(self, sort_by: str, tick: float, nulls: Nulls) -> list[Device]:
        """Put those that live where the time of the last heartbeat belongs among the silent ones."""

        def placed(device: Device) -> Key:
            return key(device, sort_by, tick=tick, nulls=nulls)

        changes = (BY_HEARTBEAT,)
        silent = self._once(
            ("silent", nulls), changes, (), lambda: sorted((d for d in self._fleet.rows if not d.live), key=placed)
        )
        live = self._once(("live",), changes, (), lambda: [device for device in self._fleet.rows if device.live])
        edge: Key = (1, tick, 1, 0)
        at = bisect_right(silent, edge, key=placed)
        return [*silent[:at], *live, *silent[at:]]

    def _once(
        self,
        what: tuple[object, ...],
        fields: Sequence[str],
        moved: tuple[object, ...],
        make: Callable[[], list[Device]],
    ) -> list[Device]:
        """Make a list unless it is kept and nothing it depends on has changed."""
        stamp = (*moved, *(self._fleet.versions[name] for name in ("members", *fields)))
        kept = self._kept.get(what)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        made = make()
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[what] = (stamp, made)
        return made


def key(device: Device, sort_by: str, *, tick: float, nulls: Nulls) -> Key:
    """Tell where a device stands in an order."""
    value: float | str | None = device.last_seen(tick) if sort_by == BY_HEARTBEAT else getattr(device, sort_by)
    live = int(device.live and sort_by == BY_HEARTBEAT)
    if value is None:
        return (0 if nulls == "first" else 2, 0, live, device.serial)
    return (1, value, live, device.serial)


def matches(device: Device, filters: Filters, *, folded: bool) -> bool:
    """Tell whether a device is among those asked for."""
    if filters.q is not None and filters.q.casefold() not in (device.name or "").casefold():
        return False
    if filters.user_id is not None and filters.user_id != device.user:
        return False
    if filters.status is not None and filters.status != device.status:
        return False
    if filters.os_name is None or filters.os_name == device.os_name:
        return True
    return folded and filters.os_name.casefold() == (device.os_name or "").casefold()
