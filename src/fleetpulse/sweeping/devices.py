"""Sweeps a resource of devices: page after page against the known fleet, and at the walk's end who is absent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NoReturn

import structlog

from fleetpulse import clock
from fleetpulse.fleet.device import Sighting
from fleetpulse.fleet.events import Problem, SourceEvent
from fleetpulse.fleet.known import MOST_DEVICES, Changes, KnownFleet
from fleetpulse.fleet.source import SourceRecord, baselines, degrade, recover, swept_well
from fleetpulse.fleet.walk import Walk
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.sweeping.pages import closing
from fleetpulse.sweeping.rounds import Rounds, Swept
from fleetpulse.sweeping.schedule import RESUMES
from fleetpulse.sweeping.standing import Entry, trouble_subjects
from fleetpulse.vendors.contract import AnswerInvalid, CursorRefused, FilterMatchesNothing, Page, Vendor


class DevicesPoller:
    """Sweeps one resource of devices of one source.

    A walk that breaks is kept, and goes on from its last page at the next try. `forget_after`: how long a missing
    device is remembered.
    """

    def __init__(
        self, *, vendor: Vendor, fleet: KnownFleet, pages: FleetPages, rounds: Rounds, forget_after: timedelta
    ) -> None:
        self._vendor = vendor
        self._fleet = fleet
        self._pages = pages
        self._rounds = rounds
        self._forget_after = forget_after
        self._census = vendor.resources[rounds.resource].census
        self._walk: Walk | None = None
        self._resume: str | None = None
        self._resumes = 0
        self._oddity = ""
        self._unmatched = ""
        self._unknown_word = ""
        self._told_word = ""
        self._log = structlog.get_logger(__name__).bind(source=fleet.source, resource=rounds.resource)

    async def run(self) -> NoReturn:
        """Sweep for ever.

        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        await self._rounds.run(self._sweep)

    def retry(self) -> None:
        """Sweep now."""
        self._rounds.retry()

    def accept_shorter_list(self) -> None:
        """Believe the list however short it is, and look at it now."""
        self._fleet.accept_shorter_list()
        self._rounds.retry()

    async def _sweep(self) -> Swept:
        try:
            return await self._go_on()
        except CursorRefused:
            if self._resume is None:
                raise
            self._begin_anew()  # once: what refuses a walk's own first cursors is no matter of age
            return await self._go_on()

    async def _go_on(self) -> Swept:
        walk = self._walk or self._new_walk()
        try:
            async with closing(self._vendor.devices(self._rounds.resource, resume=self._resume)) as pages:
                async for page in pages:
                    self._rounds.answered()
                    await self._take(page, walk)
            return await self._end(walk)
        except FilterMatchesNothing:
            self._begin_anew()  # what it missed may be there next time, on a page that was behind
            raise
        except BaseException:
            self._break_off(walk)
            raise

    def _new_walk(self) -> Walk:
        self._unknown_word = ""
        self._walk = Walk(started_at=clock.now(), baseline=self._rounds.baseline, late=self._rounds.late())
        return self._walk

    def _begin_anew(self) -> None:
        self._walk, self._resume, self._resumes = None, None, 0

    def _break_off(self, walk: Walk) -> None:
        self._resumes += 1
        if self._resume is None or self._resumes > RESUMES:
            self._begin_anew()
        else:
            walk.break_off()

    async def _take(self, page: Page[Sighting], walk: Walk) -> None:
        sightings = walk.first_sightings(page.items)
        walk.note((item.device.id for item in page.items), odd=page.odd, total=page.total, guard=page.guarded)
        if len(walk.seen) > MOST_DEVICES:
            self._begin_anew()
            msg = f"the list of devices goes on beyond {MOST_DEVICES:,}, the most that one source may have"
            raise AnswerInvalid(msg)
        self._oddity = page.oddity or self._oddity
        self._unmatched = page.unmatched
        self._unknown_word = self._unknown_word or page.unknown_word

        def compose(_: SourceRecord) -> Entry:
            changes = self._fleet.compare(sightings, walk=walk, seen_at=clock.now(), aspects=page.aspects)
            return self._entry(changes)

        await self._rounds.standing.write(compose)
        self._resume, self._resumes = page.resume, 0

    async def _end(self, walk: Walk) -> Swept:
        self._require_statuses(walk)

        def compose(record: SourceRecord) -> Entry:
            now = clock.now()
            changes = Changes()
            if self._census:
                changes = self._fleet.absent(
                    walk,
                    seen_at=now,
                    forget_after=self._forget_after,
                    baselines=baselines(record, self._rounds.resource, complete=walk.complete),
                )
            record, doubts = _doubted(record, self._rounds.resource, changes, seen_at=now)
            record, swept = self._swept_well(record, complete=walk.complete, seen_at=now)
            return self._entry(changes, record=record, more=[*doubts, *swept])

        await self._rounds.standing.write(compose)
        if walk.odd:
            self._log.info("rows could not be read, so nobody counts as absent", rows=walk.odd, first=self._oddity)
        if walk.repeats:
            self._log.debug("rows repeat a device and are not counted", rows=walk.repeats)
        if self._fleet.full:
            self._log.warning("no more devices are taken in until missing ones are forgotten", known=len(self._fleet))
        self._begin_anew()
        self._oddity = ""
        return Swept(shortfall=walk.shortfall(), rows=walk.rows)

    def _require_statuses(self, walk: Walk) -> None:
        """Refuse a walk that tells of hardly any device how it is; an unknown word of few devices is only logged.

        Errors: AnswerInvalid.
        """
        word = self._unknown_word
        if word and word != self._told_word:
            self._log.warning("the vendor says a device status that nobody knows", status=word)
        self._told_word = word
        silent = self._fleet.silent(walk) if self._census else 0
        if silent:
            says = f'; the vendor says "{word}"' if word else ""
            raise AnswerInvalid(f"no intelligible status for {silent:,} of {len(walk.seen):,} devices{says}")

    def _swept_well(
        self, record: SourceRecord, *, complete: bool, seen_at: datetime
    ) -> tuple[SourceRecord, list[SourceEvent]]:
        """A filter that matches nothing is told beside a good sweep of the rest."""
        resource, unmatched = self._rounds.resource, self._unmatched
        still = (Problem.MISCONFIGURED,) if unmatched else ()
        record, events = swept_well(record, resource, complete=complete, seen_at=seen_at, still=still)
        if unmatched:
            record, begun = degrade(record, resource, Problem.MISCONFIGURED, detail=unmatched, seen_at=seen_at)
            events += begun
        return record, events

    def _entry(
        self, changes: Changes, *, record: SourceRecord | None = None, more: Sequence[SourceEvent] = ()
    ) -> Entry:
        def accept() -> None:
            self._fleet.accept(changes)
            self._pages.devices(self._fleet, vendor=self._rounds.standing.record.vendor, changes=changes)

        doubted = () if record is None else trouble_subjects(record, self._rounds.resource)
        return Entry(
            events=(*changes.events, *more),
            segments=changes.segments,
            record=record,
            accept=accept,
            observed=(*changes.confirmed, *doubted),
        )


def _doubted(
    record: SourceRecord, resource: str, changes: Changes, *, seen_at: datetime
) -> tuple[SourceRecord, list[SourceEvent]]:
    """A doubt begins or ends at the end of a walk that tells absence; another walk says nothing of it."""
    if changes.doubt is not None:
        return degrade(record, resource, Problem.DOUBTED, detail=str(changes.doubt), seen_at=seen_at)
    if changes.absent is not None:
        return recover(record, resource, Problem.DOUBTED, seen_at=seen_at)
    return record, []
