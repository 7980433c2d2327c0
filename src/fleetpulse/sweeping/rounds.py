"""The endless rounds of one resource: when it is swept, and what follows from how a sweep ended."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial
from random import Random
from typing import Final, NoReturn, TypeVar

import structlog

from fleetpulse import clock
from fleetpulse.fleet.events import Problem, SourceEvent
from fleetpulse.fleet.source import SourceRecord, degrade, recover
from fleetpulse.journal.errors import JournalError
from fleetpulse.metrics.meters import Meters
from fleetpulse.sweeping.gate import Door, State
from fleetpulse.sweeping.leash import CutOffError, Leash
from fleetpulse.sweeping.pacer import Lane
from fleetpulse.sweeping.pages import closing
from fleetpulse.sweeping.schedule import SWITCHED_OFF_AGAIN_S, Schedule
from fleetpulse.sweeping.standing import Standing
from fleetpulse.sweeping.swept import Progress, Swept
from fleetpulse.sweeping.verdict import failed, problem_of, told
from fleetpulse.vendors.contract import NO_WORD, CredentialsRejected, Page, RateLimited, SourceError

Item = TypeVar("Item")

_SURPRISE: Final = "error"
_STRANGE_TOLD: Final = 20  # words: a vendor may use some new ones; who makes up one for each row has told nothing


class Rounds:
    """Sweeps one resource again and again. A sweep overlaps no other one of its resource."""

    def __init__(
        self,
        *,
        resource: str,
        schedule: Schedule,
        lane: Lane,
        standing: Standing,
        door: Door,
        meters: Meters,
        redact: Callable[[str], str],
        random: Random,
    ) -> None:
        self.resource = resource
        self.schedule = schedule
        self.lane = lane
        self.standing = standing
        self.random = random
        self.main = resource == standing.main
        """Whether it is the source's main resource."""
        self._door = door
        self._meters = meters
        self._redact = redact
        self._charged = lane
        self._whole = True
        self._news = asyncio.Event()
        self._wanted = False
        self._leash = Leash()
        self._progress: Progress | None = None
        self._failures = 0
        self._took_s = 0.0
        self._came_s = 0.0
        self._began = 0.0
        self._swept_from = 0.0
        self._rests_until: float | None = 0.0
        self._key = 0
        self._shortfall = ""
        self._surprise = ""
        self._strange: set[str] = set()
        self._log = structlog.get_logger(__name__).bind(source=standing.source, resource=resource)
        standing.listen(self._pause_turned)
        if self.main:
            door.listen(self.retry_soon)

    @property
    def live_interval(self) -> timedelta:
        """How often the resource is swept as things are: as the budget carries, or as long as a sweep takes.

        A sweep under way counts for as long as it makes progress, so that a long walk is no reason to be stale.
        """
        return max(self.lane.live, timedelta(seconds=max(self._took_s, self._came_s)))

    @property
    def progress(self) -> Progress | None:
        """How far the sweep under way has come; None while there is none."""
        return self._progress if self._leash.holds else None

    @property
    def baseline(self) -> bool:
        """Whether no complete sweep came before, so that nothing is news."""
        return self.resource not in self.standing.record.baselined_at

    def late(self) -> bool:
        """Whether what a sweep finds now happened while nobody looked."""
        good_at = self.standing.record.good_at.get(self.resource)
        first = good_at is None or good_at < self.standing.began_at
        return self.schedule.late(good_at, clock.now(), live=self.live_interval, first=first)

    def retry(self) -> None:
        """Sweep now, also where the account is shut for its key; behind a pause, once that ends."""
        self._door.probe_now()
        self.retry_soon()

    def retry_soon(self) -> None:
        """Sweep now, if the account may be asked."""
        self._wanted = True
        self.stir()

    def stir(self) -> None:
        """Look again at what is due when."""
        self._news.set()

    def told(self, error: Exception) -> str:
        """The error for people, without secrets."""
        return told(error, redact=self._redact)

    def strange(self, unknown_word: str) -> None:
        """Log a status word that nobody knows, once; empty, and what is no word, is none."""
        if unknown_word in self._strange | {"", NO_WORD} or len(self._strange) >= _STRANGE_TOLD:
            return
        self._strange.add(unknown_word)
        self._log.warning("the vendor says a status that nobody knows", status=unknown_word)

    def begin(self, lane: Lane | None = None, *, whole: bool = True, total: int | None = None) -> None:
        """A sweep begins from its start, and is charged to this lane; one that goes on where it broke does not."""
        self._charged, self._whole = lane or self.lane, whole
        self._charged.begin()
        self._progress = Progress(total=total)

    def answered(self, rows: int = 1, *, total: int | None = None) -> None:
        """An answer came, so the vendor takes the key, and the sweep makes progress."""
        self._door.answered(main=self.main)
        self._charged.requested()
        self._came_s = clock.monotonic() - self._began
        before = self._progress or Progress()
        self._progress = Progress(before.rows + rows, before.total if total is None else total)

    async def pages(self, walk: AsyncIterator[Page[Item]]) -> AsyncIterator[Page[Item]]:
        """The pages of a walk, each noted as an answer; a key that came in doubt meanwhile is waited for."""
        async with closing(walk) as pages:
            page = await anext(pages, None)
            while page is not None:
                self.answered(len(page.items) + page.odd, total=page.total)
                yield page
                if page.resume is not None or not self.main:  # behind its last page a probe would ask nothing
                    await self.admitted()
                page = await anext(pages, None)

    async def run(
        self, sweep: Callable[[], Awaitable[Swept]], between: Callable[[], Awaitable[float]] | None = None
    ) -> NoReturn:
        """Sweep for ever.

        `between` does one piece of work between two sweeps and tells in how many seconds the next one is due.
        Errors: those of the journal; whatever else a sweep raises ends that sweep alone.
        Cancellation: safe at any time.
        """
        await self._nap(self.schedule.first_pause_s(self.random.random()))
        while True:
            await self._attempt(partial(self._swept, sweep))
            self._wanted = False  # what asked for a sweep before or during this one has had it
            while not self._wanted and (left_s := self._due() - clock.monotonic()) > 0:
                if between is not None and not self._failures:
                    left_s = min(left_s, await self._attempt(between))
                await self._nap(left_s)

    async def admitted(self) -> None:
        """Wait until the vendor may be asked: not while the source is paused, nor while its key is refused.

        Where the key is refused, the source says so.
        """
        noted = False
        while True:
            await self.standing.unpaused()
            if self._door.admit(main=self.main):
                break
            if self.main and self._door.state is State.SHUT and not noted:
                await self.standing.amend(self.resource, self._rejected)
                noted = True
            else:
                await self._door.changed(main=self.main)
        self._key = self._door.times_changed

    async def key_cleared(self, error: CredentialsRejected) -> bool:
        """Wait what the main resource's poller finds after a key was refused here, where it is not swept.

        Whether that very key is good, so that it is only this resource's, or one device's, own trouble. If not, another
        one is by now.
        """
        asked_with, shut_before = self._key, self._door.times_shut
        self._door.refused(str(error), main=self.main)
        if self._door.times_changed != asked_with:
            return False
        await self.admitted()
        return self._door.times_shut == shut_before

    async def mended(self) -> None:
        """Note that what failed works again, for a sweep that is too long to wait for its end."""
        if self.standing.record.trouble(self.resource, Problem.FAILING) is not None:
            await self.standing.amend(
                self.resource,
                lambda record: recover(record, self.resource, Problem.FAILING, seen_at=clock.now()),
            )

    def _due(self) -> float:
        """When the next sweep is due; after a good one by the interval as it is by now, from start to start."""
        if self._rests_until is not None:
            return self._rests_until
        return self._swept_from + self.live_interval.total_seconds()

    async def _note_failure(self, error: Exception) -> None:
        """Note that the resource fails; what stands already is observed again."""

        def amend(record: SourceRecord) -> tuple[SourceRecord, list[SourceEvent]]:
            if self.main and self._door.state is State.SHUT:
                return record, []  # the probe told nothing else of the key
            return failed(
                record,
                self.resource,
                error,
                detail=self.told(error),
                main=self.main,
                interval=self.lane.at_best,
                seen_at=clock.now(),
            )

        await self.standing.amend(self.resource, amend)

    async def _attempt(self, work: Callable[[], Awaitable[float]]) -> float:
        """Do the work when the account may be asked; see to its failure. Gives the pause after it."""
        await self.admitted()
        self._began = clock.monotonic()
        try:
            return await self._leash.hold(work)
        except CutOffError:
            self._door.unclear(main=self.main)
            return self._rest(0.0)
        except CredentialsRejected as error:
            self._end(error.reason)
            return self._rest(await self._refused(error))
        except SourceError as error:
            self._end(error.reason)
            return self._rest(await self._failed(error))
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - odd data must not end the poller; it is told, counted and shown
            self._end(_SURPRISE)
            self._tell_surprise(error)
            return self._rest(await self._failed(error))

    async def _swept(self, sweep: Callable[[], Awaitable[Swept]]) -> float:
        self._swept_from, self._came_s = self._began, 0.0
        swept = await sweep()
        self._door.answered(main=self.main)
        self._charged.ended()
        self._failures, self._surprise = 0, ""
        self._took_s, self._came_s, self._progress = clock.monotonic() - self._began, 0.0, None
        self._rests_until = None
        self._end(swept.outcome)
        self._meters.sweep_succeeded(self.standing.source, self.resource, clock.now())
        if swept.shortfall != self._shortfall and swept.shortfall:
            self._log.info("sweep ended incomplete", rows=swept.rows, why=swept.shortfall)
        else:
            self._log.debug("sweep ended", rows=swept.rows, seconds=round(self._took_s, 3))
        self._shortfall = swept.shortfall
        return 0.0

    def _end(self, outcome: str) -> None:
        source, vendor = self.standing.source, self.standing.record.vendor
        self._meters.sweep_ended(
            source, vendor=vendor, resource=self.resource, outcome=outcome, seconds=clock.monotonic() - self._began
        )
        self.lane.tell()
        self._meters.sweep_every(source, self.resource, self.live_interval.total_seconds())
        if self.main and self._whole:
            self._meters.source_walked(source, complete=outcome == "complete")

    async def _failed(self, error: Exception) -> float:
        self._door.unclear(main=self.main)
        self._failures += 1
        retry_after_s = error.retry_after_s if isinstance(error, RateLimited) else None
        pause_s = self.schedule.retry_pause_s(self._failures, retry_after_s=retry_after_s)
        if not self._passes(error, pause_s):
            await self._note_failure(error)
        if problem_of(error, main=self.main) is None:
            self._charged.rest()
            return SWITCHED_OFF_AGAIN_S
        self._log.debug("sweep failed", error=self.told(error), again_in_s=round(pause_s, 1))
        return pause_s

    def _passes(self, error: Exception, pause_s: float) -> bool:
        """Whether it is no trouble: one request too many now and then is how a budget learns what the vendor takes."""
        return isinstance(error, RateLimited) and self._failures == 1 and pause_s < self.schedule.interval_s

    async def _refused(self, error: CredentialsRejected) -> float:
        """The key was refused. The main resource's poller confirms it; another one waits what comes of that."""
        if self.main:
            self._door.refused(str(error), main=True)
            return 0.0
        return await self._failed(error) if await self.key_cleared(error) else 0.0

    def _rejected(self, record: SourceRecord) -> tuple[SourceRecord, list[SourceEvent]]:
        return degrade(record, self.resource, Problem.REJECTED, detail=self._door.detail, seen_at=clock.now())

    def _pause_turned(self) -> None:
        """Cut off what is under way for a pause that begins; sweep at once when it ends."""
        if self.standing.paused is None:
            self.retry_soon()
        else:
            self._leash.cut_off()

    def _rest(self, pause_s: float) -> float:
        """Rest for so long before the next sweep, whatever its interval."""
        self._rests_until = clock.monotonic() + pause_s
        return pause_s

    async def _nap(self, pause_s: float) -> None:
        """Rest for so long, or until there is something to look at anew."""
        try:
            async with asyncio.timeout(max(0.0, pause_s)):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    def _tell_surprise(self, error: Exception) -> None:
        surprise = self.told(error)
        if surprise != self._surprise:
            self._log.exception("a sweep met what it did not expect")
        self._surprise = surprise
