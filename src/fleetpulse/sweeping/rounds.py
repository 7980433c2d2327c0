"""The endless rounds of one resource: when it is swept, and what follows from how a sweep ended."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from random import Random
from typing import Final, NoReturn

import msgspec
import structlog

from fleetpulse import clock
from fleetpulse.fleet.events import Problem, SourceEvent
from fleetpulse.fleet.source import SourceRecord, degrade
from fleetpulse.journal.errors import JournalError
from fleetpulse.metrics.meters import Meters
from fleetpulse.sweeping.gate import Door, State
from fleetpulse.sweeping.schedule import SWITCHED_OFF_AGAIN_S, Schedule
from fleetpulse.sweeping.standing import Standing
from fleetpulse.sweeping.verdict import failed, problem_of, told
from fleetpulse.vendors.contract import CredentialsRejected, RateLimited, SourceError

_SURPRISE: Final = "error"


class Swept(msgspec.Struct, frozen=True):
    """A sweep that ended. `shortfall` says why it proves no absence; empty where it is complete."""

    shortfall: str = ""
    rows: int = 0

    @property
    def outcome(self) -> str:
        """Its word in the metrics."""
        return "incomplete" if self.shortfall else "complete"


class Rounds:
    """Sweeps one resource again and again. A sweep overlaps no other one of its resource."""

    def __init__(
        self,
        *,
        resource: str,
        schedule: Schedule,
        standing: Standing,
        door: Door,
        meters: Meters,
        redact: Callable[[str], str],
        random: Random,
    ) -> None:
        self.resource = resource
        self.schedule = schedule
        self.standing = standing
        self._door = door
        self._meters = meters
        self._redact = redact
        self._random = random
        self.main = resource == standing.main
        """Whether it is the source's main resource."""
        self._wake = asyncio.Event()
        self._failures = 0
        self._took_s = 0.0
        self._began = 0.0
        self._key = 0
        self._shortfall = ""
        self._surprise = ""
        self._log = structlog.get_logger(__name__).bind(source=standing.source, resource=resource)
        if self.main:
            door.listen(self._wake.set)

    @property
    def live_interval(self) -> timedelta:
        """How often the resource is swept as things are."""
        return self.schedule.live_interval(self._took_s)

    @property
    def baseline(self) -> bool:
        """Whether no complete sweep came before, so that nothing is news."""
        return self.resource not in self.standing.record.baselined_at

    def late(self) -> bool:
        """Whether what a sweep finds now happened while nobody looked."""
        good_at = self.standing.record.good_at.get(self.resource)
        first = good_at is None or good_at < self.standing.began_at
        return self.schedule.late(good_at, clock.now(), first=first)

    def retry(self) -> None:
        """Sweep now, also where the account is shut for its key (`sources retry`, a reload)."""
        self._door.probe_now()
        self._wake.set()

    def told(self, error: Exception) -> str:
        """The error for people, without secrets."""
        return told(error, redact=self._redact)

    def answered(self) -> None:
        """A page came, so the vendor takes the key."""
        self._door.answered(main=self.main)

    async def run(
        self, sweep: Callable[[], Awaitable[Swept]], between: Callable[[], Awaitable[float]] | None = None
    ) -> NoReturn:
        """Sweep for ever.

        `between` does one piece of work between two sweeps and tells in how many seconds the next one is due.
        Errors: those of the journal; whatever else a sweep raises ends that sweep alone.
        Cancellation: safe at any time.
        """
        await self._nap(self.schedule.first_pause_s(self._random.random()))
        while True:
            pause_s = await self._attempt(partial(self._swept, sweep))
            due = clock.monotonic() + pause_s
            self._wake.clear()  # what asked for a sweep before or during this one has had it
            while not self._wake.is_set() and (left_s := due - clock.monotonic()) > 0:
                if between is not None and not self._failures:
                    left_s = min(left_s, await self._attempt(between))
                    due = min(due, clock.monotonic() + left_s) if self._failures else due
                await self._nap(left_s)

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
                interval=self.schedule.interval,
                seen_at=clock.now(),
            )

        await self.standing.amend(self.resource, amend)

    async def _attempt(self, work: Callable[[], Awaitable[float]]) -> float:
        """Do the work when the account may be asked; see to its failure. Gives the pause after it."""
        await self._admitted()
        self._began, self._key = clock.monotonic(), self._door.times_changed
        try:
            return await work()
        except CredentialsRejected as error:
            self._end(error.reason)
            return await self._refused(error)
        except SourceError as error:
            self._end(error.reason)
            return await self._failed(error)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - odd data must not end the poller; it is told, counted and shown
            self._end(_SURPRISE)
            self._tell_surprise(error)
            return await self._failed(error)

    async def _swept(self, sweep: Callable[[], Awaitable[Swept]]) -> float:
        swept = await sweep()
        self._door.answered(main=self.main)
        self._failures, self._surprise = 0, ""
        self._took_s = clock.monotonic() - self._began
        self._end(swept.outcome)
        self._meters.sweep_succeeded(self.standing.source, self.resource, clock.now())
        if swept.shortfall != self._shortfall and swept.shortfall:
            self._log.info("sweep ended incomplete", rows=swept.rows, why=swept.shortfall)
        else:
            self._log.debug("sweep ended", rows=swept.rows, seconds=round(self._took_s, 3))
        self._shortfall = swept.shortfall
        return self.schedule.pause_s(self._took_s)

    def _end(self, outcome: str) -> None:
        source, vendor = self.standing.source, self.standing.record.vendor
        self._meters.sweep_ended(
            source, vendor=vendor, resource=self.resource, outcome=outcome, seconds=clock.monotonic() - self._began
        )
        self._meters.sweep_every(source, self.resource, self.live_interval.total_seconds())
        if self.main:
            self._meters.source_walked(source, complete=outcome == "complete")

    async def _failed(self, error: Exception) -> float:
        self._door.unclear(main=self.main)
        self._failures += 1
        await self._note_failure(error)
        if problem_of(error, main=self.main) is None:
            return SWITCHED_OFF_AGAIN_S
        retry_after_s = error.retry_after_s if isinstance(error, RateLimited) else None
        pause_s = self.schedule.retry_pause_s(self._failures, retry_after_s=retry_after_s)
        self._log.debug("sweep failed", error=self.told(error), again_in_s=round(pause_s, 1))
        return pause_s

    async def _refused(self, error: CredentialsRejected) -> float:
        """The key was refused. The main resource's poller confirms it; another one waits what comes of that."""
        shut_before = self._door.times_shut
        self._door.refused(str(error), main=self.main)
        if self.main or self._door.times_changed != self._key:
            return 0.0
        await self._admitted()
        if self._door.times_shut > shut_before:
            return 0.0
        return await self._failed(error)  # the source's key is good: it is this resource's own trouble

    async def _admitted(self) -> None:
        """Wait until a sweep may begin; where the key is refused, the source says so."""
        noted = False
        while not self._door.admit(main=self.main):
            if self.main and self._door.state is State.SHUT and not noted:
                await self.standing.amend(self.resource, self._rejected)
                noted = True
            else:
                await self._door.changed(main=self.main)

    def _rejected(self, record: SourceRecord) -> tuple[SourceRecord, list[SourceEvent]]:
        return degrade(record, self.resource, Problem.REJECTED, detail=self._door.detail, seen_at=clock.now())

    async def _nap(self, pause_s: float) -> None:
        """Rest for so long, or until somebody wants a sweep now."""
        try:
            async with asyncio.timeout(max(0.0, pause_s)):
                await self._wake.wait()
        except TimeoutError:
            return

    def _tell_surprise(self, error: Exception) -> None:
        surprise = self.told(error)
        if surprise != self._surprise:
            self._log.exception("a sweep met what it did not expect")
        self._surprise = surprise
