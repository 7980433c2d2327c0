"""The summary of a first look at a source's devices. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from fleetpulse.fleet.device import DeviceStatus, KnownDevice, SimState
from fleetpulse.fleet.events import SourceBaselined

PART_DEVICES: Final = 1000  # keeps one event row of the journal below a megabyte


def summary_parts(
    source: str, devices: Iterable[KnownDevice], *, settled: Collection[str], seen_at: datetime
) -> tuple[SourceBaselined, ...]:
    """The baseline over these devices, in parts; those `settled` are counted, and are no news if they are not well."""
    counts, sims = Counter[str](), Counter[str]()
    unwell: list[KnownDevice] = []
    for known in devices:
        status, sim = known.status, known.device.sim
        counts[status.value] += 1
        if status is DeviceStatus.MISSING:
            continue
        if sim is not None:
            sims[sim.value] += 1
        troubled = status is DeviceStatus.OFFLINE or sim is SimState.PAUSED_BY_SYSTEM
        if troubled and known.ever_online and known.device.id not in settled:
            unwell.append(known)
    starts = range(0, len(unwell) or 1, PART_DEVICES)
    return tuple(
        SourceBaselined(
            source=source,
            subject="devices",
            seen_at=seen_at,
            part=number,
            parts=len(starts),
            counts=dict(counts),
            sims=dict(sims),
            offline=tuple(known for known in part if known.status is DeviceStatus.OFFLINE),
            paused=tuple(known for known in part if known.status is not DeviceStatus.OFFLINE),
        )
        for number, start in enumerate(starts)
        for part in (unwell[start : start + PART_DEVICES],)
    )


def summary_addition(
    source: str, offline: Iterable[KnownDevice], counts: Mapping[tuple[str, DeviceStatus], int], *, seen_at: datetime
) -> SourceBaselined:
    """What is learned after the baseline of devices that were offline at it; `counts` are by group and status."""
    by_status = Counter[str]()
    for (_, status), number in counts.items():
        by_status[status.value] += number
    return SourceBaselined(
        source=source,
        subject="devices",
        seen_at=seen_at,
        part=1,
        parts=2,
        counts=dict(by_status),
        offline=tuple(offline),
    )
