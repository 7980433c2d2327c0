"""Sweeps what is read whole and compared with nothing: update flows, groups, the vendor's own count."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, NoReturn, TypeVar

import msgspec

from fleetpulse import clock
from fleetpulse.fleet.flow import UpdateFlow
from fleetpulse.fleet.source import SourceRecord, swept_well
from fleetpulse.fleet.summary import Summary
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.sweeping.counted import Counted
from fleetpulse.sweeping.pages import Gathered, closing
from fleetpulse.sweeping.rounds import Rounds
from fleetpulse.sweeping.standing import Entry
from fleetpulse.sweeping.swept import Swept
from fleetpulse.vendors.contract import Page, ReadsFlows, ReadsGroups, ReadsSummary

Item = TypeVar("Item")

MOST_FLOWS: Final = 10_000  # held at once; far more than are shown, and an account with more has a list without end


class FlowsPoller:
    """Sweeps one resource of update flows of one source."""

    def __init__(self, *, vendor: ReadsFlows, pages: FleetPages, rounds: Rounds) -> None:
        self._vendor = vendor
        self._pages = pages
        self._rounds = rounds

    async def run(self) -> NoReturn:
        """Sweep for ever.

        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        await self._rounds.run(self._sweep)

    async def _sweep(self) -> Swept:
        flows: list[UpdateFlow] = []

        def take(found: Sequence[UpdateFlow]) -> None:
            flows.extend(found[: MOST_FLOWS - len(flows)])

        swept = await _sweep_list(self._rounds, self._vendor.flows(self._rounds.resource), take)
        self._pages.flows(self._rounds.standing.source, flows)
        return swept


class GroupsPoller:
    """Sweeps one resource of groups of one source: the vendor keeps their names for its devices."""

    def __init__(self, *, vendor: ReadsGroups, rounds: Rounds) -> None:
        self._vendor = vendor
        self._rounds = rounds

    async def run(self) -> NoReturn:
        """Sweep for ever.

        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        await self._rounds.run(self._sweep)

    async def _sweep(self) -> Swept:
        return await _sweep_list(self._rounds, self._vendor.groups(self._rounds.resource), lambda _: None)


class SummaryPoller:
    """Sweeps the vendor's own count of one source."""

    def __init__(self, *, vendor: ReadsSummary, counted: Counted, rounds: Rounds) -> None:
        self._vendor = vendor
        self._counted = counted
        self._rounds = rounds

    async def run(self) -> NoReturn:
        """Sweep for ever.

        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        await self._rounds.run(self._sweep)

    async def _sweep(self) -> Swept:
        self._rounds.begin()
        summary = await self._vendor.summary(self._rounds.resource)
        self._rounds.answered()
        await _swept_well(self._rounds, complete=True, summary=summary)
        self._counted.take(summary)
        return Swept(rows=1)


async def _sweep_list(
    rounds: Rounds, pages: AsyncIterator[Page[Item]], take: Callable[[Sequence[Item]], None]
) -> Swept:
    """Walk a list whole, giving what each page holds."""
    gathered = Gathered()
    rounds.begin()
    async with closing(rounds.pages(pages)) as walk:
        async for page in walk:
            gathered.note(page)
            take(page.items)
    await _swept_well(rounds, complete=not gathered.shortfall())
    return Swept(shortfall=gathered.shortfall(), rows=gathered.rows)


async def _swept_well(rounds: Rounds, *, complete: bool, summary: Summary | None = None) -> None:
    def compose(record: SourceRecord) -> Entry:
        record, events = swept_well(record, rounds.resource, complete=complete, seen_at=clock.now())
        if summary is not None:
            record = _without_a_rise(record, summary)
        return Entry(events=events, record=record)

    await rounds.standing.write(compose)


def _without_a_rise(record: SourceRecord, summary: Summary) -> SourceRecord:
    """What was counted first, or fell, is taken as looked for; what rose is for who looks to note."""
    known, told = record.enrolment_errors, summary.enrolment_errors
    if told is None or (known is not None and told >= known):
        return record
    return msgspec.structs.replace(record, enrolment_errors=told)
