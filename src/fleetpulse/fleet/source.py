"""What is kept of a source between sweeps: its baseline, its last good sweeps, and what is wrong with it."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

import msgspec

from fleetpulse.fleet.events import (
    Problem,
    SourceCredentialsRejected,
    SourceDegraded,
    SourceEvent,
    SourceRecovered,
    SourceResourceUnavailable,
)

BASELINE_SWEEPS: Final = 3


class Trouble(msgspec.Struct, frozen=True):
    """One thing that is wrong with one resource, since when, and in which words."""

    resource: str
    problem: Problem
    since_at: datetime
    detail: str = ""


class SourceRecord(msgspec.Struct, frozen=True):
    """The journal's row of a source; each change makes a new one.

    `short_sweeps` counts good sweeps that were not complete before the baseline.
    `baselined_at`, `good_at` (the end of the last good sweep) and `unavailable_at` (when a resource that is switched
    off was last asked) are by resource.
    """

    source: str
    vendor: str
    baselined_at: dict[str, datetime] = {}
    good_at: dict[str, datetime] = {}
    troubles: tuple[Trouble, ...] = ()
    unavailable_at: dict[str, datetime] = {}
    short_sweeps: dict[str, int] = {}

    def trouble(self, resource: str, problem: Problem) -> Trouble | None:
        """The standing trouble of that kind, if any."""
        for trouble in self.troubles:
            if trouble.resource == resource and trouble.problem is problem:
                return trouble
        return None


def degrade(
    record: SourceRecord, resource: str, problem: Problem, *, detail: str, seen_at: datetime
) -> tuple[SourceRecord, list[SourceEvent]]:
    """Note that something is wrong. An event comes of it only when it begins; a new detail is kept silently."""
    standing = record.trouble(resource, problem)
    fresh = Trouble(resource, problem, standing.since_at if standing else seen_at, detail)
    others = tuple(trouble for trouble in record.troubles if trouble is not standing)
    changed = msgspec.structs.replace(record, troubles=(*others, fresh))
    if standing is not None:
        return changed, []
    if problem is Problem.REJECTED:
        rejected = SourceCredentialsRejected(
            source=record.source, subject=resource, seen_at=seen_at, since_at=seen_at, detail=detail
        )
        return changed, [rejected]
    degraded = SourceDegraded(
        source=record.source, subject=resource, seen_at=seen_at, since_at=seen_at, detail=detail, problem=problem
    )
    return changed, [degraded]


def switch_off(
    record: SourceRecord, resource: str, *, detail: str, seen_at: datetime
) -> tuple[SourceRecord, list[SourceEvent]]:
    """Note that an optional resource is not to be had. An event comes of it the first time only."""
    known = resource in record.unavailable_at
    changed = msgspec.structs.replace(record, unavailable_at={**record.unavailable_at, resource: seen_at})
    event = SourceResourceUnavailable(source=record.source, subject=resource, seen_at=seen_at, detail=detail)
    return changed, [] if known else [event]


def baselines(record: SourceRecord, resource: str, *, complete: bool) -> bool:
    """Whether a good sweep that ends now is the resource's baseline: the first complete one, or the third at all.

    A vendor whose list is never complete, be it for one row nobody can read, must not stay without alerts for ever.
    """
    if resource in record.baselined_at:
        return False
    return complete or record.short_sweeps.get(resource, 0) + 1 >= BASELINE_SWEEPS


def swept_well(
    record: SourceRecord, resource: str, *, complete: bool, seen_at: datetime, still: Collection[Problem] = ()
) -> tuple[SourceRecord, list[SourceEvent]]:
    """Note a good sweep, which ends what was wrong with the resource; see `baselines` for its baseline.

    A doubt is not ended by it, for that is decided at the end of a walk, nor is what `still` is wrong.
    """
    baselined_at, short_sweeps = record.baselined_at, record.short_sweeps
    if baselines(record, resource, complete=complete):
        baselined_at = {**baselined_at, resource: seen_at}
        short_sweeps = {name: number for name, number in short_sweeps.items() if name != resource}
    elif resource not in baselined_at:
        short_sweeps = {**short_sweeps, resource: short_sweeps.get(resource, 0) + 1}
    changed = msgspec.structs.replace(
        record,
        baselined_at=baselined_at,
        short_sweeps=short_sweeps,
        good_at={**record.good_at, resource: seen_at},
        unavailable_at={name: at for name, at in record.unavailable_at.items() if name != resource},
    )
    over = set(Problem) - {Problem.DOUBTED, *still}
    return recover(changed, resource, *over, seen_at=seen_at)


def recover(
    record: SourceRecord, resource: str, *problems: Problem, seen_at: datetime
) -> tuple[SourceRecord, list[SourceEvent]]:
    """Note that these problems of a resource are over; silent where they did not stand."""
    over = [trouble for trouble in record.troubles if trouble.resource == resource and trouble.problem in problems]
    events: list[SourceEvent] = [
        SourceRecovered(
            source=record.source,
            subject=resource,
            seen_at=seen_at,
            problem=trouble.problem,
            since_at=trouble.since_at,
        )
        for trouble in over
    ]
    rest = tuple(trouble for trouble in record.troubles if trouble not in over)
    return (msgspec.structs.replace(record, troubles=rest) if over else record), events
