"""A desk at which tests take up sources of one simulated cloud, as the service wires them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from fleetpulse.eventqueue.eventqueue import EventQueue
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.outbound import Outbound
from fleetpulse.secrets import Redactor
from fleetpulse.service.sources import WatchedSource, Watches
from fleetpulse.simulator.jfrog_connect import JFrogConnect as JFrogCloud
from fleetpulse.simulator.serve import serve
from fleetpulse.vendors.jfrog_connect import JFrogConnectSettings


class Desk:
    """Takes up sources of one simulated cloud."""

    def __init__(self, watches: Watches, meters: Meters, url: str, key_file: Path) -> None:
        self.meters = meters
        self._watches = watches
        self._url = url
        self._key_file = key_file

    async def source(self, name: str, **more: object) -> WatchedSource:
        told = {"name": name, "base_url": self._url, "project_key": "yard", "token_file": self._key_file, **more}
        return await self._watches.source(JFrogConnectSettings.model_validate(told))


@asynccontextmanager
async def desk(cloud: JFrogCloud, home: Path) -> AsyncIterator[Desk]:
    redactor, meters, key_file = Redactor(), Meters(version="0.0.0"), home / "key"
    key_file.write_text("demo-token")
    journal = await Journal.open(f"sqlite:///{home / 'fleetpulse.db'}", redact=redactor.redact)
    async with serve(cloud) as url, Outbound(version="0.0.0", redactor=redactor) as outbound:
        queue = EventQueue(journal)
        watches = Watches(
            outbound=outbound,
            journal=journal,
            queue=queue,
            evaluator=queue.consumer("evaluator", after=0),
            pages=FleetPages(),
            meters=meters,
            finished_for=timedelta(hours=24),
        )
        yield Desk(watches, meters, url, key_file)
    await journal.close()
