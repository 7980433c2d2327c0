"""The sweep of a list of things that are followed: each page as it comes, and at its end what the whole list says."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from fleetpulse import clock
from fleetpulse.fleet.events import SourceEvent
from fleetpulse.fleet.source import SourceRecord, owe_summary, sum_up, swept_well
from fleetpulse.sweeping.following import Changes, Following
from fleetpulse.sweeping.pages import Gathered, closing
from fleetpulse.sweeping.rounds import Rounds
from fleetpulse.sweeping.standing import Entry
from fleetpulse.sweeping.swept import Swept
from fleetpulse.vendors.contract import Page

Item = TypeVar("Item")
Item_contra = TypeVar("Item_contra", contravariant=True)
Changes_co = TypeVar("Changes_co", covariant=True)


class Ended(Protocol):
    """What becomes of the record at the end of a list."""

    def __call__(
        self, record: SourceRecord, /, *, complete: bool, seen_at: datetime
    ) -> tuple[SourceRecord, Sequence[SourceEvent]]:
        """`complete`: nothing was missing from the list."""
        ...


class Compare(Protocol[Item_contra, Changes_co]):
    """What a list would change."""

    def __call__(
        self, items: Sequence[Item_contra], /, *, complete: bool, baseline: bool, seen_at: datetime, late: bool
    ) -> Changes_co:
        """`complete`: there are no others."""
        ...


async def sweep_list(
    pages: AsyncIterator[Page[Item]],
    *,
    rounds: Rounds,
    following: Following[Changes],
    compare: Compare[Item, Changes],
    ended: Callable[[Sequence[Item]], Ended],
) -> tuple[Swept, Sequence[Item]]:
    """Walk the list; a page is written as it comes, so that its news waits for no other page.

    Errors: those of the vendor and of the journal.
    Cancellation: safe at any time.
    """
    gathered = Gathered()
    found: list[Item] = []
    baseline, late = rounds.baseline, rounds.late()

    def told(items: Sequence[Item], *, complete: bool, now: datetime) -> Changes:
        return compare(items, complete=complete, baseline=baseline, seen_at=now, late=late)

    def take(items: Sequence[Item], _: SourceRecord) -> Entry:
        return following.entry(told(items, complete=False, now=clock.now()))

    rounds.begin()
    async with closing(rounds.pages(pages)) as walk:
        async for page in walk:
            gathered.note(page)
            found += page.items
            await rounds.standing.write(partial(take, page.items))
    rounds.strange(gathered.unknown_word)
    complete, end = not gathered.shortfall(), ended(found)

    def compose(record: SourceRecord) -> Entry:
        now = clock.now()
        changes = told(found, complete=complete, now=now)
        record, events = end(record, complete=complete, seen_at=now)
        return following.entry(changes, record=record, more=events)

    await rounds.standing.write(compose)
    return Swept(shortfall=gathered.shortfall(), rows=gathered.rows), found


def counted(rounds: Rounds, counts: Mapping[str, int]) -> Ended:
    """A good sweep whose baseline is told at once, by how many stand at each status."""

    def end(
        record: SourceRecord, /, *, complete: bool, seen_at: datetime
    ) -> tuple[SourceRecord, Sequence[SourceEvent]]:
        swept, events = swept_well(record, rounds.resource, complete=complete, seen_at=seen_at)
        swept = owe_summary(record, swept, rounds.resource, seen_at=seen_at)
        swept, told = sum_up(swept, rounds.resource, counts, main=rounds.main, seen_at=seen_at)
        return swept, [*events, *told]

    return end
