"""The newest committed events in memory: a convenience, for the journal has them all."""

from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence
from itertools import pairwise

from fleetpulse.journal.entries import StoredEvent

Run = tuple[StoredEvent, ...]
"""Events whose ids follow each other without a gap, so nothing can be missing between them."""


class Window:
    """Runs of events by their first id, at most `max_events` in all; where it is full, the oldest run goes.

    A publish is kept whole or not at all, so what a page changed stays together.
    """

    def __init__(self, max_events: int) -> None:
        self._max_events = max_events
        self._starts: list[int] = []
        self._runs: dict[int, Run] = {}
        self._events = 0

    def __len__(self) -> int:
        return self._events

    def add(self, events: Sequence[StoredEvent]) -> None:
        """Keep these, ids rising; one run costs the same however long it is."""
        for run in _runs(events):
            insort(self._starts, run[0].id)
            self._runs[run[0].id] = run
            self._events += len(run)
        while self._events > self._max_events:
            self._drop_first()

    def after(self, event_id: int, *, about: int) -> Run:
        """The events that follow this id without a gap: whole runs until there are `about` so many; () if unknown."""
        found: list[StoredEvent] = []
        wanted = event_id + 1
        while len(found) < about and (run := self._from(wanted)):
            found += run
            wanted += len(run)
        return tuple(found)

    def forget(self, event_id: int) -> None:
        """Drop the runs that end at this id or before: everybody had them."""
        while self._starts and self._runs[self._starts[0]][-1].id <= event_id:
            self._drop_first()

    def _from(self, wanted: int) -> Run:
        place = bisect_right(self._starts, wanted)
        run = self._runs[self._starts[place - 1]] if place else ()
        return run[wanted - run[0].id :] if run else ()

    def _drop_first(self) -> None:
        self._events -= len(self._runs.pop(self._starts.pop(0)))


def _runs(events: Sequence[StoredEvent]) -> Iterator[Run]:
    if not events:
        return
    if events[-1].id - events[0].id == len(events) - 1:  # rising ids then have no gap: the case of every page
        yield tuple(events)
        return
    cuts = [place for place, (left, right) in enumerate(pairwise(events), start=1) if right.id != left.id + 1]
    for begin, end in pairwise([0, *cuts, len(events)]):
        yield tuple(events[begin:end])
