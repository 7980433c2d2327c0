"""The part of the house behind the pollers, whole and real: journal, queue, evaluator, dispatcher, receivers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from fleetpulse import clock
from fleetpulse.alerting.facts import GroupFacts, SourceFacts
from fleetpulse.alerting.judge import Alerting
from fleetpulse.alerting.routes import Route
from fleetpulse.alerting.rules import DEFAULT_RULES
from fleetpulse.alerting.state import Judgement
from fleetpulse.eventqueue.batch import Observation
from fleetpulse.eventqueue.eventqueue import Consumer, EventQueue
from fleetpulse.fleet.device import Device, DeviceStatus
from fleetpulse.fleet.events import AnyEvent, DeviceCameOnline, DeviceWentOffline
from fleetpulse.journal.clerk import ignore
from fleetpulse.journal.entries import Delivery, OutboxRow, PageWrite, StoredEvent
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.notifying.dispatcher import Dispatcher
from fleetpulse.notifying.evaluator import Evaluator
from fleetpulse.outbound import Outbound
from fleetpulse.receivers.contract import Receiver
from fleetpulse.receivers.slack import SlackReceiver, SlackSettings
from fleetpulse.receivers.webhook import WebhookReceiver, WebhookSettings
from fleetpulse.secrets import Redactor

SOURCE = "edge-prod"
AT_ONCE = tuple(msgspec.structs.replace(rule, for_=timedelta()) for rule in DEFAULT_RULES)
TO_OPS = Route(key="{}", receiver="ops", group_by=("device",), group_wait=timedelta())
"""Each device a group of its own, told at once."""


class Fleet:
    """The fleet as messages see it: nobody else is in it."""

    def devices(self, source: str) -> int:
        return len(source)

    def group(self, source: str, group: str) -> GroupFacts | None:  # noqa: ARG002 - a group of nobody
        return None

    def names(self, source: str, devices: Iterable[str]) -> Mapping[str, str]:  # noqa: ARG002 - likewise
        return {}

    def statuses(self, source: str, devices: Iterable[str]) -> Mapping[str, DeviceStatus]:  # noqa: ARG002 - likewise
        return {}

    def last_seen(self, source: str, device: str) -> None:  # noqa: ARG002 - likewise
        return None


class House:
    """What a test looks at, and where it lets things happen."""

    def __init__(
        self,
        *,
        journal: Journal,
        queue: EventQueue,
        consumer: Consumer,
        dispatcher: Dispatcher,
        evaluator: Evaluator,
        meters: Meters,
    ) -> None:
        self.meters = meters
        self.journal = journal
        self.queue = queue
        self.consumer = consumer
        self.dispatcher = dispatcher
        self.evaluator = evaluator

    async def offline(self, *devices: str, source: str = SOURCE) -> int:
        """One page shows these devices offline; the id of its last event."""
        return await self.happen(*(turned(device, source=source) for device in devices))

    async def happen(self, *events: AnyEvent, again: Sequence[str] = ()) -> int:
        """One page shows these events, and devices again as they were; the id of the last event."""
        ids = await self.journal.commit_page(PageWrite(source=SOURCE, events=events))
        self.queue.publish(
            [StoredEvent(number, event) for number, event in zip(ids, events, strict=True)],
            [Observation(SOURCE, tuple(again), clock.now())],
        )
        return ids.stop - 1

    async def owe(self, *keys: str, receiver: str = "ops", group: str = "", age: timedelta = timedelta()) -> None:
        """Put rows into the outbox as if they had been decided then, each in a group of its own unless one is named."""
        now = clock.now() - age
        rows = [
            Delivery(
                id=key,
                receiver=receiver,
                group_key=group or key,
                payload=f'{{"text":"{key}"}}'.encode(),
                created_at=now + timedelta(microseconds=number),
                noticed_at=now,
                due_at=now,
                summary=f"headline of {key}",
            )
            for number, key in enumerate(keys)
        ]
        await self.journal.commit_judgement(Judgement(), deliveries=[(row, False) for row in rows])
        self.dispatcher.give(receiver, ())

    async def rows(self) -> dict[str, OutboxRow]:
        """The outbox by id."""
        return {row.id: row for row in await self.journal.outbox(limit=10_000)}

    async def states(self) -> dict[str, str]:
        """How the rows stand, by id."""
        return {key: row.state for key, row in (await self.rows()).items()}

    async def ended(self, number: int, *, within_s: float = 60.0) -> dict[str, str]:
        """Wait until so many rows have come to an end; how all of them stand."""

        async def enough() -> bool:
            counts = await self.journal.outbox_counts()
            return sum(rows for (_, state), rows in counts.items() if state in {"delivered", "dead"}) >= number

        await until(enough, within_s=within_s)
        return await self.states()

    async def judged(self, event_id: int) -> None:
        """Wait until the evaluator is past this event."""

        async def past() -> bool:
            return (await self.journal.remember()).cursor >= event_id

        await until(past)

    def sample(self, name: str) -> float | None:
        """The value of one of our own metrics' samples, spelled with its labels."""
        lines = self.meters.text().decode().splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + " ")), None)


def turned(
    device: str, *, source: str = SOURCE, kind: type[DeviceWentOffline | DeviceCameOnline] = DeviceWentOffline
) -> DeviceWentOffline | DeviceCameOnline:
    """A device goes offline, or comes back."""
    status = DeviceStatus.OFFLINE if kind is DeviceWentOffline else DeviceStatus.ONLINE
    return kind(
        source=source,
        subject=device,
        seen_at=clock.now(),
        device=Device(device, f"name of {device}", "Lyon"),
        status=status,
        ever_online=True,
    )


def webhook(url: str, *, outbound: Outbound, redactor: Redactor) -> Receiver:
    """A webhook at a simulated receiver."""
    settings = WebhookSettings.model_validate({"name": "ops", "url": f"{url}/hook"})
    return WebhookReceiver(settings, outbound=outbound, redactor=redactor)


def slack(url: str, *, outbound: Outbound, redactor: Redactor) -> Receiver:
    """A channel at a simulated Slack."""
    settings = SlackSettings.model_validate({"name": "chat", "webhook_url": f"{url}/services/T0/B0/x"})
    return SlackReceiver(settings, outbound=outbound, redactor=redactor)


@asynccontextmanager
async def house(
    home: Path,
    *,
    webhooks: Mapping[str, str] | None = None,
    channels: Mapping[str, str] | None = None,
    others: Mapping[str, Receiver] | None = None,
    alerting: type[Alerting] = Alerting,
    at_step: Callable[[str], None] = ignore,
    agents: bool = True,
    **wiring: Any,
) -> AsyncIterator[House]:
    """Evaluator and dispatcher over these receivers, by name and URL; `home` may hold the journal of an earlier run.

    Without `agents` nothing runs yet; `wiring` replaces what alerting is made of.
    """
    redactor = Redactor()
    journal = await Journal.open(f"sqlite:///{home / 'fleetpulse.db'}", redact=redactor.redact, at_step=at_step)
    if hasattr(loop := asyncio.get_running_loop(), "owe"):
        loop.owe(lambda: journal.owed)
    await journal.release_claims()
    async with Outbound(version="0", redactor=redactor) as outbound:
        receivers = {
            **{name: webhook(url, outbound=outbound, redactor=redactor) for name, url in (webhooks or {}).items()},
            **{name: slack(url, outbound=outbound, redactor=redactor) for name, url in (channels or {}).items()},
            **(others or {}),
        }
        meters = Meters(version="0")
        memory = await journal.remember()
        queue = EventQueue(journal)
        consumer = queue.consumer("evaluator", after=memory.cursor)
        judge = alerting(
            **{
                "rules": AT_ONCE,
                "route": TO_OPS,
                "sources": {SOURCE: SourceFacts(SOURCE, "jfrog-connect", "JFrog Connect")},
                "send_resolved": {},
                "fleet": Fleet(),
                "new_id": lambda: str(uuid4()),
                "remembered": memory,
                "zone": UTC,
                **wiring,
            }
        )
        dispatcher = Dispatcher(receivers=receivers, journal=journal, meters=meters)
        evaluator = Evaluator(
            alerting=judge,
            consumer=consumer,
            journal=journal,
            receivers=receivers,
            dispatcher=dispatcher,
            meters=meters,
        )
        made = House(
            journal=journal,
            queue=queue,
            consumer=consumer,
            dispatcher=dispatcher,
            evaluator=evaluator,
            meters=meters,
        )
        if not agents:
            yield made
        else:
            async with running(evaluator.run, dispatcher.run):
                assert await dispatcher.drain(limit_s=60)
                yield made
    await journal.close()


@asynccontextmanager
async def running(*agents: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run these agents while the context is open; what one raises ends it."""

    async def run(agent: Callable[[], Awaitable[None]]) -> None:
        await agent()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(agent), name=str(agent)) for agent in agents]
        yield
        for task in tasks:
            task.cancel()


async def until(holds: Callable[[], Awaitable[bool]], *, within_s: float = 60.0) -> None:
    """Let moved time run until this holds; it is looked at some hundred times."""
    due = clock.monotonic() + within_s
    while not await holds():
        assert clock.monotonic() < due, "it never came to hold"
        await asyncio.sleep(within_s / 300)
