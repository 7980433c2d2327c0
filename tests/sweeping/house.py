"""The part of the house around the pollers, whole and real: vendor over HTTP, journal, queue, metrics."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from fleetpulse import clock
from fleetpulse.durations import Rate
from fleetpulse.eventqueue.eventqueue import Consumer, EventQueue
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.events import Event
from fleetpulse.journal.entries import StoredEvent
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.outbound import Account, Budget, Outbound
from fleetpulse.secrets import Redactor, Secret
from fleetpulse.simulator.serve import serve
from fleetpulse.simulator.vendor import Vendor as Cloud
from fleetpulse.sweeping.gate import Gate
from fleetpulse.sweeping.keys import Expiry, KeyWatch, refresh
from fleetpulse.sweeping.neighbours import Neighbours
from fleetpulse.sweeping.pacer import Pacer
from fleetpulse.sweeping.remembered import load
from fleetpulse.sweeping.watch import Pace, Watch
from fleetpulse.vendors.contract import Vendor
from fleetpulse.vendors.hologram import Hologram, HologramSettings
from fleetpulse.vendors.iomote import Iomote, IomoteSettings
from fleetpulse.vendors.jfrog_connect import JFrogConnect, JFrogConnectSettings
from fleetpulse.vendors.jfrog_connect_v1 import JFrogConnectV1, JFrogConnectV1Settings
from fleetpulse.vendors.scalepad import ScalePad, ScalePadSettings
from fleetpulse.vendors.settings import SourceSettings
from moved_time import owe

SOURCE = "edge-prod"
MINUTE = 60.0
TURN_S = 0.0005
FAST = Rate(100, 1.0)
USUALLY = {"jfrog-connect": ("devices", "deployments"), "hologram": ("jobs",)}
"""What is swept unless a test says otherwise: it is about devices, deployments or jobs as a rule."""
SELDOM = {name: timedelta(hours=12) for name in ("deployments", "tunnels", "flows")}


class House:
    """What a test looks at while the pollers run."""

    def __init__(
        self,
        *,
        watch: Watch,
        journal: Journal,
        pages: FleetPages,
        meters: Meters,
        key_file: Path,
        pacer: Pacer,
        keys: KeyWatch,
    ) -> None:
        self.watch = watch
        self.journal = journal
        self.pages = pages
        self.meters = meters
        self.key_file = key_file
        self.pacer = pacer
        self.keys = keys
        self.observed: list[tuple[str, ...]] = []

    async def events(self) -> list[Event]:
        """All events so far."""
        return [stored.event for stored in await self.journal.events_after(0) if isinstance(stored, StoredEvent)]

    async def told(self) -> list[str]:
        """All events so far as `type subject`, the source's problems by their name."""
        return [
            " ".join([event.type.removeprefix("fleet."), event.subject, str(getattr(event, "problem", ""))]).strip()
            for event in await self.events()
        ]

    def statuses(self) -> Mapping[DeviceStatus, int]:
        """How many devices stand at each status."""
        counts: Counter[DeviceStatus] = Counter()
        for (_, status), number in self.watch.remembered.fleet.counts().items():
            counts[status] += number
        return counts

    def sample(self, name: str) -> float | None:
        """The value of one of our own metrics' samples, spelled with its labels."""
        lines = self.meters.text().decode().splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + " ")), None)

    def shown(self) -> str:
        """The fleet's metrics as a scrape would read them."""
        while self.pages.refresh():
            pass
        return b"".join(self.pages.text()).decode()


@asynccontextmanager
async def house(
    cloud: Cloud,
    home: Path,
    *,
    settings: Mapping[str, Any] | None = None,
    gate: Gate | None = None,
    rate: Rate = FAST,
    neighbours: Neighbours | None = None,
    only: Collection[str] | None = None,
    watch_keys: bool = False,
    judges_for_s: float = 0.0,
    **pace: Any,
) -> AsyncIterator[House]:
    """Run the pollers of one source against this simulated cloud; `home` may hold the journal of an earlier run.

    `settings` go to the source as its file would say them; `only` these resources are swept; `watch_keys` looks at the
    key's file every few seconds, which makes an hour of moved time longer. The evaluator takes `judges_for_s` for each
    batch.
    """
    redactor, key_file = Redactor(), home / "key"
    if not key_file.exists():
        key_file.write_text("demo-token")
    secret = Secret(file=key_file, redactor=redactor)
    journal = await Journal.open(f"sqlite:///{home / 'fleetpulse.db'}", redact=redactor.redact)
    owe(lambda: journal.owed)
    async with serve(cloud) as url, Outbound(version="0.0.0", redactor=redactor) as outbound:
        told = _settings(cloud, url, key_file=key_file, more=settings or {})
        budget = Budget(rate=rate, in_flight=told.in_flight)
        account = Account(
            outbound=outbound,
            budget=budget,
            base_url=told.base_url,
            observe=lambda *_: None,
            timeout_s=told.timeout.total_seconds(),
        )
        # the port of a simulated cloud differs at each start, and is no other place to look
        scope = told.model_copy(update={"base_url": "http://127.0.0.1"}).scope()
        vendor = _CLIENTS[cloud.kind](told, account=account, secret=secret)
        swept = USUALLY.get(cloud.kind, tuple(vendor.resources)) if only is None else only
        vendor.resources = {name: each for name, each in vendor.resources.items() if name in swept}
        queue = EventQueue(journal)
        evaluator = queue.consumer("evaluator", after=await journal.last_event_id())
        pages, meters = FleetPages(), Meters(version="0.0.0")
        meters.expect_source(SOURCE, vendor=cloud.kind, resources=vendor.resources)
        gate, pacer = gate or Gate(refresh_secret=lambda: refresh([secret])), Pacer(budget=budget)
        watch = Watch(
            remembered=await load(journal, SOURCE, vendor=cloud.kind, scope=scope),
            vendor=vendor,
            pace=Pace(**{"intervals": SELDOM, **pace}),
            pacer=pacer,
            requests_of=told.requests_of,
            gate=gate,
            neighbours=neighbours or Neighbours(),
            journal=journal,
            queue=queue,
            evaluator=evaluator,
            pages=pages,
            meters=meters,
            redact=redactor.redact,
            random=Random(1),  # noqa: S311 - it spreads first sweeps
        )
        keys = KeyWatch(gate=gate, secrets=[secret], redact=redactor.redact)
        keys.expiries.append(Expiry(secret=secret, standing=watch.standing, meters=meters))
        made = House(
            watch=watch, journal=journal, pages=pages, meters=meters, key_file=key_file, pacer=pacer, keys=keys
        )
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(), name=name) for name, run in watch.services.items()]
            tasks.append(group.create_task(_evaluate(evaluator, made, judges_for_s), name="evaluator"))
            if watch_keys:
                tasks.append(group.create_task(keys.run(), name="key watch"))
            yield made
            for task in tasks:
                task.cancel()
    await journal.close()


async def until(holds: Callable[[], bool], *, within_s: float = 600.0) -> None:
    """Let moved time run until this holds."""
    due = clock.monotonic() + within_s
    while not holds():
        assert clock.monotonic() < due, "it never came to hold"
        await asyncio.sleep(1)


async def _evaluate(consumer: Consumer, made: House, judges_for_s: float) -> None:
    while True:
        batch = await consumer.next(timeout_s=None)
        for _ in range(round(judges_for_s / TURN_S)):  # by and by, so that others come to their turns meanwhile
            await asyncio.sleep(TURN_S)
        made.observed += [observation.subjects for observation in batch.observations]
        if batch.events:
            consumer.done(batch.events[-1].id)


def _settings(cloud: Cloud, url: str, *, key_file: Path, more: Mapping[str, Any]) -> SourceSettings:
    """The settings of a source at this cloud; only Hologram's address has a path of its own."""
    settings, credential, own = _VENDORS[cloud.kind]
    base_url = f"{url}/api/1" if cloud.kind == "hologram" else f"{url}/v2" if cloud.kind == "scalepad" else url
    told = {"name": SOURCE, "base_url": base_url, credential: key_file, **{name: getattr(cloud, name) for name in own}}
    return settings.model_validate({**told, **more})


_VENDORS: Mapping[str, tuple[type[SourceSettings], str, tuple[str, ...]]] = {
    "hologram": (HologramSettings, "api_key_file", ()),
    "iomote": (IomoteSettings, "api_key_file", ("user_id",)),
    "jfrog-connect": (JFrogConnectSettings, "token_file", ("project_key",)),
    "jfrog-connect-v1": (JFrogConnectV1Settings, "user_token_file", ()),
    "scalepad": (ScalePadSettings, "token_file", ("client_id",)),
}
_CLIENTS: Mapping[str, Callable[..., Vendor]] = {
    "hologram": Hologram,
    "iomote": Iomote,
    "jfrog-connect": JFrogConnect,
    "jfrog-connect-v1": JFrogConnectV1,
    "scalepad": ScalePad,
}
