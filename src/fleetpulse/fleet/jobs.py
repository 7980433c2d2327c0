"""The bulk jobs of one source: what the next list changes, and how a job ends that its list no longer holds.

Like the known fleet, nothing here runs ahead of the journal: `listed` changes nothing and returns `JobChanges`; after
those are committed, `accept` takes them over.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from fleetpulse.fleet.events import JobEvent, JobFinished, JobProgressed, JobStarted
from fleetpulse.fleet.job import BulkJob, JobStatus

REMEMBERED_FOR: Final = timedelta(days=7)  # a list that is empty for a while must not make old failures news again

_OPEN_ENDS: Final = frozenset({JobStatus.UNSEEN, JobStatus.UNKNOWN})  # ends after which a plainer one is still news


class FollowedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job as last told. `ended_at`: when its end was seen, or the vendor's word where it stood at the baseline.

    `left_at` is when the first complete list in a row lacked it. `resource` is the one that lists it; what was kept
    before there were two came from the one that is named by default.
    """

    job: BulkJob
    first_seen_at: datetime
    ended_at: datetime | None = None
    left_at: datetime | None = None
    resource: str = "jobs"


class JobChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What a list would change; a job mapped to None is forgotten."""

    events: tuple[JobEvent, ...] = ()
    followed: Mapping[str, FollowedJob | None] = {}


_DECODER = msgspec.msgpack.Decoder(FollowedJob)


class KnownJobs:
    """The bulk jobs of one source: those that run, and those that ended not long ago."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._followed: dict[str, FollowedJob] = {}

    def __len__(self) -> int:
        return len(self._followed)

    def listed(
        self,
        jobs: Sequence[BulkJob],
        *,
        resource: str,
        complete: bool,
        baseline: bool,
        seen_at: datetime,
        late: bool,
    ) -> JobChanges:
        """What a resource's list of jobs would change; `complete`: that resource has no others.

        At the baseline a job is no event. A running job that two complete lists in a row lack has ended unseen; where
        it is listed again it goes on. An ended one is remembered for a week after it left the list.
        """
        events: list[JobEvent] = []
        followed: dict[str, FollowedJob | None] = {}
        for told in jobs:
            before = followed.get(told.id) or self._followed.get(told.id)
            after = _told(before, told, resource=resource, baseline=baseline, seen_at=seen_at)
            if after == before:
                continue
            followed[told.id] = after
            if not baseline:
                events += _events(self.source, before, after, seen_at=seen_at, late=late)
        if complete:
            ids = {told.id for told in jobs}
            for id_, known in self._followed.items():
                if id_ not in ids and known.resource == resource:
                    self._lacking(known, events, followed, seen_at=seen_at, late=late)
        return JobChanges(events=tuple(events), followed=followed)

    def accept(self, changes: JobChanges) -> None:
        """Take over what was committed."""
        for id_, followed in changes.followed.items():
            if followed is None:
                self._followed.pop(id_, None)
            else:
                self._followed[id_] = followed

    def shown(self, now: datetime, finished_for: timedelta) -> list[BulkJob]:
        """The running ones, and those that ended within `finished_for`, but for jobs that ended unseen."""
        return [
            known.job
            for known in self._followed.values()
            if known.job.status is not JobStatus.UNSEEN
            and (known.ended_at is None or now - known.ended_at < finished_for)
        ]

    def job(self, id_: str) -> BulkJob | None:
        """One job by its id."""
        known = self._followed.get(id_)
        return None if known is None else known.job

    def load(self, rows: Mapping[str, bytes]) -> None:
        """Take in what is followed, as msgpack.

        Errors: ValueError when a row is not a followed job.
        """
        for id_, payload in rows.items():
            try:
                self._followed[id_] = _DECODER.decode(payload)
            except msgspec.MsgspecError as error:
                raise ValueError(f"job {id_} of {self.source} cannot be read: {error}") from error

    def _lacking(
        self,
        known: FollowedJob,
        events: list[JobEvent],
        followed: dict[str, FollowedJob | None],
        *,
        seen_at: datetime,
        late: bool,
    ) -> None:
        id_ = known.job.id
        if known.left_at is None:
            followed[id_] = msgspec.structs.replace(known, left_at=seen_at)
        elif not known.job.status.ended:
            unseen = msgspec.structs.replace(known.job, status=JobStatus.UNSEEN)
            followed[id_] = msgspec.structs.replace(known, job=unseen, ended_at=seen_at)
            events.append(_event(JobFinished, self.source, unseen, seen_at=seen_at, late=late))
        elif seen_at - known.left_at >= REMEMBERED_FOR:
            followed[id_] = None


def _told(
    before: FollowedJob | None, told: BulkJob, *, resource: str, baseline: bool, seen_at: datetime
) -> FollowedJob:
    if before is None:
        ended_at = (told.ended_at or seen_at) if baseline else seen_at
        return FollowedJob(
            job=told, first_seen_at=seen_at, ended_at=ended_at if told.status.ended else None, resource=resource
        )
    before = msgspec.structs.replace(before, left_at=None, resource=resource)
    was = before.job.status
    if was.ended and was not in _OPEN_ENDS:
        # An end stands: of a vendor that takes it back, nothing would ever be final.
        return msgspec.structs.replace(before, job=msgspec.structs.replace(told, status=was, word=before.job.word))
    if was is JobStatus.UNKNOWN and not told.status.ended:
        return before
    if told.status is was:
        return msgspec.structs.replace(before, job=told)
    return msgspec.structs.replace(before, job=told, ended_at=seen_at if told.status.ended else None)


def _events(
    source: str, before: FollowedJob | None, after: FollowedJob, *, seen_at: datetime, late: bool
) -> list[JobEvent]:
    job = after.job
    if before is None:
        kinds: list[type[JobEvent]] = [JobStarted, JobFinished] if job.status.ended else [JobStarted]
    elif job.status.ended:
        kinds = [JobFinished] if job.status is not before.job.status else []
    else:
        same = (job.status, job.word, job.device_count) == (
            before.job.status,
            before.job.word,
            before.job.device_count,
        )
        kinds = [] if same else [JobProgressed]
    return [_event(kind, source, job, seen_at=seen_at, late=late) for kind in kinds]


def _event(kind: type[JobEvent], source: str, job: BulkJob, *, seen_at: datetime, late: bool) -> JobEvent:
    return kind(source=source, subject=job.id, seen_at=seen_at, late=late, job=job)
