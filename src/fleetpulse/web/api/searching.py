"""Finding devices, deployments and jobs: pure, on frozen values, so that a thread may do it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from fleetpulse import clock
from fleetpulse.fleet.deployment import Deployment
from fleetpulse.fleet.device import DeviceStatus, KnownDevice
from fleetpulse.fleet.job import BulkJob
from fleetpulse.fleet.known import Segment
from fleetpulse.web.api.errors import quoted
from fleetpulse.web.views import Known

MOST_HINTED: Final = 20  # groups or tags that are named to who asked for one that is not there

Thing = TypeVar("Thing", Deployment, BulkJob)


class DevicePlace(NamedTuple):
    """The order in which devices are listed.

    A device keeps its place while it is known, so a listing over many requests holds each that is there all the while
    exactly once.
    """

    source: str
    segment: int
    id: str


class ThingPlace(NamedTuple):
    """The order of deployments and jobs: the youngest first; those without a time come last."""

    age: int
    source: str
    id: str


class DeviceFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What devices are wanted. `q` is a piece of name or id in any case, `name` the whole of one of them."""

    status: DeviceStatus | None = None
    group: str | None = None
    tag: str | None = None
    q: str | None = None
    name: str | None = None

    def wants(self, known: KnownDevice) -> bool:
        """Whether it is among them; `q` must be casefolded."""
        device = known.device
        return (
            (self.status is None or known.status is self.status)
            and (self.group is None or device.group == self.group)
            and (self.tag is None or self.tag in device.tags)
            and (self.name is None or self.name in (device.id, device.name))
            and (self.q is None or self.q in device.name.casefold() or self.q in device.id.casefold())
        )


Fleet = tuple[Known, Mapping[int, Segment]]
"""A source with its segments of one moment."""


def held_still(sources: Sequence[Known]) -> list[Fleet]:
    """The fleets as they are now, to be searched on a thread: segments are replaced, never changed."""
    return [(known, dict(known.fleet.segments())) for known in sources]


def find_devices(
    fleets: Sequence[Fleet],
    wanted: DeviceFilter,
    row: Callable[[Known, KnownDevice], dict[str, Any]],
    *,
    after: DevicePlace | None,
    limit: int,
) -> tuple[list[dict[str, Any]], DevicePlace | None]:
    """Rows of the wanted devices behind a place, `limit` at most, and the last one's place where there are more."""
    rows: list[dict[str, Any]] = []
    last: DevicePlace | None = None
    for place, known, device in _devices(fleets, after):
        if not wanted.wants(device):
            continue
        if len(rows) >= limit:
            return rows, last
        rows.append(row(known, device))
        last = place
    return rows, None


def unmatched(fleets: Sequence[Fleet], wanted: DeviceFilter) -> str:
    """What no device has of that which is wanted, and what there is instead; empty where each is to be found."""
    for title, word, of in (
        ("group", wanted.group, lambda device: (device.group,)),
        ("tag", wanted.tag, lambda device: device.tags),
    ):
        if word is None:
            continue
        there = {each for _, _, known in _devices(fleets, None) for each in of(known.device) if each}
        if word not in there:
            names = sorted(there)
            more = f" and {len(names) - MOST_HINTED:,} more" if len(names) > MOST_HINTED else ""
            return f"no {title} {quoted(word)}; {title}s: {', '.join(names[:MOST_HINTED]) or 'none'}{more}"
    return ""


def find_things(
    things: Sequence[tuple[Known, Thing]],
    row: Callable[[Known, Thing], dict[str, Any]],
    *,
    after: ThingPlace | None,
    limit: int,
) -> tuple[list[dict[str, Any]], ThingPlace | None]:
    """Rows of deployments or jobs behind a place, the youngest first."""
    placed = sorted(((_place(known, thing), known, thing) for known, thing in things), key=lambda each: each[0])
    behind = [each for each in placed if after is None or each[0] > after]
    rows = [row(known, thing) for _, known, thing in behind[:limit]]
    return rows, behind[limit - 1][0] if len(behind) > limit else None


def all_deployments(known: Known) -> list[Deployment]:
    """The deployments of a source that were looked at, those that ended long ago included."""
    return known.deployments.shown(clock.now(), timedelta.max)


def all_jobs(known: Known) -> list[BulkJob]:
    """The jobs of a source, those that ended long ago included."""
    return known.jobs.shown(clock.now(), timedelta.max)


def _devices(fleets: Sequence[Fleet], after: DevicePlace | None) -> Iterator[tuple[DevicePlace, Known, KnownDevice]]:
    for known, segments in sorted(fleets, key=lambda fleet: fleet[0].source):
        if after is not None and known.source < after.source:
            continue
        here = after if after is not None and known.source == after.source else None
        for number in sorted(segments):
            if here is not None and number < here.segment:
                continue
            ids = sorted(segments[number])
            if here is not None and number == here.segment:
                ids = [id_ for id_ in ids if id_ > here.id]
            for id_ in ids:
                yield DevicePlace(known.source, number, id_), known, segments[number][id_]


def _place(known: Known, thing: Deployment | BulkJob) -> ThingPlace:
    began_at = thing.created_at if isinstance(thing, Deployment) else thing.started_at
    return ThingPlace(1 if began_at is None else -clock.to_us(began_at), known.source, thing.id)
