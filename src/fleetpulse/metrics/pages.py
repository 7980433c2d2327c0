"""The fleet's pages: all families about devices and what is done to them, rendered on change and not when scraped.

A source is kept in parts (its segments, each deployment, its jobs, tunnels and flows). A change only notes which
families of which part are owed; they are rendered in short slices, and a scrape joins what stands, family by family.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Final

import structlog

from fleetpulse import clock
from fleetpulse.fleet.deployment import Deployment
from fleetpulse.fleet.flow import UpdateFlow
from fleetpulse.fleet.job import BulkJob
from fleetpulse.fleet.known import Changes, KnownFleet
from fleetpulse.fleet.tunnel import Tunnel
from fleetpulse.metrics import wholes
from fleetpulse.metrics.allowance import fitting
from fleetpulse.metrics.devices import ASPECTS, DeviceFamily, families
from fleetpulse.metrics.exposition import Family, chunks
from fleetpulse.metrics.source_pages import Part, SourcePages

SLICE_S: Final = 0.005  # how long rendering may hold the event loop at a time

_Owed = tuple[str, Part, str]  # source, part, and the family where the part is a segment


class FleetPages:
    """Keeps the rendered pages of all sources.

    `per_device` names the families each device has, the most wanted first. When they would hold more than
    `max_device_series` samples, whole families of the largest sources go, from the last on: half a family of a source
    would be a lie.
    `dirty` is set while something is owed.
    Errors: ValueError when `per_device` names what is not in `ASPECTS`.
    """

    def __init__(self, *, per_device: Collection[str] = ASPECTS, max_device_series: int = 200_000) -> None:
        self.dirty = asyncio.Event()
        self.rendered = 0
        self._families = families(per_device)
        self._of_readings = [family for family in self._families if family.of_readings]
        self._aspects = tuple(dict.fromkeys(family.aspect for family in self._families))
        self._most = max_device_series
        self._sources: dict[str, SourcePages] = {}
        self._owed: dict[_Owed, Callable[[], None]] = {}
        self._log = structlog.get_logger(__name__)

    @property
    def behind(self) -> int:
        """How many pieces are owed; each takes about half a millisecond."""
        return len(self._owed)

    def devices(self, fleet: KnownFleet, *, vendor: str, changes: Changes) -> None:
        """Note what a page changed, after the known fleet has accepted it.

        A fleet loaded from the journal is shown by `Changes(segments=fleet.segments())`.
        """
        source = self._source(fleet.source)
        source.fleet, source.vendor = fleet, vendor
        for number, segment in changes.segments.items():
            source.prune_readings(number, segment)
            self._owe_segment(source, number, self._families)
        if self._of_readings:
            for number in source.take_readings(fleet, changes) - changes.segments.keys():
                self._owe_segment(source, number, self._of_readings)
        if changes.segments:
            self._owe_part(
                source, "devices", lambda: wholes.devices_pieces(source.source, fleet.counts(), fleet.sims())
            )

    def deployments(self, source: str, deployments: Iterable[Deployment]) -> None:
        """Show these deployments of the source and no others; one that is the same object as before stands.

        Too many to single out are only counted.
        """
        owner = self._source(source)
        counted = {deployment.id: deployment for deployment in deployments}.values()
        shown = {f"deployment {deployment.id}": deployment for deployment in wholes.singled_out(counted)}
        for gone in owner.deployments.keys() - shown.keys():
            self._owed.pop((source, gone, ""), None)
            owner.drop_part(gone)
        for part, deployment in shown.items():
            if owner.deployments.get(part) is not deployment:
                self._owe_part(owner, part, partial(wholes.deployment_pieces, source, deployment))
        owner.deployments = shown
        self._owe_part(owner, "deployments", lambda: wholes.deployments_pieces(source, counted))

    def jobs(self, source: str, jobs: Iterable[BulkJob]) -> None:
        """Show these bulk jobs of the source and no others."""
        shown = {job.id: job for job in jobs}
        self._owe_part(self._source(source), "jobs", lambda: wholes.jobs_pieces(source, shown.values()))

    def tunnels(self, source: str, tunnels: Iterable[Tunnel]) -> None:
        """Show these tunnels of the source and no others."""
        shown = {tunnel.id: tunnel for tunnel in tunnels}
        self._owe_part(self._source(source), "tunnels", lambda: wholes.tunnels_pieces(source, shown.values()))

    def flows(self, source: str, flows: Iterable[UpdateFlow]) -> None:
        """Show these update flows of the source and no others."""
        shown = {flow.id: flow for flow in flows}
        self._owe_part(self._source(source), "flows", lambda: wholes.flows_pieces(source, shown.values()))

    def removed(self, source: str) -> None:
        """Show nothing of the source any more."""
        self._sources.pop(source, None)
        self._owed = {key: render for key, render in self._owed.items() if key[0] != source}

    def stale(self, source: str, is_stale: bool) -> None:
        """Withhold `fleet_device_up` of the source, or show it again."""
        self._source(source).stale = is_stale

    def refresh(self, budget_s: float = SLICE_S) -> bool:
        """Render what is owed, the oldest first, for about `budget_s`; tell whether more is owed."""
        until = clock.monotonic() + budget_s
        while self._owed:
            render = self._owed.pop(next(iter(self._owed)))
            render()
            self.rendered += 1
            if clock.monotonic() >= until:
                break
        if not self._owed:
            for source in self._sources.values():
                source.shown = source.kept
            self._fit()
        if not self._owed:
            self.dirty.clear()
        return bool(self._owed)

    def text(self) -> list[bytes]:
        """The whole exposition as it is rendered now, in chunks; a family without samples is left out."""
        self._fit()
        pieces: list[bytes] = []
        for family in self._families:
            place = self._aspects.index(family.aspect)
            pieces += _joined(
                family,
                [
                    source
                    for source in self._sources.values()
                    if place < source.shown and not (family.fresh_only and source.stale)
                ],
            )
        for whole in wholes.FAMILIES:
            pieces += _joined(whole, self._sources.values())
        return list(chunks(pieces))

    def _source(self, name: str) -> SourcePages:
        if name not in self._sources:
            self._sources[name] = SourcePages(name, aspects=len(self._aspects))
        return self._sources[name]

    def _owe_segment(self, source: SourcePages, number: int, owed: Iterable[DeviceFamily]) -> None:
        for family in owed:
            self._owe((source.source, number, family.name), partial(self._render_segment, source, number, family))

    def _owe_part(self, source: SourcePages, part: str, pieces: Callable[[], wholes.Pieces]) -> None:
        def render() -> None:
            for family, piece in pieces().items():
                source.put(family, part, piece)

        self._owe((source.source, part, ""), render)

    def _owe(self, key: _Owed, render: Callable[[], None]) -> None:
        self._owed[key] = render  # what is owed already keeps its place in the queue
        self.dirty.set()

    def _render_segment(self, source: SourcePages, number: int, family: DeviceFamily) -> None:
        place = self._aspects.index(family.aspect)
        source.samples[place] += source.render_segment(number, family, keep=place < source.kept)

    def _fit(self) -> None:
        """Leave out, or take back, the last families of sources, as the number of samples wants it."""
        fits = fitting(
            {name: source.samples for name, source in self._sources.items()},
            most=self._most,
            shown={name: source.kept for name, source in self._sources.items()},
        )
        for name, source in self._sources.items():
            before, source.kept = source.kept, fits[name]
            source.shown = min(source.shown, source.kept)
            if source.kept < before:
                self._leave_out(source, self._aspects[source.kept : before])
            elif source.kept > before:
                self._take_back(source, self._aspects[before : source.kept])

    def _leave_out(self, source: SourcePages, aspects: Collection[str]) -> None:
        self._log.warning(
            "devices have more series than allowed, so whole families are left out of /metrics",
            source=source.source,
            left_out=", ".join(aspects),
            max_device_series=self._most,
            cure="raise max_device_series in [metrics], or name less in per_device",
        )
        for family in self._of(aspects):
            source.drop_family(family.name)

    def _take_back(self, source: SourcePages, aspects: Collection[str]) -> None:
        self._log.info(
            "devices have fewer series again, so families return to /metrics",
            source=source.source,
            back=", ".join(aspects),
        )
        for number in source.fleet.segments() if source.fleet is not None else ():
            self._owe_segment(source, number, self._of(aspects))

    def _of(self, aspects: Collection[str]) -> list[DeviceFamily]:
        return [family for family in self._families if family.aspect in aspects]


def _joined(family: Family, sources: Iterable[SourcePages]) -> list[bytes]:
    pieces = [piece for source in sources for piece in source.pieces(family.name)]
    return [family.head(), *pieces] if pieces else []
