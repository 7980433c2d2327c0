"""What one source has on the fleet's pages: its rendered pieces, and the readings they are made of."""

from collections.abc import Iterator
from typing import Final

from fleetpulse.fleet.deployment import Deployment
from fleetpulse.fleet.device import Readings
from fleetpulse.fleet.known import Changes, KnownFleet
from fleetpulse.fleet.segments import Segment
from fleetpulse.metrics.devices import DeviceFamily, count_samples, device_piece

Part = int | str
"""A segment's number, a deployment's key, or the name of what a source has once."""

_NOWHERE: Final[Segment] = {}


class SourcePages:
    """Pieces by family and part. Readings live here alone: they are never compared and never stored.

    Of the `aspects` that devices are measured by, the first `kept` are rendered and the first `shown` are served: one
    that returns is served once all of it is rendered. `samples` counts each aspect's, whether it is kept or not.
    """

    def __init__(self, source: str, *, aspects: int) -> None:
        self.source = source
        self.kept = self.shown = aspects
        self.samples = [0] * aspects
        self.vendor = ""
        self.stale = False
        self.fleet: KnownFleet | None = None
        self.deployments: dict[str, Deployment] = {}
        self._readings: dict[int, dict[str, Readings]] = {}
        self._pieces: dict[str, dict[Part, bytes]] = {}
        self._counted: dict[str, dict[int, int]] = {}

    def put(self, family: str, part: Part, piece: bytes) -> None:
        """Keep a piece in place of the one before it."""
        self._pieces.setdefault(family, {})[part] = piece

    def drop_part(self, part: Part) -> None:
        """Remove the pieces of something that is gone."""
        for pieces in self._pieces.values():
            pieces.pop(part, None)

    def drop_family(self, family: str) -> None:
        """Remove all pieces of a family that is no longer shown."""
        self._pieces.pop(family, None)

    def pieces(self, family: str) -> Iterator[bytes]:
        """The pieces of a family that hold a sample."""
        return filter(None, self._pieces.get(family, {}).values())

    def prune_readings(self, number: int, segment: Segment) -> None:
        """Drop the readings of devices that the segment no longer holds."""
        readings = self._readings.get(number, {})
        for device in readings.keys() - segment.keys():
            del readings[device]

    def take_readings(self, fleet: KnownFleet, changes: Changes) -> set[int]:
        """Keep what a page says of devices; tell which segments hold one of which it says something else now."""
        touched: set[int] = set()
        segments, segment, number, known = fleet.segments(), _NOWHERE, -1, dict[str, Readings]()
        changed = False  # of the segment at hand, which is that of the device before and as a rule of the next one
        for device, readings in changes.readings.items():
            if device not in segment:
                place = fleet.segment_of(device)
                if place is None:
                    continue
                number = place
                segment, known = segments[number], self._readings.setdefault(number, {})
                changed = number in touched
            if changed:
                known[device] = readings
            elif known.get(device) != readings:
                known[device] = readings
                touched.add(number)
                changed = True
        return touched

    def render_segment(self, number: int, family: DeviceFamily, *, keep: bool) -> int:
        """Render a family of a segment, or only count it; return by how many its samples grew."""
        if self.fleet is None:
            return 0
        segment, readings = self.fleet.segments()[number], self._readings.get(number, {})
        if keep:
            piece = device_piece(family, segment, readings, source=self.source, vendor=self.vendor)
            self.put(family.name, number, piece.text)
            samples = piece.samples
        else:
            samples = count_samples(family, segment, readings)
        counted = self._counted.setdefault(family.name, {})
        before = counted.get(number, 0)
        counted[number] = samples
        return samples - before
