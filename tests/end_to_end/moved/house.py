"""The whole way of a datum in one process: sources as the service wires them, alerting, a real receiver at the end."""

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from uuid import uuid4

from fleetpulse import clock
from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.alerting.judge import Alerting
from fleetpulse.alerting.routes import Route
from fleetpulse.alerting.rules import DEFAULT_RULES
from fleetpulse.eventqueue.eventqueue import EventQueue
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.events import Event
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.journal.entries import StoredEvent
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.notifying.dispatcher import Dispatcher
from fleetpulse.notifying.evaluator import Evaluator
from fleetpulse.outbound import Outbound
from fleetpulse.receivers.webhook import WebhookReceiver, WebhookSettings
from fleetpulse.secrets import Redactor
from fleetpulse.service.catalogue import VENDORS
from fleetpulse.service.sources import WatchedSource, Watches
from fleetpulse.service.views import Fleets
from fleetpulse.simulator import WebhookReceiver as Mailbox
from fleetpulse.simulator import serve
from fleetpulse.vendors.settings import SourceSettings
from moved_time import owe

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR

KEY_WATCH, STALENESS = "key watch", "staleness"
"""What looks at the clock every few seconds or once a minute: a test of days that is not about it goes without."""


@dataclass
class House:
    """What a test looks at while the house runs. `messages` are what the receiver at its end got."""

    watched: Mapping[str, WatchedSource]
    journal: Journal
    pages: FleetPages
    meters: Meters
    alerting: Alerting
    messages: Mailbox

    def metrics(self) -> str:
        """All that a scrape would read."""
        while self.pages.refresh():
            pass
        return b"".join(self.pages.text()).decode() + self.meters.text().decode()

    def sample(self, name: str) -> float | None:
        """The value of one sample, spelled with its labels."""
        lines = self.metrics().splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + " ")), None)

    def statuses(self, source: str = "edge") -> Mapping[DeviceStatus, int]:
        """How many devices of a source stand at each status."""
        counts: Counter[DeviceStatus] = Counter()
        for (_, status), number in self.watched[source].fleet.counts().items():
            counts[status] += number
        return counts

    def alerts(self) -> list[str]:
        """The alerts as they stand: rule, subject, state."""
        return sorted(
            f"{alert.rule} {alert.condition.subject} {alert.state}" for _, alert in self.alerting.ledger.alerts.items()
        )

    async def told(self) -> list[str]:
        """The headlines of all notifications so far, oldest first; each has arrived."""
        rows = sorted(await self.journal.outbox(limit=10_000), key=lambda row: row.created_at)
        assert len(rows) == len(self.messages.unique())
        return [row.summary for row in rows]

    async def events(self) -> list[Event]:
        """All events so far."""
        return [stored.event for stored in await self.journal.events_after(0) if isinstance(stored, StoredEvent)]

    async def happened(self, prefix: str = "") -> list[str]:
        """All events so far whose type begins so, as `type subject`."""
        events = await self.events()
        return [f"{event.type} {event.subject}" for event in events if event.type.startswith(prefix)]

    async def remembered(self, source: str = "edge") -> KnownFleet:
        """The fleet that a restart would find in the journal."""
        fleet = KnownFleet(source)
        for number, payload in sorted((await self.journal.load_source(source)).segments.items()):
            fleet.load(number, payload)
        return fleet


@asynccontextmanager
async def house(home: Path, *sources: SourceSettings, without: Collection[str] = ()) -> AsyncIterator[House]:
    """Run a process around these sources, with the default rules and one webhook; `home` may hold a journal.

    `without`: the services so named do not run.
    """
    redactor, messages = Redactor(), Mailbox()
    journal = await Journal.open(f"sqlite:///{home / 'fleetpulse.db'}", redact=redactor.redact)
    owe(lambda: journal.owed)
    async with serve(messages) as url, Outbound(version="0.0.0", redactor=redactor) as outbound:
        queue, pages, meters, fleets = EventQueue(journal), FleetPages(), Meters(version="0.0.0"), Fleets()
        memory = await journal.remember()
        consumer = queue.consumer("evaluator", after=memory.cursor)
        watches = Watches(
            outbound=outbound,
            journal=journal,
            queue=queue,
            evaluator=consumer,
            pages=pages,
            meters=meters,
            finished_for=timedelta(hours=24),
        )
        watched = {source.name: await watches.source(source) for source in sources}
        fleets.known |= {name: each.fleet for name, each in watched.items()}
        alerting = Alerting(
            rules=DEFAULT_RULES,
            route=Route(key="{}", receiver="ops"),
            sources={source.name: _facts(source) for source in sources},
            send_resolved={"ops": True},
            fleet=fleets,
            new_id=lambda: str(uuid4()),
            remembered=memory,
            zone=UTC,
        )
        webhook = WebhookSettings.model_validate({"name": "ops", "url": f"{url}/hook"})
        receivers = {"ops": WebhookReceiver(webhook, outbound=outbound, redactor=redactor)}
        dispatcher = Dispatcher(receivers=receivers, journal=journal, meters=meters)
        evaluator = Evaluator(
            alerting=alerting,
            consumer=consumer,
            journal=journal,
            receivers=receivers,
            dispatcher=dispatcher,
            meters=meters,
        )
        agents: dict[str, Callable[[], Awaitable[None]]] = {"evaluator": evaluator.run, "dispatcher": dispatcher.run}
        for each in watched.values():
            agents |= {**each.watch.services, **each.services}
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_run(agent), name=name)
                for name, agent in agents.items()
                if not name.startswith(tuple(without))
            ]
            yield House(watched, journal, pages, meters, alerting, messages)
            assert await dispatcher.drain(limit_s=60)
            for task in tasks:
                task.cancel()
    await journal.close()


async def until(holds: Callable[[], bool], *, within_s: float = HOUR, every_s: float = 5.0) -> float:
    """Let moved time run until this holds; gives when that was."""
    due = clock.monotonic() + within_s
    while not holds():
        assert clock.monotonic() < due, "it never came to hold"
        await asyncio.sleep(every_s)
    return clock.monotonic()


async def baselined(home: House) -> None:
    """Wait for the first complete walk of every source."""
    watches = [each.watch for each in home.watched.values()]
    await until(lambda: all(watch.standing.main in watch.standing.record.baselined_at for watch in watches))


def densest(times: Sequence[float], window_s: float) -> int:
    """The most requests that any window of this length saw."""
    return max((bisect_left(times, at + window_s) - n for n, at in enumerate(times)), default=0)


async def _run(agent: Callable[[], Awaitable[None]]) -> None:
    await agent()


def _facts(source: SourceSettings) -> SourceFacts:
    return SourceFacts(
        source.name,
        vendor=source.vendor,
        title=VENDORS[source.vendor].title,
        main_resource=next(iter(source.resources)),
        offline_for=source.offline_for,
        silent_after=source.silent_after,
        missing_hint=source.missing_hint,
    )
