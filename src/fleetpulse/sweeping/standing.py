"""How one source stands: its record, in step with the journal, and the one way to write about the source."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn

import msgspec
import structlog

from fleetpulse import clock
from fleetpulse.alerting.conditions import trouble_key
from fleetpulse.eventqueue.batch import Observation
from fleetpulse.eventqueue.eventqueue import Consumer, EventQueue
from fleetpulse.fleet.events import (
    Event,
    Problem,
    SourceCredentialsRejected,
    SourceDegraded,
    SourceEvent,
    SourceRecovered,
    SourceResourceUnavailable,
)
from fleetpulse.fleet.known import Segment
from fleetpulse.fleet.source import VERDICTS, SourceRecord, Trouble, degrade, recover
from fleetpulse.journal.entries import PageWrite, StoredEvent
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages

Amend = Callable[[SourceRecord], tuple[SourceRecord, Sequence[SourceEvent]]]
"""What becomes of a record, and the events of it."""


def _nothing() -> None:
    pass


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written about a source in one transaction; `accept` takes it over once it is committed.

    `observed` are subjects seen again, unchanged and not healthy. An entry that changes nothing is not committed.
    """

    events: Sequence[Event] = ()
    segments: Mapping[int, Segment] = {}
    followed: Mapping[tuple[str, str], msgspec.Struct | None] = {}
    record: SourceRecord | None = None
    accept: Callable[[], None] = _nothing
    observed: tuple[str, ...] = ()


Compose = Callable[[SourceRecord], Entry]
"""Makes an entry from the record as it stands when nobody else writes; must not wait."""
Weigh = Callable[[SourceRecord], Awaitable[Entry]]
"""The same, with work that takes so long that it goes to a thread."""

JUDGED_WITHIN_S: Final = 0.05  # what a poller gives the evaluator before it goes on
_CANCELLED_WITHIN_S: Final = 5.0  # a commit that takes longer is one that waits for a journal it cannot write


class Standing:
    """Holds a source's record and writes pages, looks and troubles of it, one at a time.

    A write is one shielded step: commit, take over, publish. So neither the known fleet nor the record runs ahead of
    the journal or falls behind it, whenever a poller is cancelled.
    """

    def __init__(
        self,
        *,
        record: SourceRecord,
        main: str,
        journal: Journal,
        queue: EventQueue,
        evaluator: Consumer,
        pages: FleetPages,
        meters: Meters,
    ) -> None:
        self.record = record
        self.main = main
        """The name of the main resource, whose good sweeps keep the source fresh."""
        self.began_at = clock.now()
        """Since when somebody looks: the process's start, or the end of a pause."""
        self._turned = asyncio.Event()  # set, and another one in its place, at each turn of `paused`
        self._listeners: list[Callable[[], None]] = []
        self._journal = journal
        self._queue = queue
        self._evaluator = evaluator
        self._pages = pages
        self._meters = meters
        self._writing = asyncio.Lock()
        self._log = structlog.get_logger(__name__).bind(source=record.source)

    @property
    def source(self) -> str:
        """The source's name."""
        return self.record.source

    @property
    def paused(self) -> Trouble | None:
        """The pause an operator wants, while it lasts."""
        return self.record.trouble(self.main, Problem.PAUSED)

    @property
    def stale(self) -> bool:
        """Whether the source stands as stale; a paused one does."""
        return self.paused is not None or self.record.trouble(self.main, Problem.STALE) is not None

    def believed_until(self, stale_for: timedelta) -> datetime:
        """When what is known becomes too old to be believed, unless a good sweep comes before."""
        return self.record.good_at.get(self.main, self.began_at) + stale_for

    def excused_until(self, stale_for: timedelta) -> datetime:
        """When that becomes a trouble: who has only begun to look is given the time for a good sweep."""
        return max(self.believed_until(stale_for), self.began_at + stale_for)

    def fresh(self, now: datetime, stale_for: timedelta) -> bool:
        """Whether what is known of the source may be believed: not where it fails and was never swept with success."""
        failed = any(self.record.trouble(self.main, problem) for problem in VERDICTS)
        return (
            not self.stale
            and now < self.believed_until(stale_for)
            and not (failed and self.main not in self.record.good_at)
        )

    def show_remembered(self, stale_for: timedelta) -> None:
        """Show what the journal remembered: its last good sweeps, and stale where they are long ago."""
        for resource, at in self.record.good_at.items():
            self._meters.sweep_succeeded(self.source, resource, at)
        self.show_age(self.began_at, stale_for)

    def show_age(self, now: datetime, stale_for: timedelta) -> None:
        """Have the metrics show whether what is known may be believed."""
        self._show(stale=self.stale or now >= self.believed_until(stale_for))

    def _show(self, *, stale: bool) -> None:
        """Have the metrics show the source as stale, or as fresh."""
        self._pages.stale(self.source, stale)
        self._meters.source_stale(self.source, stale)

    async def pause(self, *, until: datetime | None) -> None:
        """Note that nobody shall look, until then or until `resume`; of a pause that stands, the end is another one.

        Errors: those of the journal.
        """
        detail = "until it is resumed" if until is None else f"until {until:%Y-%m-%d %H:%M} UTC"

        def amend(record: SourceRecord) -> tuple[SourceRecord, list[SourceEvent]]:
            return degrade(record, self.main, Problem.PAUSED, detail=detail, seen_at=clock.now(), until_at=until)

        await self.amend(self.main, amend)

    async def resume(self) -> None:
        """Note that the pause is over; the source has as long to become fresh as a process that starts.

        Errors: those of the journal.
        """
        if self.paused is not None:
            await self.amend(self.main, lambda record: recover(record, self.main, Problem.PAUSED, seen_at=clock.now()))

    async def unpaused(self) -> None:
        """Wait until nobody wants a pause."""
        while self.paused is not None:
            await self._turned.wait()

    def listen(self, turned: Callable[[], None]) -> None:
        """Call this when a pause begins, is given another end, or ends: in the step in which `paused` says so."""
        self._listeners.append(turned)

    async def run(self) -> NoReturn:
        """End each pause at its time.

        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        while True:
            until_at = None if self.paused is None else self.paused.until_at
            left_s = None if until_at is None else (until_at - clock.now()).total_seconds()
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._turned.wait()
            if self._lapsed(self.record):
                await self.amend(self.main, self._end_lapsed)

    async def write(self, compose: Compose) -> None:
        """Commit what `compose` makes in one transaction, take it over, publish it; give the evaluator a moment.

        Errors: those of the journal.
        Cancellation: safe; a commit that began is carried through.
        """

        async def at_once(record: SourceRecord) -> Entry:
            return compose(record)

        await self.weigh(at_once)

    async def weigh(self, weigh: Weigh) -> None:
        """Like `write`; what is known of the source stays as it is while the entry is made."""
        async with self._writing:
            newest = await _carried_through(self._carry_out(weigh))
        if newest:
            await self._evaluator.wait_caught_up(newest, JUDGED_WITHIN_S)

    async def amend(self, resource: str, amend: Amend) -> None:
        """Write what becomes of the record; the troubles of the resource that stood already are observed again."""

        def compose(record: SourceRecord) -> Entry:
            changed, events = amend(record)
            return Entry(events=events, record=changed, observed=trouble_subjects(record, resource))

        await self.write(compose)

    async def _carry_out(self, weigh: Weigh) -> int:
        """Returns the id of the last event, 0 without one."""
        entry = await weigh(self.record)
        record = None if entry.record == self.record else entry.record
        ids = range(0)
        if entry.events or entry.segments or entry.followed or record is not None:
            ids = await self._journal.commit_page(
                PageWrite(
                    source=self.source,
                    events=entry.events,
                    segments=entry.segments,
                    followed=entry.followed,
                    record=record,
                )
            )
        if record is not None:
            self._take_over(record)
        entry.accept()
        for event in entry.events:
            self._meters.event_seen(self.source, event.type)
            self._tell(event)
        observations = (Observation(self.source, entry.observed, clock.now()),) if entry.observed else ()
        if ids or observations:
            stored = [StoredEvent(id_, event) for id_, event in zip(ids, entry.events, strict=True)]  # type: ignore[arg-type]  # every Event is one of AnyEvent
            self._queue.publish(stored, observations)
        return ids.stop - 1 if ids else 0

    def _take_over(self, record: SourceRecord) -> None:
        was_good_at, was_paused = self.record.good_at.get(self.main), self.paused
        self.record = record
        if self.stale or record.good_at.get(self.main) != was_good_at:
            self._show(stale=self.stale)
        if self.paused != was_paused:
            self._turn()

    def _turn(self) -> None:
        """A pause begins, is given another end, or ends."""
        if self.paused is None:
            self.began_at = clock.now()
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()
        for listener in self._listeners:
            listener()

    def _lapsed(self, record: SourceRecord) -> bool:
        paused = record.trouble(self.main, Problem.PAUSED)
        return paused is not None and paused.until_at is not None and paused.until_at <= clock.now()

    def _end_lapsed(self, record: SourceRecord) -> tuple[SourceRecord, list[SourceEvent]]:
        if not self._lapsed(record):
            return record, []  # it was prolonged while this waited
        return recover(record, self.main, Problem.PAUSED, seen_at=clock.now())

    def _tell(self, event: Event) -> None:
        """Log what begins and what ends, each once: the record knows what stood already."""
        match event:
            case SourceDegraded():
                self._log.warning(
                    "the source is in trouble", resource=event.subject, problem=event.problem, detail=event.detail
                )
            case SourceCredentialsRejected():
                self._log.error("the vendor rejects the credentials", resource=event.subject, detail=event.detail)
            case SourceResourceUnavailable():
                self._log.warning("a resource is switched off", resource=event.subject, detail=event.detail)
            case SourceRecovered():
                self._log.info(
                    "the source has recovered", resource=event.subject, problem=event.problem, since=event.since_at
                )
            case _:
                pass


def trouble_subjects(record: SourceRecord, resource: str) -> tuple[str, ...]:
    """The subjects under which the resource's standing troubles are judged."""
    subjects = [
        trouble_key(record.source, resource, trouble.problem).subject
        for trouble in record.troubles
        if trouble.resource == resource
    ]
    return tuple(dict.fromkeys(subjects))


async def _carried_through(work: Coroutine[Any, Any, int]) -> int:
    """Await the work; where the caller is cancelled, see it through first."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_CANCELLED_WITHIN_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
