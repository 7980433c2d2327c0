"""Sweeps a resource of devices: page after page against the known fleet, and at the walk's end who is absent."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NoReturn

import structlog

from fleetpulse import clock
from fleetpulse.fleet.deployments import DeploymentChanges
from fleetpulse.fleet.device import Sighting
from fleetpulse.fleet.events import Problem, SourceEvent
from fleetpulse.fleet.known import MOST_DEVICES, Changes, Elsewhere, KnownFleet
from fleetpulse.fleet.source import SourceRecord, baselines, degrade, freshened, recover, swept_well
from fleetpulse.fleet.walk import Walk
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.sweeping.counted import Newcomers
from fleetpulse.sweeping.pacer import Lane
from fleetpulse.sweeping.pages import closing
from fleetpulse.sweeping.rollouts import Rollouts
from fleetpulse.sweeping.rounds import Rounds
from fleetpulse.sweeping.schedule import RESUMES
from fleetpulse.sweeping.standing import Entry, trouble_subjects
from fleetpulse.sweeping.swept import Swept
from fleetpulse.vendors.contract import (
    NO_WORD,
    AnswerInvalid,
    CursorRefused,
    FilterMatchesNothing,
    Page,
    ReadsDevices,
    ReadsStalestDevices,
)

_NOTHING_TOLD: Final = DeploymentChanges()


class DevicesPoller:
    """Sweeps one resource of devices of one source.

    A walk that breaks is kept, and goes on from its last page at the next try. `census`: it decides who is missing;
    `elsewhere` tells at a walk's end where else devices are. Where there is a lane `whole`, the walks over all
    devices go by it, and what is swept in between are the stalest devices, if the vendor can be asked for those.
    `forget_after`: how long a missing device is remembered.
    """

    def __init__(
        self,
        *,
        vendor: ReadsDevices,
        fleet: KnownFleet,
        pages: FleetPages,
        rounds: Rounds,
        census: bool,
        whole: Lane | None,
        rollouts: Rollouts,
        newcomers: Newcomers,
        elsewhere: Callable[[], Elsewhere],
        forget_after: timedelta,
    ) -> None:
        self._vendor = vendor
        self._fleet = fleet
        self._pages = pages
        self._rounds = rounds
        self._census = census
        self._whole = whole
        self._stalest = vendor if isinstance(vendor, ReadsStalestDevices) else None
        self._rollouts = rollouts
        self._newcomers = newcomers
        self._elsewhere = elsewhere
        self._forget_after = forget_after
        self._walk: Walk | None = None
        self._began = 0.0
        self._walked_from: float | None = None
        self._resume: str | None = None
        self._resumes = 0
        self._oddity = ""
        self._told_oddity = ""
        self._unmatched = ""
        self._unknown_word = ""
        self._log = structlog.get_logger(__name__).bind(source=fleet.source, resource=rounds.resource)

    async def run(self) -> NoReturn:
        """Sweep for ever.

        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        await self._rounds.run(self._sweep)

    def accept_shorter_list(self) -> None:
        """Believe the list however short it is, and look at all of it now."""
        self._fleet.accept_shorter_list()
        self._walked_from = None
        self._rounds.retry()

    async def _sweep(self) -> Swept:
        if self._stalest is not None and not self._whole_due():
            return await self._sweep_stalest(self._stalest)
        try:
            return await self._go_on()
        except CursorRefused:
            if self._resume is None:
                raise
            self._begin_anew()  # once: what refuses a walk's own first cursors is no matter of age
            return await self._go_on()

    def _whole_due(self) -> bool:
        if self._whole is None or self._walk is not None or self._walked_from is None:
            return True
        return clock.monotonic() >= self._walked_from + self._whole.live.total_seconds()

    async def _sweep_stalest(self, vendor: ReadsStalestDevices) -> Swept:
        """Look at the devices that were silent longest. It tells of nobody else: neither absence nor life."""
        walk = Walk(started_at=clock.now(), baseline=self._rounds.baseline, late=self._rounds.late())
        self._rounds.begin(whole=False)
        async with closing(self._rounds.pages(vendor.stalest_devices(self._rounds.resource))) as pages:
            async for page in pages:
                await self._compare(page, walk)

        def compose(record: SourceRecord) -> Entry:
            now, still = clock.now(), (Problem.MISCONFIGURED,) if self._unmatched else ()
            record, events = freshened(record, self._rounds.resource, seen_at=now, still=still)
            return self._entry(Changes(), record=record, more=events)

        await self._rounds.standing.write(compose)
        return Swept(rows=walk.rows, whole=False)

    async def _go_on(self) -> Swept:
        walk = self._walk or self._new_walk()
        try:
            walked = self._vendor.devices(self._rounds.resource, resume=self._resume)
            async with closing(self._rounds.pages(walked)) as pages:
                async for page in pages:
                    await self._take(page, walk)
            return await self._end(walk)
        except (FilterMatchesNothing, asyncio.CancelledError):
            # What it missed may be there next time, on a page that was behind; and after a pause all pages are old.
            self._begin_anew()
            raise
        except BaseException:
            self._break_off(walk)
            raise

    def _new_walk(self) -> Walk:
        self._unknown_word = ""
        self._rollouts.begin()
        self._rounds.begin(self._whole)
        self._began = clock.monotonic()
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
        await self._compare(page, walk)
        self._unmatched = page.unmatched
        self._resume, self._resumes = page.resume, 0

    async def _compare(self, page: Page[Sighting], walk: Walk) -> None:
        sightings = walk.first_sightings(page.items)
        walk.note((item.device.id for item in page.items), odd=page.odd, total=page.total, guard=page.guarded)
        if len(walk.seen) > MOST_DEVICES:
            self._begin_anew()
            msg = f"the list of devices goes on beyond {MOST_DEVICES:,}, the most that one source may have"
            raise AnswerInvalid(msg)
        self._oddity = page.oddity or self._oddity
        self._unknown_word = self._unknown_word or page.unknown_word

        def compose(_: SourceRecord) -> Entry:
            now = clock.now()
            changes = self._fleet.compare(sightings, walk=walk, seen_at=now, aspects=page.aspects)
            told = self._rollouts.page(page.rollouts, walk, seen_at=now)
            return self._entry(changes, told, newcomers=() if walk.baseline else changes.newcomers)

        await self._rounds.standing.write(compose)

    async def _end(self, walk: Walk) -> Swept:
        await self._require_statuses(walk)
        resource = self._rounds.resource

        async def weigh(record: SourceRecord) -> Entry:
            now, before = clock.now(), record
            changes = Changes()
            if self._census:
                changes = await asyncio.to_thread(  # of a large fleet it takes tenths of a second
                    self._fleet.absent,
                    walk,
                    seen_at=now,
                    forget_after=self._forget_after,
                    baselines=baselines(record, resource, complete=walk.complete),
                    elsewhere=self._elsewhere(),
                )
            told = self._rollouts.end(walk, seen_at=now)
            record, doubts = _doubted(record, resource, changes, seen_at=now)
            record, swept = self._swept_well(record, complete=walk.complete, seen_at=now)
            record = self._rollouts.owe(before, record, resource, seen_at=now)
            return self._entry(changes, told, record=record, more=[*doubts, *swept])

        await self._rounds.standing.weigh(weigh)
        if resource in self._rounds.standing.record.summary_owed:
            await self._rounds.standing.amend(resource, lambda record: self._rollouts.sum_up(record, resource))
        self._tell_odd(walk)
        self._begin_anew()
        self._walked_from, self._oddity = self._began, ""
        return Swept(shortfall=walk.shortfall(), rows=walk.rows)

    def _tell_odd(self, walk: Walk) -> None:
        if walk.odd:
            self._log.info("rows could not be read, so nobody counts as absent", rows=walk.odd, first=self._oddity)
        elif self._oddity not in {"", self._told_oddity}:
            self._log.info("the list is odd", first=self._oddity)
        self._told_oddity = self._oddity
        if walk.repeats:
            self._log.debug("rows repeat a device and are not counted", rows=walk.repeats)
        if self._fleet.full:
            self._log.warning("no more devices are taken in until missing ones are forgotten", known=len(self._fleet))

    async def _require_statuses(self, walk: Walk) -> None:
        """Refuse a walk that tells of hardly any device how it is; an unknown word of few devices is only logged.

        Where every word was understood, devices of which nothing is known yet are no riddle.
        Errors: AnswerInvalid.
        """
        word = self._unknown_word
        self._rounds.strange(word)
        silent = await asyncio.to_thread(self._fleet.silent, walk) if word and self._census else 0
        if silent:
            says = "" if word == NO_WORD else f'; the vendor says "{word}"'
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
        self,
        changes: Changes,
        told: DeploymentChanges = _NOTHING_TOLD,
        *,
        record: SourceRecord | None = None,
        more: Sequence[SourceEvent] = (),
        newcomers: Iterable[str] = (),
    ) -> Entry:

        def accept() -> None:
            self._fleet.accept(changes)
            self._pages.devices(self._fleet, vendor=self._rounds.standing.record.vendor, changes=changes)
            self._newcomers.note(newcomers, clock.now())
            if told != _NOTHING_TOLD:
                self._rollouts.following.take_over(told, ended=record is not None)

        doubted = () if record is None else trouble_subjects(record, self._rounds.resource)
        return Entry(
            events=(*changes.events, *told.events, *more),
            segments=changes.segments,
            followed=self._rollouts.following.rows(told),
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
