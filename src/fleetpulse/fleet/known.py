"""The known fleet of one source: what the last sweeps told, compared with the next page.

The known fleet never runs ahead of the journal: `compare` and `absent` change nothing and return `Changes`; after those
are committed, `accept` takes them over. Changed segments are new objects, so they may be encoded on another thread.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from fleetpulse.fleet.device import Aspect, Device, DeviceStatus, KnownDevice, Readings, Sighting
from fleetpulse.fleet.doubt import Doubt, doubtful, weigh
from fleetpulse.fleet.events import (
    DeviceAppeared,
    DeviceBecameUnknown,
    DeviceCameOnline,
    DeviceChanged,
    DeviceEvent,
    DeviceForgotten,
    DeviceReturned,
    DeviceWentMissing,
    DeviceWentOffline,
    SourceBaselined,
)
from fleetpulse.fleet.walk import Walk

SEGMENT_DEVICES: Final = 1000
BASELINE_PART_DEVICES: Final = 1000  # keeps one event row of the journal below a megabyte
MOST_DEVICES: Final = 200_000  # of one source, twice what was measured: a list without end must not fill the memory
SILENT_DEVICES: Final = 10

Segment = Mapping[str, KnownDevice]

_ONLINE = DeviceStatus.ONLINE  # the lookup of an enum's member is slow for what is done for each device

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[KnownDevice])
_TURNED: Final[Mapping[DeviceStatus, type[DeviceEvent]]] = {
    DeviceStatus.ONLINE: DeviceCameOnline,
    DeviceStatus.OFFLINE: DeviceWentOffline,
    DeviceStatus.UNKNOWN: DeviceBecameUnknown,
}


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What a page, or a walk's end, would change. `segments` holds whole new segments by number.

    `confirmed` are the ids seen again in a state that is not online, or at a walk's end still missing: a `for` that
    ran out may open on them. `readings` are what the page says of devices by id. `absent` is set by the end of a walk
    that tells absence, and alone gives `doubt` a meaning: None there says that the walk is believed. `newcomers` are
    the ids that were not known before; at such an end, those that no second walk has listed yet, in place of the rest.
    """

    events: tuple[DeviceEvent | SourceBaselined, ...] = ()
    segments: Mapping[int, Segment] = {}
    confirmed: tuple[str, ...] = ()
    readings: Mapping[str, Readings] = {}
    absent: frozenset[str] | None = None
    doubt: Doubt | None = None
    newcomers: Mapping[str, datetime] = {}


class _Draft:
    """Segments as they would become; copies a segment when it is first written to."""

    def __init__(self, segments: Mapping[int, Segment], place: Mapping[str, int], room: Iterable[int]) -> None:
        self._segments = segments
        self._place = place
        self._room = sorted(room)
        self.changed: dict[int, dict[str, KnownDevice]] = {}
        self._placed: dict[str, int] = {}

    def get(self, device: str) -> KnownDevice | None:
        number = self._place.get(device)
        if number is None:
            number = self._placed.get(device)
            return None if number is None else self.changed[number].get(device)
        segment = self.changed.get(number)
        return (self._segments[number] if segment is None else segment).get(device)

    def put(self, known: KnownDevice) -> None:
        number = self._place.get(known.device.id, self._placed.get(known.device.id))
        if number is None:
            number = self._free()
            self._placed[known.device.id] = number
        self._writable(number)[known.device.id] = known

    def drop(self, device: str) -> None:
        del self._writable(self._place[device])[device]

    def _writable(self, number: int) -> dict[str, KnownDevice]:
        segment = self.changed.get(number)
        if segment is None:
            segment = self.changed[number] = dict(self._segments.get(number, {}))
        return segment

    def _free(self) -> int:
        while self._room:
            number = self._room[0]
            if len(self.changed.get(number, self._segments[number])) < SEGMENT_DEVICES:
                return number
            self._room.pop(0)
        number = max([*self._segments, *self.changed], default=-1)
        if number in self.changed and number not in self._segments and len(self.changed[number]) < SEGMENT_DEVICES:
            return number
        return number + 1


class KnownFleet:
    """The devices of one source. Segments of about 1,000 are loaded, dumped and rendered whole."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.doubt: Doubt | None = None
        self._segments: dict[int, Segment] = {}
        self._place: dict[str, int] = {}
        self._room: set[int] = set()
        self._counts: Counter[tuple[str, DeviceStatus]] = Counter()
        self._absent: frozenset[str] = frozenset()
        self._accepted = False
        self._settled: frozenset[str] = frozenset()
        self._newcomers: dict[str, datetime] = {}  # of a doubted time

    def __len__(self) -> int:
        return len(self._place)

    def compare(
        self, page: Sequence[Sighting], *, walk: Walk, seen_at: datetime, aspects: Aspect = Aspect.ALL
    ) -> Changes:
        """What this page would change; nothing is changed yet.

        A page of a baseline walk makes no events, but of devices known before a `rescope`. What an aspect does not
        speak of stays as it is. A full fleet takes nobody new in.
        """
        page = self._fitting(page)
        newcomers: dict[str, datetime] = {}
        draft = _Draft(self._segments, self._place, self._room)
        events: list[DeviceEvent] = []
        confirmed: list[str] = []
        statuses, attributes = Aspect.STATUS in aspects, Aspect.ATTRIBUTES in aspects
        get = draft.get
        for sighting in page:
            device, status = sighting.device, sighting.status
            known = get(device.id)
            if known is not None:
                device = device if attributes else known.device
                if not statuses:  # listed again, though nobody says how it is
                    status = DeviceStatus.UNKNOWN if known.status is DeviceStatus.MISSING else known.status
                if status is known.status:
                    if statuses and status is not _ONLINE:
                        confirmed.append(device.id)
                    if device == known.device and (known.ever_online or sighting.readings.last_seen_at is None):
                        continue
            elif not statuses:
                status = DeviceStatus.UNKNOWN
            if known is None:
                newcomers[device.id] = seen_at
            fresh = _successor(known, device, status, sighting.readings.last_seen_at, seen_at)
            draft.put(fresh)
            if not walk.baseline or device.id in self._settled:
                events += _device_events(self.source, known, fresh, seen_at=seen_at, late=walk.late)
        readings = {sighting.device.id: sighting.readings for sighting in page} if Aspect.READINGS in aspects else {}
        return Changes(
            events=tuple(events),
            segments=draft.changed,
            confirmed=tuple(confirmed),
            readings=readings,
            newcomers=newcomers,
        )

    def absent(
        self, walk: Walk, *, seen_at: datetime, forget_after: timedelta, baselines: bool | None = None
    ) -> Changes:
        """What the end of a walk would change: who goes missing, who is forgotten, the baseline.

        Missing takes two complete walks in a row. A walk that lists far fewer devices than are known is doubted: see
        `Doubt`. Who appeared in a doubted time and is absent again before a second walk lists it is forgotten at once,
        or a list that changes all its ids would fill the fleet. A baseline walk yields `SourceBaselined` instead, in
        parts; `baselines` says whether it is one although it is not complete. A walk that is not complete, or skipped
        odd rows, changes nothing else.
        """
        if walk.baseline and (walk.complete if baselines is None else baselines):
            return self._baselined(walk, seen_at)
        if not walk.tells_absence:
            return Changes()
        absent = frozenset(
            known.device.id
            for known in self._all()
            if known.status is not DeviceStatus.MISSING and known.device.id not in walk.seen
        )
        listed, doubt, fleeting = len(walk.seen), None, frozenset[str]()
        known_now = sum(number for (_, status), number in self._counts.items() if status is not DeviceStatus.MISSING)
        if self._accepted:
            gone = absent
        elif doubtful(len(absent), listed=listed, known=known_now):
            fleeting = self._fleeting(absent, walk) if listed else fleeting
            gone, doubt = weigh(self.doubt, absent, listed=listed, known=known_now, at=seen_at)
        else:
            gone = absent & self._absent
        draft = _Draft(self._segments, self._place, self._room)
        events: list[DeviceEvent] = []
        still: list[str] = []
        for known in self._all():
            device = known.device.id
            if device in gone:
                missing = msgspec.structs.replace(known, status=DeviceStatus.MISSING, since_at=seen_at)
                draft.put(missing)
                events += _device_events(self.source, known, missing, seen_at=seen_at, late=walk.late)
            elif device in fleeting or (doubt is None and self._outlived(known, walk, seen_at - forget_after)):
                draft.drop(device)
                events.append(_event(DeviceForgotten, self.source, known, known, seen_at=seen_at, late=walk.late))
            elif doubt is None and known.status is DeviceStatus.MISSING and device not in walk.seen:
                still.append(device)
        return Changes(
            events=tuple(events),
            segments=draft.changed,
            confirmed=tuple(still),
            absent=absent - gone if doubt is None else frozenset(),
            doubt=doubt,
            newcomers={
                device: at
                for device, at in self._newcomers.items()
                if doubt is not None and device not in fleeting and (at >= walk.started_at or device not in walk.seen)
            },
        )

    def silent(self, walk: Walk) -> int:
        """How many of the devices that this walk listed have no intelligible status, where it is too many to be true.

        That is all of them, or more than half, 10 at least, of those that were ever online: then the vendor changed its
        words, and nobody would see a device go offline. Otherwise 0.
        """
        if not any(status is DeviceStatus.UNKNOWN for _, status in self._counts):
            return 0
        listed = [known for known in self._all() if known.device.id in walk.seen]
        silent = [known for known in listed if known.status is DeviceStatus.UNKNOWN]
        live, silent_live = sum(known.ever_online for known in listed), sum(known.ever_online for known in silent)
        most = silent_live >= SILENT_DEVICES and silent_live > live / 2
        return len(silent) if most or len(silent) == len(listed) else 0

    def accept(self, changes: Changes) -> None:
        """Take over what was committed."""
        for number, segment in changes.segments.items():
            self._replace(number, segment)
        if changes.absent is not None:
            self._absent = changes.absent
            self.doubt = changes.doubt
            self._accepted = False
            self._settled = frozenset()
            self._newcomers = dict(changes.newcomers)
        elif self.doubt is not None:
            self._newcomers.update(changes.newcomers)

    def rescope(self) -> None:
        """The source looks elsewhere from now on, so a baseline comes again.

        Who is known so far is compared as ever, and forgotten at that baseline where it is not there; who is new in
        it is no news.
        """
        self._settled = frozenset(self._place)

    def accept_shorter_list(self) -> None:
        """Believe the next walk that tells absence, however few devices it lists (`sources accept`)."""
        self._accepted = True

    @property
    def full(self) -> bool:
        """Whether nobody new is taken in."""
        return len(self._place) >= MOST_DEVICES

    def counts(self) -> Mapping[tuple[str, DeviceStatus], int]:
        """How many devices each (group, status) holds."""
        return self._counts.copy()

    def select(
        self,
        *,
        status: DeviceStatus | None = None,
        group: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[KnownDevice]:
        """Devices in a stable order, `limit` at most, from behind the id `after` where that is known."""
        found: list[KnownDevice] = []
        for known in self._all(after):
            if (status is None or known.status is status) and (group is None or known.device.group == group):
                found.append(known)
                if len(found) >= limit:
                    break
        return found

    def device(self, device: str) -> KnownDevice | None:
        """One device by its id; on any thread, where what is being accepted is known or not yet."""
        number = self._place.get(device)
        return None if number is None else self._segments.get(number, {}).get(device)

    def segments(self) -> Mapping[int, Segment]:
        """All segments as they stand, for those who render them whole."""
        return self._segments

    def segment_of(self, device: str) -> int | None:
        """The number of the segment that holds the device."""
        return self._place.get(device)

    def load(self, number: int, payload: bytes) -> None:
        """Take in a segment as `dump` wrote it.

        Errors: ValueError when the bytes are not such a segment.
        """
        try:
            devices = _DECODER.decode(payload)
        except msgspec.MsgspecError as error:
            raise ValueError(f"segment {number} of {self.source} cannot be read: {error}") from error
        self._replace(number, {known.device.id: known for known in devices})

    def _replace(self, number: int, segment: Segment) -> None:
        """Put a new segment in an old one's place; readers on other threads see all counts before or all after it."""
        before = self._segments.get(number, {})
        counts = self._counts.copy()
        for device, known in segment.items():
            was = before.get(device)
            if was is known:
                continue
            if was is not None:
                counts[was.device.group, was.status] -= 1
            counts[known.device.group, known.status] += 1
            self._place[device] = number
        for device in before.keys() - segment.keys():
            gone = before[device]
            counts[gone.device.group, gone.status] -= 1
            del self._place[device]
        self._counts = +counts  # without the zeros, or groups of long ago would stay for ever
        self._segments[number] = segment
        if len(segment) < SEGMENT_DEVICES:
            self._room.add(number)
        else:
            self._room.discard(number)

    def _all(self, after: str | None = None) -> Iterator[KnownDevice]:
        start = self._place.get(after, 0) if after is not None else 0
        skipping = after is not None and after in self._place
        for number in sorted(self._segments):
            if number < start:
                continue
            for device, known in self._segments[number].items():
                if skipping:
                    skipping = device != after
                    continue
                yield known

    def _fitting(self, page: Sequence[Sighting]) -> Sequence[Sighting]:
        """The page, without the new devices that a full fleet has no room for."""
        room = MOST_DEVICES - len(self._place)
        if room >= len(page):
            return page
        new = [sighting.device.id for sighting in page if sighting.device.id not in self._place]
        refused = frozenset(new[max(0, room) :])
        return [sighting for sighting in page if sighting.device.id not in refused]

    def _fleeting(self, absent: frozenset[str], walk: Walk) -> frozenset[str]:
        """Those absent that only one walk of a doubted time has listed, and not this one."""
        return absent & {device for device, at in self._newcomers.items() if at < walk.started_at}

    def _outlived(self, known: KnownDevice, walk: Walk, missing_since: datetime) -> bool:
        """Whether a missing device is to be forgotten."""
        return (
            known.status is DeviceStatus.MISSING
            and known.device.id not in walk.seen
            and known.since_at <= missing_since
        )

    def _baselined(self, walk: Walk, seen_at: datetime) -> Changes:
        """A baseline's summary, in parts. Devices of a scope that was left are forgotten by it, if it tells absence."""
        draft = _Draft(self._segments, self._place, self._room)
        left: list[DeviceEvent] = []
        offline: list[KnownDevice] = []
        counts: Counter[str] = Counter()
        for known in self._all():
            settled = known.device.id in self._settled
            if settled and known.device.id not in walk.seen and walk.tells_absence:
                draft.drop(known.device.id)
                left.append(_event(DeviceForgotten, self.source, known, known, seen_at=seen_at, late=walk.late))
                continue
            counts[known.status.value] += 1
            if known.status is DeviceStatus.OFFLINE and known.ever_online and not settled:
                offline.append(known)
        starts = range(0, len(offline) or 1, BASELINE_PART_DEVICES)
        parts = tuple(
            SourceBaselined(
                source=self.source,
                subject="devices",
                seen_at=seen_at,
                part=number,
                parts=len(starts),
                counts=dict(counts),
                offline=tuple(offline[start : start + BASELINE_PART_DEVICES]),
            )
            for number, start in enumerate(starts)
        )
        return Changes(events=(*left, *parts), segments=draft.changed, absent=frozenset())


def dump(segment: Segment) -> bytes:
    """A segment as bytes for the journal; safe on any thread, for segments never change."""
    return _ENCODER.encode(list(segment.values()))


def _successor(
    known: KnownDevice | None, device: Device, status: DeviceStatus, last_seen_at: datetime | None, seen_at: datetime
) -> KnownDevice:
    ever_online = status is DeviceStatus.ONLINE or last_seen_at is not None or (known is not None and known.ever_online)
    if known is not None and known.status is status:
        return KnownDevice(device, status, known.since_at, known.last_seen_at or last_seen_at, ever_online)
    if last_seen_at is None and known is not None:
        last_seen_at = known.last_seen_at
    return KnownDevice(device, status, seen_at, last_seen_at, ever_online)


def _device_events(
    source: str, before: KnownDevice | None, after: KnownDevice, *, seen_at: datetime, late: bool
) -> list[DeviceEvent]:
    if before is None:
        return [_event(DeviceAppeared, source, None, after, seen_at=seen_at, late=late)]
    events: list[DeviceEvent] = []
    if before.device != after.device:
        changed = DeviceChanged(
            source=source,
            subject=after.device.id,
            seen_at=seen_at,
            late=late,
            device=after.device,
            status=after.status,
            was=before.status,
            ever_online=after.ever_online,
            last_seen_at=after.last_seen_at,
            before=before.device,
        )
        events.append(changed)
    if before.status is not after.status:
        if after.status is DeviceStatus.MISSING:
            turned: type[DeviceEvent] = DeviceWentMissing
        elif before.status is DeviceStatus.MISSING:
            turned = DeviceReturned
        else:
            turned = _TURNED[after.status]
        events.append(_event(turned, source, before, after, seen_at=seen_at, late=late))
    return events


def _event(
    kind: type[DeviceEvent],
    source: str,
    before: KnownDevice | None,
    after: KnownDevice,
    *,
    seen_at: datetime,
    late: bool,
) -> DeviceEvent:
    return kind(
        source=source,
        subject=after.device.id,
        seen_at=seen_at,
        occurred_at=after.last_seen_at if after.status is DeviceStatus.OFFLINE else None,
        late=late,
        device=after.device,
        status=after.status,
        was=None if before is None else before.status,
        ever_online=after.ever_online,
        last_seen_at=after.last_seen_at,
    )
