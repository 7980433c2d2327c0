"""The devices of one source in segments of about 1,000, which are loaded, dumped and rendered whole."""

from collections import Counter
from collections.abc import Iterable, Iterator, KeysView, Mapping
from typing import Final

import msgspec

from fleetpulse.fleet.device import DeviceStatus, KnownDevice, SimState

SEGMENT_DEVICES: Final = 1000

Segment = Mapping[str, KnownDevice]
"""Known devices by id. It never changes, so it may be encoded on another thread."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[KnownDevice])
_NOTHING: Final[Segment] = {}


def dump(segment: Segment) -> bytes:
    """A segment as bytes for the journal; safe on any thread."""
    return _ENCODER.encode(list(segment.values()))


class Segments:
    """All segments by number, where each device is, and the counts of what they hold."""

    def __init__(self) -> None:
        self.by_number: dict[int, Segment] = {}
        self.counts: Counter[tuple[str, DeviceStatus]] = Counter()
        self.sims: Counter[SimState] = Counter()
        self._place: dict[str, int] = {}
        self._room: set[int] = set()

    def __len__(self) -> int:
        return len(self._place)

    def ids(self) -> KeysView[str]:
        """The ids of all devices."""
        return self._place.keys()

    def number_of(self, device: str) -> int | None:
        """The number of the segment that holds the device."""
        return self._place.get(device)

    def get(self, device: str) -> KnownDevice | None:
        """One device by its id; on any thread, where what is being replaced is known or not yet."""
        number = self._place.get(device)
        return None if number is None else self.by_number.get(number, _NOTHING).get(device)

    def all(self, after: str | None = None) -> Iterator[KnownDevice]:
        """Every device in a stable order, from behind the id `after` where that is known."""
        start = self._place.get(after, 0) if after is not None else 0
        skipping = after is not None and after in self._place
        for number in sorted(self.by_number):
            if number < start:
                continue
            for device, known in self.by_number[number].items():
                if skipping:
                    skipping = device != after
                    continue
                yield known

    def among(self, devices: Iterable[str]) -> list[KnownDevice]:
        """Those devices, all of them known, in an order that is the same at each run."""
        place = self._place
        return [self.by_number[place[id_]][id_] for id_ in sorted(devices, key=lambda id_: (place[id_], id_))]

    def draft(self) -> "Draft":
        """The segments as a page would change them."""
        return Draft(self.by_number, self._place, self._room)

    def replace(self, number: int, segment: Segment) -> None:
        """Put a new segment in an old one's place; readers on other threads see all counts before or all after it."""
        before = self.by_number.get(number, _NOTHING)
        counts, sims = self.counts.copy(), self.sims.copy()
        for device, known in segment.items():
            was = before.get(device)
            if was is known:
                continue
            if was is not None:
                _count(was, counts, sims, -1)
            _count(known, counts, sims, 1)
            self._place[device] = number
        for device in before.keys() - segment.keys():
            _count(before[device], counts, sims, -1)
            del self._place[device]
        self.counts, self.sims = +counts, +sims  # without the zeros, or groups of long ago would stay for ever
        self.by_number[number] = segment
        if len(segment) < SEGMENT_DEVICES:
            self._room.add(number)
        else:
            self._room.discard(number)

    def load(self, number: int, payload: bytes) -> None:
        """Take in a segment as `dump` wrote it.

        Errors: ValueError when the bytes are not such a segment.
        """
        try:
            devices = _DECODER.decode(payload)
        except msgspec.MsgspecError as error:
            raise ValueError(str(error)) from error
        self.replace(number, {known.device.id: known for known in devices})


class Draft:
    """Segments as they would become; copies a segment when it is first written to."""

    def __init__(self, segments: Mapping[int, Segment], place: Mapping[str, int], room: Iterable[int]) -> None:
        self._segments = segments
        self._place = place
        self._room = sorted(room)
        self.changed: dict[int, dict[str, KnownDevice]] = {}
        self._placed: dict[str, int] = {}

    def segment_of(self, device: str) -> Segment:
        """The segment that holds the device, as it would become until it is next written to; else an empty one."""
        number = self._place.get(device)
        if number is None:
            number = self._placed.get(device)
            return _NOTHING if number is None else self.changed[number]
        return self.changed.get(number) or self._segments[number]

    def put(self, known: KnownDevice) -> Segment:
        """Write a device, at its place or a free one; gives the segment that holds it now."""
        id_ = known.device.id
        number = self._place.get(id_, self._placed.get(id_))
        if number is None:
            number = self._placed[id_] = self._free()
        segment = self._writable(number)
        segment[id_] = known
        return segment

    def drop(self, device: str) -> None:
        """Remove a device that was known."""
        del self._writable(self._place[device])[device]

    def _writable(self, number: int) -> dict[str, KnownDevice]:
        segment = self.changed.get(number)
        if segment is None:
            segment = self.changed[number] = dict(self._segments.get(number, _NOTHING))
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


def _count(known: KnownDevice, counts: Counter[tuple[str, DeviceStatus]], sims: Counter[SimState], number: int) -> None:
    device = known.device
    counts[device.group, known.status] += number
    if device.sim is not None and known.status is not DeviceStatus.MISSING:  # its SIM left the list with it
        sims[device.sim] += number
