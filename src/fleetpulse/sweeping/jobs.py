"""Sweeps a resource of bulk jobs."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import NoReturn

from fleetpulse import clock
from fleetpulse.fleet.events import SourceEvent
from fleetpulse.fleet.job import BulkJob
from fleetpulse.fleet.jobs import JobChanges, KnownJobs
from fleetpulse.fleet.source import SourceRecord, owe_summary, sum_up, swept_well
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.sweeping.pages import Gathered, closing
from fleetpulse.sweeping.rounds import Rounds, Swept
from fleetpulse.sweeping.standing import Entry
from fleetpulse.vendors.contract import Vendor

KIND = "job"
"""Under which the journal keeps a followed job."""


class JobsPoller:
    """Sweeps one resource of bulk jobs of one source. `finished_for`: how long an ended job is shown."""

    def __init__(
        self, *, vendor: Vendor, jobs: KnownJobs, pages: FleetPages, rounds: Rounds, finished_for: timedelta
    ) -> None:
        self._vendor = vendor
        self._jobs = jobs
        self._pages = pages
        self._rounds = rounds
        self._finished_for = finished_for

    async def run(self) -> NoReturn:
        """Sweep for ever.

        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        await self._rounds.run(self._sweep)

    def retry(self) -> None:
        """Sweep now."""
        self._rounds.retry()

    async def _sweep(self) -> Swept:
        gathered = Gathered()
        found: list[BulkJob] = []
        baseline, late = self._rounds.baseline, self._rounds.late()
        async with closing(self._vendor.jobs(self._rounds.resource)) as pages:
            async for page in pages:
                self._rounds.answered()
                gathered.note(page)
                found += page.items
                await self._take(page.items, baseline=baseline, late=late)
        await self._end(found, gathered, baseline=baseline, late=late)
        return Swept(shortfall=gathered.shortfall(), rows=gathered.rows)

    async def _take(self, found: Sequence[BulkJob], *, baseline: bool, late: bool) -> None:
        """A page as it comes, so that its news waits for no other page."""

        def compose(_: SourceRecord) -> Entry:
            return self._entry(
                self._jobs.listed(found, complete=False, baseline=baseline, seen_at=clock.now(), late=late)
            )

        await self._rounds.standing.write(compose)

    async def _end(self, found: Sequence[BulkJob], gathered: Gathered, *, baseline: bool, late: bool) -> None:
        complete = not gathered.shortfall()

        def compose(record: SourceRecord) -> Entry:
            now = clock.now()
            changes = self._jobs.listed(found, complete=complete, baseline=baseline, seen_at=now, late=late)
            resource = self._rounds.resource
            swept, events = swept_well(record, resource, complete=complete, seen_at=now)
            counts = Counter(job.status.value for job in {job.id: job for job in found}.values())
            swept = owe_summary(record, swept, resource, seen_at=now)
            swept, told = sum_up(swept, resource, counts, main=self._rounds.main, seen_at=now)
            return self._entry(changes, record=swept, more=[*events, *told])

        await self._rounds.standing.write(compose)

    def _entry(
        self, changes: JobChanges, *, record: SourceRecord | None = None, more: Sequence[SourceEvent] = ()
    ) -> Entry:
        def accept() -> None:
            self._jobs.accept(changes)
            self._pages.jobs(self._jobs.source, self._jobs.shown(clock.now(), self._finished_for))

        return Entry(
            events=(*changes.events, *more),
            followed={(KIND, id_): followed for id_, followed in changes.followed.items()},
            record=record,
            accept=accept,
        )
