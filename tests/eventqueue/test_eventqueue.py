"""The queue: everything once and in order, bounded memory, and who is behind."""

import asyncio
import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventqueue.commits import AT, commit
from fleetpulse.alerting.state import Judgement
from fleetpulse.eventqueue.batch import Batch, Observation
from fleetpulse.eventqueue.eventqueue import Consumer, EventQueue
from fleetpulse.journal.entries import Undecodable
from fleetpulse.journal.journal import Journal

SEEN = Observation("edge", ("d-1",), AT)


def ids(batch: Batch) -> list[int]:
    return [event.id for event in batch.events]


async def drain(consumer: Consumer) -> list[int]:
    """All that can be had now, batch by batch."""
    found: list[int] = []
    while batch := ids(await consumer.next(timeout_s=0)):
        found += batch
    return found


@settings(max_examples=60)  # one journal serves them all: ids only rise
@given(
    sizes=st.lists(st.integers(0, 7), min_size=1, max_size=8),
    order=st.randoms(use_true_random=False),
    unpublished=st.sets(st.integers(0, 7)),
    max_events=st.integers(1, 20),
    takes=st.sets(st.integers(0, 7)),
    reads=st.integers(1, 4),
)
async def test_every_committed_event_is_handed_out_once_in_order(  # noqa: PLR0917 - what an example is made of
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
    sizes: list[int],
    order: random.Random,
    unpublished: set[int],
    max_events: int,
    takes: set[int],
    reads: int,
) -> None:
    monkeypatch.setattr("fleetpulse.eventqueue.eventqueue._ABOUT_EVENTS", reads)
    after = await journal.last_event_id()
    queue = EventQueue(journal, max_events=max_events)
    often, seldom = queue.consumer("often", after=after), queue.consumer("seldom", after=after)
    publishes = list(enumerate([await commit(journal, size) for size in sizes]))
    order.shuffle(publishes)
    seen: dict[str, list[int]] = {"often": [], "seldom": []}

    for place, (number, events) in enumerate(publishes):
        if number not in unpublished:
            queue.publish(events)
        assert len(queue) <= max_events
        seen["often"] += ids(await often.next(timeout_s=0))
        if place in takes:
            seen["seldom"] += ids(await seldom.next(timeout_s=0))
    seen["often"] += await drain(often)
    seen["seldom"] += await drain(seldom)

    expected = list(range(after + 1, after + 1 + sum(sizes)))
    assert seen == {"often": expected, "seldom": expected}
    assert (len(queue), often.backlog) == (0, 0)


async def test_concurrent_pollers_and_consumers_lose_nothing(journal: Journal) -> None:
    queue = EventQueue(journal, max_events=50)
    consumers = [queue.consumer(name, after=0) for name in ("evaluator", "metrics")]

    async def poll(pages: int) -> None:
        for size in range(pages):
            queue.publish(await commit(journal, size))

    async def consume(consumer: Consumer) -> list[int]:
        found: list[int] = []
        while len(found) < 4 * 45:
            found += ids(await consumer.next(timeout_s=30))
        return found

    async with asyncio.TaskGroup() as tasks:
        consuming = [tasks.create_task(consume(consumer)) for consumer in consumers]
        for _ in range(4):
            tasks.create_task(poll(10))

    assert [task.result() for task in consuming] == [list(range(1, 181))] * 2


async def test_a_publish_wakes_who_waits_and_stays_together(journal: Journal) -> None:
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    waiting = asyncio.ensure_future(consumer.next(timeout_s=None))
    events = await commit(journal, 3000)

    queue.publish(events)

    assert (await waiting).events == tuple(events)


async def test_small_publishes_are_handed_out_together(journal: Journal) -> None:
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    for size in (2, 3):
        queue.publish(await commit(journal, size))

    assert ids(await consumer.next(timeout_s=0)) == [1, 2, 3, 4, 5]


async def test_what_stood_in_the_journal_before_comes_first(journal: Journal) -> None:
    await commit(journal, 4)
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=1)
    queue.publish(await commit(journal, 1))

    assert consumer.backlog == 4
    assert await drain(consumer) == [2, 3, 4, 5]


async def test_an_empty_batch_says_that_the_time_ran_out(journal: Journal) -> None:
    consumer = EventQueue(journal).consumer("evaluator", after=0)

    assert await consumer.next(timeout_s=0.001) == Batch()


async def test_what_nobody_published_is_found_when_the_time_runs_out(journal: Journal) -> None:
    consumer = EventQueue(journal).consumer("evaluator", after=0)
    await commit(journal, 2)

    assert ids(await consumer.next(timeout_s=0)) == [1, 2]


async def test_a_cancelled_wait_loses_nothing(journal: Journal) -> None:
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    await commit(journal, 2)
    queue.publish(await commit(journal, 1))
    reading = asyncio.ensure_future(consumer.next(timeout_s=None))
    await asyncio.sleep(0)  # it reads the gap from the journal
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert await drain(consumer) == [1, 2, 3]


async def test_a_full_queue_keeps_no_more_than_its_limit(journal: Journal) -> None:
    queue = EventQueue(journal, max_events=10)
    consumer = queue.consumer("evaluator", after=0)

    held = []
    for size in (6, 6, 11, 4):
        queue.publish(await commit(journal, size))
        held.append(len(queue))

    assert held == [6, 6, 0, 4]
    assert await drain(consumer) == list(range(1, 28))


async def test_nothing_is_kept_for_nobody(journal: Journal) -> None:
    queue = EventQueue(journal)

    queue.publish(await commit(journal, 5))

    assert len(queue) == 0


async def test_a_new_consumer_of_a_name_takes_the_old_ones_place(journal: Journal) -> None:
    queue = EventQueue(journal)
    queue.consumer("evaluator", after=0)
    queue.publish(await commit(journal, 2))

    second = queue.consumer("evaluator", after=0)

    assert await drain(second) == [1, 2]
    assert len(queue) == 0


async def test_an_event_that_cannot_be_read_comes_in_its_place(journal: Journal, tmp_path: Path) -> None:
    await commit(journal, 3)
    with sqlite3.connect(tmp_path / "fleetpulse.db") as other:
        other.execute("UPDATE events SET payload = x'00' WHERE id = 2")
    other.close()

    batch = await EventQueue(journal).consumer("evaluator", after=0).next(timeout_s=0)

    assert [type(event) is Undecodable for event in batch.events] == [False, True, False]


async def test_events_that_retention_took_are_passed_over(journal: Journal) -> None:
    events = await commit(journal, 3)
    await journal.commit_judgement(Judgement(cursor=3))
    await journal.sweep_out(older_than=AT, max_events=0)
    queue = EventQueue(journal)
    consumer = queue.consumer("metrics", after=0)

    nothing = await consumer.next(timeout_s=30)
    queue.publish(await commit(journal, 1))

    assert (len(events), ids(nothing), consumer.backlog) == (3, [], 1)
    assert await drain(consumer) == [4]


async def test_observations_come_with_the_events_before_them(journal: Journal) -> None:
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    events = await commit(journal, 2)
    queue.publish(events, [SEEN])

    assert await consumer.next(timeout_s=0) == Batch(tuple(events), (SEEN,))
    assert await consumer.next(timeout_s=0) == Batch()


async def test_an_observation_never_comes_before_an_event_it_was_made_after(journal: Journal) -> None:
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    queue.publish(await commit(journal, 1000))
    queue.publish(await commit(journal, 1), [SEEN])

    batches = [await consumer.next(timeout_s=0) for _ in range(2)]

    assert [(len(batch.events), batch.observations) for batch in batches] == [(1000, ()), (1, (SEEN,))]


async def test_an_observation_alone_wakes_who_has_everything(journal: Journal) -> None:
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    waiting = asyncio.ensure_future(consumer.next(timeout_s=30))
    await asyncio.sleep(0)

    queue.publish([], [SEEN])

    assert await waiting == Batch((), (SEEN,))


async def test_an_observation_waits_for_events_that_are_committed_but_not_published(journal: Journal) -> None:
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    other_pollers = await commit(journal, 2)
    queue.publish([], [SEEN])
    waiting = asyncio.ensure_future(consumer.next(timeout_s=30))
    await asyncio.sleep(0)
    assert not waiting.done()

    queue.publish(other_pollers)

    assert await waiting == Batch(tuple(other_pollers), (SEEN,))


async def test_who_is_behind_is_handed_no_observation(journal: Journal) -> None:
    await commit(journal, 1001)
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    queue.publish([], [SEEN])

    batches = [await consumer.next(timeout_s=0) for _ in range(3)]

    assert [(len(batch.events), batch.observations) for batch in batches] == [(1000, ()), (1, ()), (0, ())]


async def test_observations_of_more_than_one_can_take_are_dropped(journal: Journal) -> None:
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    many = Observation("edge", tuple(f"d-{number}" for number in range(30_000)), AT)

    queue.publish([], [many, many])
    queue.publish([], [many])

    assert await consumer.next(timeout_s=0) == Batch((), (many,))
    queue.publish([], [many])
    assert await consumer.next(timeout_s=0) == Batch((), (many,))


async def test_a_poller_waits_until_its_events_are_judged(journal: Journal) -> None:
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    queue.publish(await commit(journal, 2))
    waiting = asyncio.ensure_future(consumer.wait_caught_up(2, 30))
    await consumer.next(timeout_s=0)

    consumer.done(1)
    await asyncio.sleep(0)
    early = waiting.done()
    consumer.done(2)
    await waiting

    assert not early
    await consumer.wait_caught_up(2, 30)


async def test_nobody_waits_for_one_that_was_too_slow_until_it_has_caught_up(journal: Journal) -> None:
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    queue.publish(await commit(journal, 2))
    other = asyncio.ensure_future(consumer.wait_caught_up(2, 30))
    await asyncio.sleep(0)

    await consumer.wait_caught_up(2, 0.001)
    await other  # let go with it
    await consumer.wait_caught_up(2, 30)
    consumer.done(2)
    queue.publish(await commit(journal, 1))
    waiting = asyncio.ensure_future(consumer.wait_caught_up(3, 30))
    await asyncio.sleep(0)

    assert not waiting.done()
    consumer.done(3)
    await waiting


async def test_who_is_done_as_the_time_runs_out_is_not_behind(journal: Journal) -> None:
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    queue.publish(await commit(journal, 1))
    await consumer.next(timeout_s=0)
    waiting = asyncio.ensure_future(consumer.wait_caught_up(1, 0))
    asyncio.get_running_loop().call_soon(consumer.done, 1)  # behind the wait's first step, before its time is heard of

    await waiting
    queue.publish([], [SEEN])

    assert await consumer.next(timeout_s=0) == Batch((), (SEEN,))


async def test_who_has_done_all_that_was_published_is_never_behind(journal: Journal) -> None:
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    await commit(journal, 1)

    await consumer.wait_caught_up(1, 0)  # the event is committed, and not published yet
    queue.publish([], [SEEN])

    assert await consumer.next(timeout_s=0) == Batch(tuple(await journal.events_after(0)), (SEEN,))


async def test_nobody_waits_for_one_that_must_read_more_than_it_is_handed(journal: Journal) -> None:
    queue = EventQueue(journal, max_events=10)
    consumer = queue.consumer("evaluator", after=0)
    queue.publish(await commit(journal, 1001))
    queue.publish([], [SEEN])

    first = await consumer.next(timeout_s=0)

    assert (len(first.events), first.observations) == (1000, ())
    await consumer.wait_caught_up(1001, 30)
    assert await consumer.next(timeout_s=0) == Batch(tuple(await journal.events_after(1000)))


async def test_nobody_waits_for_one_that_starts_behind(journal: Journal) -> None:
    await commit(journal, 1)
    consumer = EventQueue(journal).consumer("evaluator", after=0)

    async with asyncio.timeout(5):
        await consumer.wait_caught_up(1, 30)


async def test_a_cancelled_poller_leaves_the_others_waiting(journal: Journal) -> None:
    queue = EventQueue(journal)
    consumer = queue.consumer("evaluator", after=0)
    queue.publish(await commit(journal, 1))
    first, second = (asyncio.ensure_future(consumer.wait_caught_up(1, 30)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first

    consumer.done(1)

    await second
