"""The one way to write about a source: commit, take over, publish, whatever happens to the caller."""

import asyncio
import time
from pathlib import Path

from fleetpulse import clock
from fleetpulse.fleet.events import Problem
from fleetpulse.fleet.source import SourceRecord, degrade
from fleetpulse.simulator.jfrog_connect.account import JFrogConnect as JFrogCloud
from fleetpulse.sweeping.standing import Entry
from sweeping.house import SOURCE, house


async def test_a_cancelled_write_is_carried_through(tmp_path: Path) -> None:
    async with house(JFrogCloud(devices=3), tmp_path) as home:
        standing, accepted = home.watch.standing, asyncio.Event()

        def compose(record: SourceRecord) -> Entry:
            changed, events = degrade(record, "devices", Problem.FAILING, detail="x", seen_at=clock.now())
            return Entry(events=events, record=changed, accept=accepted.set)

        writing = asyncio.ensure_future(standing.write(compose))
        await asyncio.sleep(0)  # it has begun: the commit is on its way to the journal's thread
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

        stored = (await home.journal.load_source(SOURCE)).record
        assert writing.cancelled()
        assert accepted.is_set()
        assert stored == standing.record
        assert standing.record.trouble("devices", Problem.FAILING) is not None


async def test_an_entry_that_changes_nothing_is_not_committed_but_accepted_and_observed(tmp_path: Path) -> None:
    async with house(JFrogCloud(devices=3), tmp_path) as home:
        await asyncio.sleep(30)
        accepted = asyncio.Event()
        newest = home.journal.newest_event_id

        await home.watch.standing.write(
            lambda record: Entry(record=record, accept=accepted.set, observed=("d-1", "d-2"))
        )
        await asyncio.sleep(1)

        assert accepted.is_set()
        assert home.journal.newest_event_id == newest
        assert home.observed == [("d-1", "d-2")]


async def test_writes_of_several_pollers_come_one_after_another(tmp_path: Path) -> None:
    async with house(JFrogCloud(devices=3), tmp_path) as home:
        standing = home.watch.standing

        async with asyncio.TaskGroup() as group:
            for resource in ("a", "b", "c", "d"):
                group.create_task(
                    standing.amend(
                        resource,
                        lambda record, resource=resource: degrade(  # type: ignore[misc]  # the loop's own value
                            record, resource, Problem.FAILING, detail="", seen_at=clock.now()
                        ),
                    )
                )

        assert {trouble.resource for trouble in standing.record.troubles} == {"a", "b", "c", "d"}


async def test_nobody_else_writes_while_an_entry_is_weighed(tmp_path: Path) -> None:
    async with house(JFrogCloud(devices=3), tmp_path) as home:
        standing, order = home.watch.standing, list[str]()

        async def weigh(_: SourceRecord) -> Entry:
            order.append("weighs")
            await asyncio.to_thread(time.sleep, 0.01)
            return Entry(accept=lambda: order.append("weighed"))

        async with asyncio.TaskGroup() as group:
            group.create_task(standing.weigh(weigh))
            group.create_task(standing.write(lambda _: Entry(accept=lambda: order.append("written"))))

        assert order == ["weighs", "weighed", "written"]
