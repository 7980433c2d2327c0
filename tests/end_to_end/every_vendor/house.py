"""One process' objects around one source: real pollers, journal, queue and metrics, as the service wires them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from fleetpulse.eventqueue.eventqueue import Consumer, EventQueue
from fleetpulse.fleet.source import Trouble
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.outbound import Outbound
from fleetpulse.secrets import Redactor
from fleetpulse.service.sources import WatchedSource, Watches
from fleetpulse.vendors.settings import SourceSettings
from moved_time import owe
from vendors.contract.cases import KEY, Case

MINUTE = 60.0


@dataclass
class House:
    """What a test looks at while the pollers run."""

    source: WatchedSource
    journal: Journal
    pages: FleetPages
    meters: Meters

    @property
    def good_at(self) -> Mapping[str, datetime]:
        """When a sweep of each resource last ended well."""
        return self.source.watch.standing.record.good_at

    @property
    def troubles(self) -> Sequence[Trouble]:
        """What is wrong with the source now."""
        return self.source.watch.standing.record.troubles

    async def shown(self) -> str:
        """Everything that people may read: metrics of both kinds, troubles, and all events."""
        while self.pages.refresh():
            pass
        events = [repr(stored) for stored in await self.journal.events_after(0)]
        metrics = self.meters.text().decode() + b"".join(self.pages.text()).decode()
        return "\n".join([metrics, repr(self.troubles), *events])


def settings(case: Case, url: str, home: Path, *, every: str | None = None) -> SourceSettings:
    """A source at this host, with the planted key in a file and all else as it is by default.

    `every` sweeps all resources so often.
    """
    key_file = home / "key"
    key_file.write_text(KEY)
    kind = type(case.settings())
    pace = {} if every is None else {"interval": every, "sweep": dict.fromkeys(list(kind.resources)[1:], every)}
    return case.settings(base_url=url + case.base, **{f"{kind.credential}_file": key_file}, **pace)


def files(home: Path) -> str:
    """All that was written down, byte for byte, but for the key's own file."""
    return "\n".join(path.read_bytes().decode("latin-1") for path in home.iterdir() if path.name != "key")


@asynccontextmanager
async def house(source: SourceSettings, home: Path) -> AsyncIterator[House]:
    """Run a process around this source; `home` may hold the journal of an earlier one."""
    redactor = Redactor()
    journal = await Journal.open(f"sqlite:///{home / 'fleetpulse.db'}", redact=redactor.redact)
    owe(lambda: journal.owed)
    async with Outbound(version="0.0.0", redactor=redactor) as outbound:
        queue, pages, meters = EventQueue(journal), FleetPages(), Meters(version="0.0.0")
        evaluator = queue.consumer("evaluator", after=await journal.last_event_id())
        watches = Watches(
            outbound=outbound,
            journal=journal,
            queue=queue,
            evaluator=evaluator,
            pages=pages,
            meters=meters,
            finished_for=timedelta(hours=24),
        )
        watched = await watches.source(source)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(agent, name=name) for name, agent in watched.agents().items()]
            tasks.append(group.create_task(_evaluate(evaluator), name="evaluator"))
            yield House(watched, journal, pages, meters)
            for task in tasks:
                task.cancel()
    await journal.close()


async def _evaluate(consumer: Consumer) -> None:
    while True:
        batch = await consumer.next(timeout_s=None)
        if batch.events:
            consumer.done(batch.events[-1].id)
