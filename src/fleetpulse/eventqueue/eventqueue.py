"""The queue between those who commit events and those who act on them, in one process."""

import asyncio
from collections.abc import Sequence
from typing import Final

from fleetpulse.eventqueue.batch import Batch, Observation
from fleetpulse.eventqueue.window import Window
from fleetpulse.journal.entries import StoredEvent, Undecodable
from fleetpulse.journal.journal import Journal

_ABOUT_EVENTS: Final = 1000  # of one batch: enough that its one commit hardly counts, little enough for the loop
_MAX_OBSERVED: Final = 50_000  # subjects that wait for one consumer


class EventQueue:
    """Wakes consumers when events were committed, and saves them the journal while they keep up.

    What is handed out is decided by the journal alone. Publishes may come in any order, late or never: ids that
    follow each other are known to be complete, and a gap between them is read from the journal, where no id can
    appear any more below one that was published.
    """

    def __init__(self, journal: Journal, *, max_events: int = 50_000) -> None:
        self._journal = journal
        self._window = Window(max_events)
        self._published = journal.newest_event_id
        self._consumers: dict[str, Consumer] = {}

    def __len__(self) -> int:
        """How many events it holds in memory."""
        return len(self._window)

    @property
    def published(self) -> int:
        """The highest id that consumers were woken for, or that stood in the journal before."""
        return self._published

    def publish(self, events: Sequence[StoredEvent], observations: Sequence[Observation] = ()) -> None:
        """Tell of committed events, ids rising. Never waits; what does not fit is read from the journal."""
        if events:
            self._window.add(events)
            self._published = max(self._published, events[-1].id)
        for consumer in self._consumers.values():
            consumer.wake(observations)
        self.forget_consumed()

    def consumer(self, name: str, *, after: int) -> "Consumer":
        """A reader of all events behind the id `after`; a new one of the same name takes the old one's place."""
        self._published = max(self._published, self._journal.newest_event_id)
        made = self._consumers[name] = Consumer(self, self._journal, self._window, after=after)
        return made

    def forget_consumed(self) -> None:
        """Drop from memory what every consumer was handed."""
        self._window.forget(min((consumer.cursor for consumer in self._consumers.values()), default=self._published))


class Consumer:
    """One reader's place among the events. One task calls `next`; made by `EventQueue.consumer`."""

    def __init__(self, queue: EventQueue, journal: Journal, window: Window, *, after: int) -> None:
        self.cursor = after
        """The last id that was handed out."""
        self._done = after
        self._queue = queue
        self._journal = journal
        self._window = window
        self._behind = after < queue.published
        self._awake = asyncio.Event()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._observations: list[tuple[int, Observation]] = []
        self._observed = 0

    @property
    def backlog(self) -> int:
        """How many committed events were not handed out yet."""
        return max(0, self._journal.newest_event_id - self.cursor)

    async def next(self, *, timeout_s: float | None) -> Batch:
        """The next events, each exactly once and in id order; an empty batch when the time ran out.

        From memory a batch is made of whole publishes. An observation comes with, or after, every event that was
        committed before it; a consumer that is behind gets none.
        Errors: those of the journal.
        Cancellation: safe; nothing is handed out by a call that did not return.
        """
        timed_out = await self._wait(timeout_s)
        events: Sequence[StoredEvent | Undecodable] = self._window.after(self.cursor, about=_ABOUT_EVENTS)
        if not events and (timed_out or self.cursor < self._queue.published):
            events = await self._read()
        elif events:
            self.cursor = events[-1].id
        self._queue.forget_consumed()
        return Batch(tuple(events), self._ripe())

    def wake(self, observations: Sequence[Observation]) -> None:
        """The queue has something new."""
        self._awake.set()
        for observation in observations:
            if self._behind or self._observed + len(observation.subjects) > _MAX_OBSERVED:
                return  # the next sweep observes again
            self._observed += len(observation.subjects)
            self._observations.append((self._journal.newest_event_id, observation))

    def done(self, event_id: int) -> None:
        """What was handed out up to this id has been acted on and committed."""
        self._done = max(self._done, event_id)
        if self._done >= self._queue.published:
            self._behind = False
        self._let_go(self._done)

    async def wait_caught_up(self, event_id: int, timeout_s: float) -> None:
        """Give the consumer so long to be done with an event; return at once while it is behind.

        It is behind from a wait that ran out, or from a batch that had to come from the journal and was not the last,
        until it is done with all that was published.
        """
        if self._done >= event_id or self._behind:
            return
        waited: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (event_id, waited)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(timeout_s):
                await waited
        except TimeoutError:
            if self._done < event_id:  # else it was done while the time ran out, in one iteration of the loop
                self._fall_behind()
        finally:
            self._waiting.remove(entry)

    async def _wait(self, timeout_s: float | None) -> bool:
        """Wait for something to hand out; whether the time ran out."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self._ready():
                    self._awake.clear()
                    await self._awake.wait()
        except TimeoutError:
            return True
        return False

    def _ready(self) -> bool:
        return self.cursor < self._queue.published or any(due <= self.cursor for due, _ in self._observations)

    async def _read(self) -> list[StoredEvent | Undecodable]:
        newest = self._journal.newest_event_id
        if self.cursor >= newest:
            return []
        events = await self._journal.events_after(self.cursor, limit=_ABOUT_EVENTS)
        self.cursor = events[-1].id if events else newest  # retention may have been there first
        if self.cursor < self._queue.published:
            self._fall_behind()
        return events

    def _ripe(self) -> tuple[Observation, ...]:
        ripe = tuple(observation for due, observation in self._observations if due <= self.cursor)
        self._observations = [(due, observation) for due, observation in self._observations if due > self.cursor]
        self._observed -= sum(len(observation.subjects) for observation in ripe)
        return ripe

    def _fall_behind(self) -> None:
        if self._done >= self._queue.published:
            return  # nothing is left whose end would take it away again
        self._behind = True
        self._observations.clear()
        self._observed = 0
        self._let_go(self._queue.published)  # nobody waits for one that is behind

    def _let_go(self, event_id: int) -> None:
        for awaited, waited in self._waiting:
            if awaited <= event_id and not waited.done():
                waited.set_result(None)
