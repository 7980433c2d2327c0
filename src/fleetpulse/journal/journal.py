"""The journal: all that must survive a crash, behind one object.

Every method that writes returns when its transaction is on the disk. Common errors of all: JournalRefusedError for an
operation that can never be stored, JournalCorruptError once the journal is damaged, JournalUnavailableError once it is
closed. A journal that cannot be written for now raises nothing: callers wait until it can. What was handed over is done
even when its caller is cancelled.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from fleetpulse import clock
from fleetpulse.alerting.state import Decision, Judgement, Remembered
from fleetpulse.fleet.events import SourceRemoved
from fleetpulse.journal import judgements, outbox, pages, retention, storage
from fleetpulse.journal.clerk import Clerk, Work, ignore
from fleetpulse.journal.encoding import Encoder
from fleetpulse.journal.entries import (
    Delivery,
    DeliveryRecord,
    OutboxRow,
    PageWrite,
    StoredEvent,
    StoredSource,
    Swept,
    Undecodable,
)
from fleetpulse.journal.errors import JournalError, JournalUnavailableError
from fleetpulse.journal.identity import Identity
from fleetpulse.journal.lock import FileLock

_TOGETHER: Final = 1000  # operations of one commit: more waiting callers than the service ever has

Result = TypeVar("Result")


class Journal:
    """One open journal. Made by `open`, held alone until `close`."""

    def __init__(
        self, path: Path, *, lock: FileLock, encoder: Encoder, newest: int, at_step: Callable[[str], None]
    ) -> None:
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Raises what made the journal unusable; the process should end with it. Never has a result."""
        self._lock: FileLock | None = lock
        self._files = (Identity.of(path, path.stat()), lock.identity)
        self._encoder = encoder
        self._newest = newest
        self._writer = Clerk(
            task="written",
            engine=storage.engine(path, begin="BEGIN IMMEDIATE"),
            together=_TOGETHER,
            at_step=at_step,
            on_failure=self._fail,
            at_rest=storage.fold_log,
        )
        self._reader = Clerk(
            task="read",
            engine=storage.engine(path, begin="BEGIN"),
            together=1,  # each read its own snapshot, and none waits for another one's decoding
            at_step=at_step,
            on_failure=self._fail,
        )

    @classmethod
    async def open(
        cls, url: str, *, redact: Callable[[str], str], at_step: Callable[[str], None] = ignore
    ) -> "Journal":
        """Lock the journal, create it where there is none, check it and bring its schema up to date.

        `url` is `sqlite:///PATH` in a directory that exists. `redact` goes over all free text that is stored.
        `at_step` hears on the writing thread when a transaction has come to a step (`page:before-commit`,
        `page:after-commit`, likewise `judge`, `flush`, `claim`, `record`), so that a test can end the process there.
        Errors: JournalHeldError, JournalUnavailableError, JournalCorruptError.
        """
        path = storage.location(url)
        lock, newest = await asyncio.to_thread(_make_ready, path)
        return cls(path, lock=lock, encoder=Encoder(redact), newest=newest, at_step=at_step)

    async def close(self) -> None:
        """Write what still waits, fold the log into the file, give the lock back. May be called again.

        What cannot be written within a few tries is given up: its callers get JournalUnavailableError.
        """
        await self._writer.stop()
        await self._reader.stop()  # the last connection to close folds the log in
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    @property
    def writable(self) -> bool:
        """Whether the last transaction could be made."""
        return not self._writer.trouble and not self.failed.done()

    @property
    def trouble(self) -> str:
        """Why the journal cannot be written or read for now; empty when it can."""
        return self._writer.trouble or self._reader.trouble

    @property
    def owed(self) -> int:
        """How many operations were handed over and not yet answered."""
        return self._writer.owed + self._reader.owed

    @property
    def newest_event_id(self) -> int:
        """The highest id that is committed, known without asking the database; 0 when there was never an event."""
        return self._newest

    async def commit_page(self, write: PageWrite) -> range:
        """Transaction 1: what a page changes; the ids of its events in their order, without a gap."""
        work = partial(pages.write, page=write, encoder=self._encoder)
        return await self._write(work, "page", committed=lambda ids: self._seen(ids.stop - 1))

    async def remove_source(self, source: str, event: SourceRemoved) -> int:
        """Forget a source's known fleet and record, and write the event that says so; the event's id."""
        work = partial(pages.remove_source, source=source, event=event, encoder=self._encoder)
        return await self._write(work, "remove", committed=self._seen)

    async def load_source(self, source: str) -> StoredSource:
        """All that is kept of a source, empty where nothing is."""
        return await self._read(partial(pages.load_source, source=source))

    async def sources(self) -> list[str]:
        """The names of all sources of which anything is kept, also of those no longer configured."""
        return await self._read(pages.sources)

    async def events_after(self, event_id: int, *, limit: int = 1000) -> list[StoredEvent | Undecodable]:
        """Committed events in id order. Once an id is seen, no smaller one will ever appear."""
        return await self._read(partial(pages.events_after, event_id=event_id, limit=limit))

    async def last_event_id(self) -> int:
        """The highest id ever given, 0 when there was none."""
        return await self._read(pages.last_event_id)

    async def remember(self) -> Remembered:
        """What a restart takes up again: conditions, alerts, groups, what was told, the evaluator's cursor."""
        return await self._read(judgements.remember)

    async def commit_judgement(
        self,
        judgement: Judgement,
        *,
        deliveries: Sequence[tuple[Delivery, bool]] = (),
        set_aside: Sequence[tuple[int, str]] = (),
    ) -> None:
        """Transactions 2 and 3: what was decided, what is to be sent of it, the events that could not be judged.

        A delivery's bool says that it is born claimed; `set_aside` holds (event id, error).
        """
        work = partial(
            judgements.write,
            judgement=judgement,
            deliveries=deliveries,
            set_aside=set_aside,
            at=clock.now(),
            encoder=self._encoder,
        )
        await self._write(work, "judge", *(["flush"] if deliveries else []))

    async def claim(self, receiver: str, *, now: datetime, limit: int = 100) -> list[Delivery]:
        """Transaction 4: mark due rows as being sent, those due the longest first."""
        return await self._write(partial(outbox.claim, receiver=receiver, now=now, limit=limit), "claim")

    async def record(self, outcomes: Sequence[DeliveryRecord]) -> None:
        """Transaction 5: what became of tries. A row that has reached its end meanwhile stays as it is."""
        await self._write(partial(outbox.record, outcomes=outcomes, encoder=self._encoder), "record")

    async def record_and_claim(
        self, receiver: str, outcomes: Sequence[DeliveryRecord], *, now: datetime, limit: int
    ) -> tuple[list[Delivery], datetime | None]:
        """Transactions 5 and 4 as one: `record`, then `claim`, then `next_due` of what is still owed.

        It is the courier's whole business with the journal between two batches; a `limit` of 0 claims nothing.
        """
        work = partial(
            outbox.record_and_claim,
            receiver=receiver,
            outcomes=outcomes,
            now=now,
            limit=limit,
            encoder=self._encoder,
        )
        return await self._write(work, "record", *(["claim"] if limit else []))

    async def release_claims(self) -> int:
        """At the start: every claimed row is owed again, marked doubtful; how many they were."""
        return await self._write(outbox.release, "release")

    async def next_due(self, receiver: str) -> datetime | None:
        """When the receiver's next owed row is to be sent; None when nothing is owed."""
        return await self._read(partial(outbox.next_due, receiver=receiver))

    async def outbox_counts(self) -> Mapping[tuple[str, str], int]:
        """How many deliveries each (receiver, state) holds."""
        return await self._read(outbox.counts)

    async def oldest_owed(self) -> Mapping[str, datetime]:
        """When the oldest delivery that has not reached its end was made, by receiver."""
        return await self._read(outbox.oldest)

    async def outbox(self, *, state: str | None = None, after: str | None = None, limit: int = 100) -> list[OutboxRow]:
        """Deliveries newest first, from behind the id `after`; nothing where that one is gone."""
        return await self._read(partial(outbox.listing, state=state, after=after, limit=limit))

    async def decisions(
        self,
        *,
        fingerprint: str | None = None,
        source: str | None = None,
        subject: str | None = None,
        limit: int = 100,
    ) -> list[Decision]:
        """Decisions about what is asked for, newest first."""
        return await self._read(
            partial(judgements.decisions, fingerprint=fingerprint, source=source, subject=subject, limit=limit)
        )

    async def sweep_out(self, *, older_than: datetime, max_events: int, batch: int = 5000) -> Swept:
        """Retention: delete what is old, or too much, in transactions of `batch` rows that others go between.

        Of events and of decisions no more than `max_events` are kept each.
        Kept whatever its age: an event that a cursor has not passed, a delivery that has not reached its end.
        Cancellation: safe; what is deleted stays deleted.
        """

        async def deleted(work: Callable[..., int], **limit: Any) -> int:
            number = last = await self._write(partial(work, batch=batch, **limit), "retention")
            while last >= batch:
                number += (last := await self._write(partial(work, batch=batch, **limit), "retention"))
            return number

        return Swept(
            events=await deleted(retention.old_events, older_than=older_than)
            + await deleted(retention.surplus_events, most=max_events),
            decisions=await deleted(retention.old_decisions, older_than=older_than)
            + await deleted(retention.surplus_decisions, most=max_events),
            deliveries=await deleted(retention.old_deliveries, older_than=older_than),
            set_aside=await deleted(retention.old_set_aside, older_than=older_than),
        )

    async def look_after_files(self) -> None:
        """Make sure that the journal and its lock are still the files that were opened.

        Where not, what is written goes where nobody finds it, and a second instance may start beside this one: the
        journal is then unusable, as `failed` tells.
        """
        files = self._files if self._lock is not None else ()
        gone = await asyncio.to_thread(lambda: [file.path for file in files if not file.stands()])
        if gone and self._lock is not None:
            self._fail(
                JournalUnavailableError(
                    f"the journal's file was removed or replaced: {gone[0]}; what was written since is lost. Stop "
                    "fleetpulse before touching its journal; the next start begins with what is there"
                )
            )

    async def _write(self, work: Work[Result], *steps: str, committed: Callable[[Result], None] = ignore) -> Result:
        self._check()
        return await self._writer.carry_out(work, steps=steps, committed=committed)

    async def _read(self, work: Work[Result]) -> Result:
        self._check()
        return await self._reader.carry_out(work)

    def _check(self) -> None:
        if self.failed.done() and not self.failed.cancelled() and (error := self.failed.exception()) is not None:
            raise type(error)(str(error)) if isinstance(error, JournalError) else error

    def _seen(self, event_id: int) -> None:
        self._newest = max(self._newest, event_id)

    def _fail(self, error: Exception) -> None:
        if not self.failed.done():  # the other thread may have found the same
            self.failed.set_exception(error)
            self.failed.exception()  # it counts as heard of, even where nobody waits for it


def _make_ready(path: Path) -> tuple[FileLock, int]:
    lock = FileLock.hold(path)
    try:
        return lock, storage.make_ready(path)
    except BaseException:
        lock.release()
        raise
