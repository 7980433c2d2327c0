"""The known fleet of one source: what the last sweeps told, compared with the next page.

The known fleet never runs ahead of the journal: `compare` and `absent` change nothing and return `Changes`; after those
are committed, `accept` takes them over. Changed segments are new objects, so they may be encoded on another thread.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from fleetpulse.fleet.absences import Absences
from fleetpulse.fleet.baseline import summary_addition, summary_parts
from fleetpulse.fleet.device import Aspect, Device, DeviceStatus, KnownDevice, Readings, Sighting, SimState
from fleetpulse.fleet.device_events import Teller
from fleetpulse.fleet.doubt import Doubt
from fleetpulse.fleet.events import DeviceEvent, SourceBaselined
from fleetpulse.fleet.segments import SEGMENT_DEVICES, Segment, Segments, dump
from fleetpulse.fleet.walk import Walk

__all__ = ["MOST_DEVICES", "SEGMENT_DEVICES", "SILENT_DEVICES", "Changes", "Elsewhere", "KnownFleet", "Segment", "dump"]

MOST_DEVICES: Final = 200_000  # of one source, twice what was measured: a list without end must not fill the memory
SILENT_DEVICES: Final = 10

_ONLINE = DeviceStatus.ONLINE  # the lookup of an enum's member is slow for what is done for each device
_PAUSED = SimState.PAUSED_BY_SYSTEM
_NOWHERE: Final[Segment] = {}


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What a page, or a walk's end, would change. `segments` holds whole new segments by number.

    `confirmed` are the ids seen again in a state that is not online, or online with a SIM that the system paused, or at
    a walk's end still missing: a `for` that ran out may open on them. `readings` are what the page says of devices by
    id. `absent` is set by the end of a walk that tells absence, and alone gives `doubt` a meaning: None there says that
    the walk is believed. `walked_at` is when the last such walk began that was not empty. `newcomers` are the ids that
    were not known before; at such an end, those that no second walk has listed yet, in place of the rest.
    """

    events: tuple[DeviceEvent | SourceBaselined, ...] = ()
    segments: Mapping[int, Segment] = {}
    confirmed: tuple[str, ...] = ()
    readings: Mapping[str, Readings] = {}
    absent: frozenset[str] | None = None
    walked_at: datetime | None = None
    doubt: Doubt | None = None
    newcomers: Mapping[str, datetime] = {}


class Elsewhere(Protocol):
    """Where else a device is."""

    def __call__(self, device: str, /, *, since: datetime | None = None) -> str:
        """The other source that lists the device now, empty where none does.

        With `since`, only one that began to list it then or later.
        """
        ...


def _nowhere(_: str, /, *, since: datetime | None = None) -> str:  # noqa: ARG001 - as the protocol says
    """No other source could list a device of this one."""
    return ""


class KnownFleet:
    """The devices of one source."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._segments = Segments()
        self._absences = Absences()
        self._settled: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self._segments)

    @property
    def doubt(self) -> Doubt | None:
        """Why the last walk that tells absence was not believed."""
        return self._absences.doubt

    def compare(
        self, page: Sequence[Sighting], *, walk: Walk, seen_at: datetime, aspects: Aspect = Aspect.ALL
    ) -> Changes:
        """What this page would change; nothing is changed yet.

        A page of a baseline walk makes no events, but of devices known before a `rescope`. Where it tells attributes
        and no status, it comes beside the census, which may have told of devices already: what one that is not online
        is called is told, and one that was offline when nobody knew that it had ever been online adds to the census's
        baseline. What an aspect does not speak of stays as it is. A full fleet takes nobody new in. That a device
        which is not online was heard of since makes no event, but is kept: all its sessions may fall between two
        looks.
        """
        statuses, attributes = Aspect.STATUS in aspects, Aspect.ATTRIBUTES in aspects
        page = self._fitting(page)
        if not (statuses and attributes):
            page = [self._completed(sighting, aspects) for sighting in page]
        draft, tell = self._segments.draft(), Teller(self.source, seen_at=seen_at, late=walk.late)
        events: list[DeviceEvent | SourceBaselined] = []
        history: list[tuple[KnownDevice | None, KnownDevice]] = []
        confirmed: list[str] = []
        newcomers: dict[str, datetime] = {}
        segment = _NOWHERE  # of the device before, and as a rule of the next one
        for sighting in page:
            device, status = sighting.device, sighting.status
            id_ = device.id
            known = segment.get(id_)
            if known is None:
                segment = draft.segment_of(id_)
                known = segment.get(id_)
            if known is None:
                newcomers[id_] = seen_at
            elif status is known.status:
                if statuses if status is not _ONLINE else attributes and device.sim is _PAUSED:
                    confirmed.append(id_)
                if status is _ONLINE and device == known.device:  # as with nearly all, so it is to cost little
                    continue
            fresh = _successor(known, device, status, sighting.readings.last_seen_at, seen_at)
            if fresh == known:
                continue
            segment = draft.put(fresh)
            if not walk.baseline or id_ in self._settled:
                events += tell.between(known, fresh)
            else:
                history.append((known, fresh))
        events += self._told_beside(history, tell, seen_at=seen_at, aspects=aspects)
        readings = {sighting.device.id: sighting.readings for sighting in page} if Aspect.READINGS in aspects else {}
        return Changes(
            events=tuple(events),
            segments=draft.changed,
            confirmed=tuple(confirmed),
            readings=readings,
            newcomers=newcomers,
        )

    def absent(
        self,
        walk: Walk,
        *,
        seen_at: datetime,
        forget_after: timedelta,
        baselines: bool | None = None,
        elsewhere: Elsewhere = _nowhere,
    ) -> Changes:
        """What the end of a walk would change: who moved away, goes missing, is forgotten; the baseline.

        Who is absent and began to be listed `elsewhere` since the last such walk has moved there: it is dropped at
        once, and counts neither as missing nor for a doubt. To be listed there for longer, which may be so all the
        time, proves nothing of this list: who of those is gone by the usual rules (`Absences.judge`) has moved as well,
        and the rest of the gone is missing. An empty list moves nobody. As long as nothing is accepted meanwhile, this
        may be asked on any thread.

        A baseline walk yields `SourceBaselined` instead, in parts; `baselines` says whether it is one although it is
        not complete. A walk that is not complete, or skipped odd rows, changes nothing else.
        """
        if walk.baseline and (walk.complete if baselines is None else baselines):
            return self._baselined(walk, seen_at, elsewhere)
        if not walk.tells_absence:
            return Changes()
        unlisted = self._unlisted(walk, self._segments.ids())
        believed = bool(walk.seen) or self._absences.accepted
        moved = _moved(unlisted, elsewhere, since=self._absences.walked_at) if believed else {}
        absent = frozenset(
            known.device.id
            for known in unlisted
            if known.status is not DeviceStatus.MISSING and known.device.id not in moved
        )
        verdict = self._absences.judge(absent, walk, known=len(absent) + self._listed(unlisted), seen_at=seen_at)
        missing = [known for known in unlisted if known.status is DeviceStatus.MISSING] if believed else []
        moved |= _moved([*missing, *(known for known in unlisted if known.device.id in verdict.gone)], elsewhere)
        draft, tell = self._segments.draft(), Teller(self.source, seen_at=seen_at, late=walk.late)
        events: list[DeviceEvent] = []
        still: list[str] = []
        for known in unlisted:
            device, is_missing = known.device.id, known.status is DeviceStatus.MISSING
            if device in moved:
                draft.drop(device)
                events.append(tell.moved_away(known, moved[device]))
            elif device in verdict.gone:
                fresh = msgspec.structs.replace(known, status=DeviceStatus.MISSING, since_at=seen_at)
                draft.put(fresh)
                events += tell.between(known, fresh)
            elif device in verdict.fleeting or (
                is_missing and verdict.doubt is None and known.since_at <= seen_at - forget_after
            ):
                draft.drop(device)
                events.append(tell.forgotten(known))
            elif is_missing and verdict.doubt is None:
                still.append(device)
        return Changes(
            events=tuple(events),
            segments=draft.changed,
            confirmed=tuple(still),
            absent=verdict.absent,
            walked_at=walk.started_at if believed else self._absences.walked_at,
            doubt=verdict.doubt,
            newcomers=verdict.newcomers,
        )

    def silent(self, walk: Walk) -> int:
        """How many of the devices that this walk listed have no intelligible status, where it is too many to be true.

        That is all of them, or more than half, 10 at least, of those that were ever online: then the vendor changed its
        words, and nobody would see a device go offline. Otherwise 0.
        """
        if not any(status is DeviceStatus.UNKNOWN for _, status in self._segments.counts):
            return 0
        listed = [known for known in self._segments.all() if known.device.id in walk.seen]
        silent = [known for known in listed if known.status is DeviceStatus.UNKNOWN]
        live, silent_live = sum(known.ever_online for known in listed), sum(known.ever_online for known in silent)
        most = silent_live >= SILENT_DEVICES and silent_live > live / 2
        return len(silent) if most or len(silent) == len(listed) else 0

    def accept(self, changes: Changes) -> None:
        """Take over what was committed."""
        for number, segment in changes.segments.items():
            self._segments.replace(number, segment)
        if changes.absent is None or changes.walked_at is None:
            self._absences.note(changes.newcomers)
        else:
            self._absences.accept(changes.absent, changes.doubt, changes.newcomers, walked_at=changes.walked_at)
            self._settled = frozenset()

    def rescope(self) -> None:
        """The source looks elsewhere from now on, so a baseline comes again.

        Who is known so far is compared as ever, and forgotten at that baseline where it is not there; who is new in
        it is no news.
        """
        self._settled = frozenset(self._segments.ids())

    def accept_shorter_list(self) -> None:
        """Believe the next walk that tells absence, however few devices it lists (`sources accept`)."""
        self._absences.accepted = True

    @property
    def full(self) -> bool:
        """Whether nobody new is taken in."""
        return len(self) >= MOST_DEVICES

    def counts(self) -> Mapping[tuple[str, DeviceStatus], int]:
        """How many devices each (group, status) holds."""
        return self._segments.counts.copy()

    def sims(self) -> Mapping[SimState, int]:
        """How many SIMs are in each state, those of missing devices not counted; empty where there is no SIM."""
        return self._segments.sims.copy()

    def select(
        self,
        *,
        status: DeviceStatus | None = None,
        group: str | None = None,
        tag: str | None = None,
        query: str = "",
        after: str | None = None,
        limit: int = 100,
    ) -> list[KnownDevice]:
        """Devices in a stable order, `limit` at most, from behind the id `after` where that is known.

        `query` is looked for in names and ids, in whichever case.
        """
        wanted, found = query.casefold(), list[KnownDevice]()
        for known in self._segments.all(after):
            device = known.device
            if (
                (status is None or known.status is status)
                and (group is None or device.group == group)
                and (tag is None or tag in device.tags)
                and (not wanted or wanted in device.name.casefold() or wanted in device.id.casefold())
            ):
                found.append(known)
                if len(found) >= limit:
                    break
        return found

    def device(self, device: str) -> KnownDevice | None:
        """One device by its id; on any thread, where what is being accepted is known or not yet."""
        return self._segments.get(device)

    def lists(self, device: str) -> bool:
        """Whether the device is known here and not missing; on any thread."""
        known = self._segments.get(device)
        return known is not None and known.status is not DeviceStatus.MISSING

    def segments(self) -> Mapping[int, Segment]:
        """All segments as they stand, for those who render them whole."""
        return self._segments.by_number

    def segment_of(self, device: str) -> int | None:
        """The number of the segment that holds the device."""
        return self._segments.number_of(device)

    def load(self, number: int, payload: bytes) -> None:
        """Take in a segment as `dump` wrote it.

        Errors: ValueError when the bytes are not such a segment.
        """
        try:
            self._segments.load(number, payload)
        except ValueError as error:
            raise ValueError(f"segment {number} of {self.source} cannot be read: {error}") from error

    def _fitting(self, page: Sequence[Sighting]) -> Sequence[Sighting]:
        """The page, without the new devices that a full fleet has no room for."""
        room = MOST_DEVICES - len(self)
        if room >= len(page):
            return page
        known = self._segments.ids()
        new = [sighting.device.id for sighting in page if sighting.device.id not in known]
        refused = frozenset(new[max(0, room) :])
        return [sighting for sighting in page if sighting.device.id not in refused]

    def _told_beside(
        self,
        history: Iterable[tuple[KnownDevice | None, KnownDevice]],
        tell: Teller,
        *,
        seen_at: datetime,
        aspects: Aspect,
    ) -> list[DeviceEvent | SourceBaselined]:
        """What is told of a baseline of attributes without status, of devices that the census has told of before."""
        if Aspect.STATUS in aspects or Aspect.ATTRIBUTES not in aspects:
            return []
        unwell = [(was, now) for was, now in history if was is not None and now.status is not _ONLINE]
        events: list[DeviceEvent | SourceBaselined] = []
        for was, now in unwell:
            if was.ever_online:  # an alert may stand on it
                events += tell.between(was, now)
        offline = [
            now for was, now in unwell if now.status is DeviceStatus.OFFLINE and now.ever_online and not was.ever_online
        ]
        if offline:
            events.append(summary_addition(self.source, offline, self._segments.counts, seen_at=seen_at))
        return events

    def _completed(self, sighting: Sighting, aspects: Aspect) -> Sighting:
        """The sighting, with what is known already in place of what its page does not speak of."""
        device, status = sighting.device, sighting.status
        known = self._segments.get(device.id)
        if known is not None and Aspect.ATTRIBUTES not in aspects:
            device = known.device
        if Aspect.STATUS not in aspects:  # one that was missing is listed again, though nobody says how it is
            status = DeviceStatus.UNKNOWN if known is None or known.status is DeviceStatus.MISSING else known.status
        return Sighting(device, status, sighting.readings)

    def _unlisted(self, walk: Walk, devices: Iterable[str]) -> list[KnownDevice]:
        seen = walk.seen
        return self._segments.among([id_ for id_ in devices if id_ not in seen])

    def _listed(self, unlisted: Sequence[KnownDevice]) -> int:
        """How many devices are known that are neither missing nor among these."""
        known = sum(
            number for (_, status), number in self._segments.counts.items() if status is not DeviceStatus.MISSING
        )
        return known - sum(each.status is not DeviceStatus.MISSING for each in unlisted)

    def _baselined(self, walk: Walk, seen_at: datetime, elsewhere: Elsewhere) -> Changes:
        """A baseline's summary. Devices of a scope that was left are forgotten by it, if it tells absence."""
        left = self._unlisted(walk, self._settled & self._segments.ids()) if walk.tells_absence else []
        moved = _moved(left, elsewhere)
        draft, tell = self._segments.draft(), Teller(self.source, seen_at=seen_at, late=walk.late)
        events: list[DeviceEvent] = []
        for known in left:
            to = moved.get(known.device.id)
            draft.drop(known.device.id)
            events.append(tell.forgotten(known) if to is None else tell.moved_away(known, to))
        gone = {known.device.id for known in left}
        staying = (known for known in self._segments.all() if known.device.id not in gone)
        parts = summary_parts(self.source, staying, settled=self._settled, seen_at=seen_at)
        return Changes(events=(*events, *parts), segments=draft.changed, absent=frozenset(), walked_at=walk.started_at)


def _moved(unlisted: Iterable[KnownDevice], elsewhere: Elsewhere, *, since: datetime | None = None) -> dict[str, str]:
    """Those of the devices that another source lists, with its name; see `Elsewhere`."""
    places = ((known.device.id, elsewhere(known.device.id, since=since)) for known in unlisted)
    return {device: to for device, to in places if to}


def _successor(
    known: KnownDevice | None, device: Device, status: DeviceStatus, last_seen_at: datetime | None, seen_at: datetime
) -> KnownDevice:
    ever_online = status is DeviceStatus.ONLINE or last_seen_at is not None or (known is not None and known.ever_online)
    if known is None:
        return KnownDevice(device, status, seen_at, last_seen_at, ever_online)
    kept_at = known.last_seen_at
    if known.status is not status:
        return KnownDevice(device, status, seen_at, kept_at if last_seen_at is None else last_seen_at, ever_online)
    moves = kept_at is None or (status is not _ONLINE and _moves_on(kept_at, last_seen_at, seen_at))
    return KnownDevice(device, status, known.since_at, last_seen_at if moves else kept_at, ever_online)


def _moves_on(kept_at: datetime, told_at: datetime | None, now: datetime) -> bool:
    """Whether the vendor heard of it since. A time to come is nonsense, and must not stand in a true one's way."""
    return told_at is not None and told_at <= now and not told_at <= kept_at <= now
