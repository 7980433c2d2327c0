"""What is kept of a source between sweeps: its baseline, its last good sweeps, and what is wrong with it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

import msgspec

from fleetpulse.fleet.events import (
    Problem,
    SourceBaselined,
    SourceCredentialsRejected,
    SourceDegraded,
    SourceEvent,
    SourceRecovered,
    SourceResourceUnavailable,
)

BASELINE_SWEEPS: Final = 3
VERDICTS: Final = frozenset({Problem.DOWN, Problem.MISCONFIGURED, Problem.REJECTED})
"""What a failed sweep of a main resource comes to. One stands at a time, for a broken source is one alert."""


LASTING: Final = frozenset({Problem.DOUBTED, Problem.EXPIRING, Problem.PAUSED})
"""What no good sweep ends: a doubt ends with a walk, the other two with what an operator does."""


class Trouble(msgspec.Struct, frozen=True):
    """One thing that is wrong with one resource, since when, and in which words.

    `until_at` is when it comes to a head by itself: when credentials expire, when a pause ends.
    """

    resource: str
    problem: Problem
    since_at: datetime
    detail: str = ""
    until_at: datetime | None = None


class SourceRecord(msgspec.Struct, frozen=True):
    """The journal's row of a source; each change makes a new one.

    `short_sweeps` counts good sweeps that were not complete before the baseline.
    `baselined_at`, `good_at` (the end of the last good sweep) and `unavailable_at` (when a resource that is switched
    off was last asked) are by resource, as is `summary_owed`: since when a baseline is not told yet, because more is to
    be read first. `scope` is a fingerprint of what the source looks at, `rescoped` are the resources
    that had a baseline of another scope and none since. `enrolment_errors` is how many failed enrolments the vendor
    counted when they were last looked for.
    """

    source: str
    vendor: str
    baselined_at: dict[str, datetime] = {}
    good_at: dict[str, datetime] = {}
    troubles: tuple[Trouble, ...] = ()
    unavailable_at: dict[str, datetime] = {}
    short_sweeps: dict[str, int] = {}
    summary_owed: dict[str, datetime] = {}
    scope: str = ""
    rescoped: tuple[str, ...] = ()
    enrolment_errors: int | None = None

    def trouble(self, resource: str, problem: Problem) -> Trouble | None:
        """The standing trouble of that kind, if any."""
        for trouble in self.troubles:
            if trouble.resource == resource and trouble.problem is problem:
                return trouble
        return None


def degrade(
    record: SourceRecord,
    resource: str,
    problem: Problem,
    *,
    detail: str,
    seen_at: datetime,
    until_at: datetime | None = None,
) -> tuple[SourceRecord, list[SourceEvent]]:
    """Note that something is wrong. An event comes of it only when it begins; a new detail is kept silently.

    A new verdict ends the one that stood.
    """
    standing = record.trouble(resource, problem)
    fresh = Trouble(resource, problem, standing.since_at if standing else seen_at, detail, until_at)
    events: list[SourceEvent] = []
    if problem in VERDICTS:
        record, events = recover(record, resource, *(VERDICTS - {problem}), seen_at=seen_at)
    others = tuple(trouble for trouble in record.troubles if trouble is not standing)
    changed = msgspec.structs.replace(record, troubles=(*others, fresh))
    if standing is not None:
        return changed, events
    if problem is Problem.REJECTED:
        rejected = SourceCredentialsRejected(
            source=record.source, subject=resource, seen_at=seen_at, since_at=seen_at, detail=detail
        )
        return changed, [*events, rejected]
    degraded = SourceDegraded(
        source=record.source,
        subject=resource,
        seen_at=seen_at,
        since_at=seen_at,
        detail=detail,
        problem=problem,
        until_at=until_at,
    )
    return changed, [*events, degraded]


def become_stale(
    record: SourceRecord, resource: str, *, detail: str, seen_at: datetime
) -> tuple[SourceRecord, list[SourceEvent]]:
    """Note that the last good sweep of the main resource is too old: so it is down too, unless a verdict tells why.

    A verdict no younger than the last good sweep stood beside it, and tells no longer why there is none.
    """
    begins = record.trouble(resource, Problem.STALE) is None
    record, events = degrade(record, resource, Problem.STALE, detail=detail, seen_at=seen_at)
    good_at = record.good_at.get(resource)
    verdicts = [trouble for trouble in record.troubles if trouble.resource == resource and trouble.problem in VERDICTS]
    if all(begins and good_at is not None and trouble.since_at <= good_at for trouble in verdicts):
        limited = record.trouble(resource, Problem.RATE_LIMITED)
        why = f"{detail}; {limited.detail}" if limited is not None else detail
        record, more = degrade(record, resource, Problem.DOWN, detail=why, seen_at=seen_at)
        events += more
    return record, events


def rescoped(record: SourceRecord, scope: str) -> SourceRecord:
    """The record of a source that looks elsewhere from now on: every resource has a baseline again."""
    return msgspec.structs.replace(
        record,
        scope=scope,
        rescoped=tuple(sorted({*record.rescoped, *record.baselined_at})),
        baselined_at={},
        short_sweeps={},
        summary_owed={},
    )


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

    It ends nothing that is `LASTING`, nor what is wrong `still`.
    """
    baselined_at, short_sweeps, before = record.baselined_at, record.short_sweeps, record.rescoped
    if baselines(record, resource, complete=complete):
        baselined_at = {**baselined_at, resource: seen_at}
        short_sweeps = {name: number for name, number in short_sweeps.items() if name != resource}
        before = tuple(name for name in before if name != resource)
    elif resource not in baselined_at:
        short_sweeps = {**short_sweeps, resource: short_sweeps.get(resource, 0) + 1}
    changed = msgspec.structs.replace(
        record,
        baselined_at=baselined_at,
        short_sweeps=short_sweeps,
        rescoped=before,
    )
    return freshened(changed, resource, seen_at=seen_at, still=still)


def freshened(
    record: SourceRecord, resource: str, *, seen_at: datetime, still: Collection[Problem] = ()
) -> tuple[SourceRecord, list[SourceEvent]]:
    """Note a good look at the resource that was no walk of it, and so no baseline; else as `swept_well`."""
    changed = msgspec.structs.replace(
        record,
        good_at={**record.good_at, resource: seen_at},
        unavailable_at={name: at for name, at in record.unavailable_at.items() if name != resource},
    )
    return recover(changed, resource, *(set(Problem) - LASTING - set(still)), seen_at=seen_at)


def expiring(
    record: SourceRecord, resource: str, *, until_at: datetime | None, detail: str, seen_at: datetime
) -> tuple[SourceRecord, list[SourceEvent]]:
    """Note that the credentials end soon, or with None that they do not; another end is another trouble."""
    standing = record.trouble(resource, Problem.EXPIRING)
    if standing is not None and standing.until_at == until_at:
        return record, []
    record, events = recover(record, resource, Problem.EXPIRING, seen_at=seen_at)
    if until_at is None:
        return record, events
    record, begun = degrade(record, resource, Problem.EXPIRING, detail=detail, seen_at=seen_at, until_at=until_at)
    return record, [*events, *begun]


def owe_summary(before: SourceRecord, after: SourceRecord, resource: str, *, seen_at: datetime) -> SourceRecord:
    """Note that the resource's baseline is still to be told, where it came between these two records."""
    if resource in before.baselined_at or resource not in after.baselined_at:
        return after
    return msgspec.structs.replace(after, summary_owed={**after.summary_owed, resource: seen_at})


def sum_up(
    record: SourceRecord, resource: str, counts: Mapping[str, int], *, main: bool, seen_at: datetime
) -> tuple[SourceRecord, list[SourceEvent]]:
    """Tell the resource's baseline, if it is owed; one beside the main resource that holds nothing is not worth it."""
    owed = {name: at for name, at in record.summary_owed.items() if name != resource}
    told = resource in record.summary_owed and (main or counts)
    event = SourceBaselined(source=record.source, subject=resource, seen_at=seen_at, counts=dict(counts))
    return msgspec.structs.replace(record, summary_owed=owed), [event] if told else []


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
