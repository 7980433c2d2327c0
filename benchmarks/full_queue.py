"""Measures the queue when it is full: the evaluator is held for half a minute while a fleet goes on changing.

    python -m benchmarks.full_queue --seconds 30

Sweeps must keep their pace, memory must stay flat once the queue is full, and what waited must be judged then.
Linux only: memory is read from /proc.
"""

import argparse
import asyncio
import json
import logging
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import uuid4

import structlog
from rich.console import Console
from rich.table import Table

from fleetpulse.alerting.judge import Alerting
from fleetpulse.alerting.routes import Route
from fleetpulse.alerting.rules import DEFAULT_RULES
from fleetpulse.eventqueue.eventqueue import Consumer, EventQueue
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.notifying.dispatcher import Dispatcher
from fleetpulse.notifying.evaluator import Evaluator
from fleetpulse.outbound import Outbound
from fleetpulse.secrets import Redactor
from fleetpulse.service.sources import WatchedSource, Watches
from fleetpulse.service.views import Fleets
from fleetpulse.vendors.jfrog_connect import JFrogConnectSettings

DEVICES: Final = 20_000
TURNING: Final = 8  # every eighth device turns before each sweep
HELD_S: Final = 30.0
FULL: Final = 50_000  # events that the queue holds, as in the service
EVERY_S: Final = 1.0
TOKEN: Final = "bench-token"  # noqa: S105 - invented, for an invented account


@dataclass
class Phase:
    """The sweeps of one phase: how long each took, and how much memory the process held after each."""

    sweeps_s: list[float] = field(default_factory=list)
    rss_mib: list[float] = field(default_factory=list)
    rss_when_full_mib: float = 0.0


class Bench:
    """One source, swept whenever it is asked to be; the evaluator runs or does not."""

    def __init__(self, *, outbound: Outbound, watched: WatchedSource, queue: EventQueue, consumer: Consumer) -> None:
        self.queue = queue
        self.consumer = consumer
        self._outbound = outbound
        self._watched = watched
        self._url = watched.settings.base_url
        self._devices: list[str] = []
        self._offline = False

    async def begin(self) -> None:
        """The first walk: what was so before is no news."""
        self._devices = await self._control("uuids")
        await self._swept()

    async def phase(self, *, seconds: float, until_full: int = 0) -> Phase:
        """Sweep once a second until time is up and, where asked for, well more events wait than the queue holds."""
        phase, began = Phase(), time.perf_counter()
        while time.perf_counter() - began < seconds or self.consumer.backlog < 1.2 * until_full or not phase.rss_mib:
            next_at = time.perf_counter() + EVERY_S
            await self._turn()
            phase.sweeps_s.append(await self._swept())
            phase.rss_mib.append(rss_mib())
            if until_full and self.consumer.backlog >= until_full and not phase.rss_when_full_mib:
                phase.rss_when_full_mib = phase.rss_mib[-1]
            await asyncio.sleep(max(0.0, next_at - time.perf_counter()))
        return phase

    async def caught_up_s(self) -> float:
        """How long it takes until nothing waits any more."""
        began = time.perf_counter()
        while self.consumer.backlog or len(self.queue):  # noqa: ASYNC110 - nobody tells it
            await asyncio.sleep(0.01)
        return time.perf_counter() - began

    async def _turn(self) -> None:
        """A part of the fleet goes offline, and comes back the next time."""
        self._offline = not self._offline
        status = "offline" if self._offline else "online"
        await self._control("set_status", uuid=self._devices[::TURNING], status=status)

    async def _swept(self) -> float:
        before = self._swept_at()
        began = time.perf_counter()
        while self._swept_at() == before:
            # again and again: one that comes while a sweep ends counts for that sweep
            await self._watched.watch.retry()
            await asyncio.sleep(0.005)
        return time.perf_counter() - began

    def _swept_at(self) -> datetime | None:
        return self._watched.watch.standing.record.good_at.get("devices")

    async def _control(self, name: str, **arguments: Any) -> Any:
        body = json.dumps(arguments).encode()
        answer = await self._outbound.request("POST", f"{self._url}/_control/{name}", body=body, timeout_s=30)
        return json.loads(answer.body)["result"]


@asynccontextmanager
async def simulated(devices: int) -> AsyncIterator[str]:
    """A vendor with so many devices in a process of its own, so that its work and memory are not measured."""
    command = ["-m", "fleetpulse.simulator", "jfrog-connect", "--die-with-parent", "--devices", str(devices)]
    settings = ["--set", f"token={TOKEN}", "--set", "project_key=yard", "--set", "live_keepalive=false"]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, *settings, stdout=PIPE)
    try:
        if process.stdout is None:
            raise OSError("the simulator has no pipe")
        yield json.loads(await process.stdout.readline())["url"]
    finally:
        process.terminate()
        await process.wait()


async def measure(*, devices: int, seconds: float, full: int) -> tuple[Phase, float, Phase]:
    """The sweeps while the evaluator is held, the seconds it then needs to catch up, the sweeps while it runs."""
    redactor, meters, fleets, pages = Redactor(), Meters(version="bench"), Fleets(), FleetPages()
    with TemporaryDirectory() as home:
        journal = await Journal.open(f"sqlite:///{Path(home) / 'bench.db'}", redact=redactor.redact)
        async with simulated(devices) as url, Outbound(version="bench", redactor=redactor) as outbound:
            queue = EventQueue(journal, max_events=full)
            consumer = queue.consumer("evaluator", after=0)
            watches = Watches(
                outbound=outbound,
                journal=journal,
                queue=queue,
                evaluator=consumer,
                pages=pages,
                meters=meters,
                finished_for=timedelta(hours=24),
            )
            watched = await watches.source(_settings(url))
            fleets.known["bench"] = watched.fleet
            evaluator = _evaluator(fleets, consumer=consumer, journal=journal, meters=meters)
            bench = Bench(outbound=outbound, watched=watched, queue=queue, consumer=consumer)
            async with asyncio.TaskGroup() as group:
                agents = [group.create_task(agent, name=name) for name, agent in watched.agents().items()]
                await bench.begin()
                held = await bench.phase(seconds=seconds, until_full=full)
                agents.append(group.create_task(evaluator.run(), name="evaluator"))
                caught_up_s = await bench.caught_up_s()
                running = await bench.phase(seconds=seconds)
                for agent in agents:
                    agent.cancel()
        await journal.close()
    return held, caught_up_s, running


def _settings(url: str) -> JFrogConnectSettings:
    return JFrogConnectSettings.model_validate(
        {
            "name": "bench",
            "base_url": url,
            "project_key": "yard",
            "token": TOKEN,
            "interval": "1h",  # it is asked to sweep
            "request_rate": "10000/s",
        }
    )


def _evaluator(fleets: Fleets, *, consumer: Consumer, journal: Journal, meters: Meters) -> Evaluator:
    alerting = Alerting(
        rules=DEFAULT_RULES,
        route=Route(key="{}", receiver=""),
        sources={},
        send_resolved={},
        fleet=fleets,
        new_id=lambda: str(uuid4()),
        zone=UTC,
    )
    return Evaluator(
        alerting=alerting,
        consumer=consumer,
        journal=journal,
        receivers={},
        dispatcher=Dispatcher(receivers={}, journal=journal, meters=meters),
        meters=meters,
    )


def rss_mib() -> float:
    """The memory this process holds now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status tells no VmRSS")


def _rows(held: Phase, caught_up_s: float, running: Phase) -> Mapping[str, str]:
    pace = median(held.sweeps_s) / median(running.sweeps_s)
    grown = held.rss_mib[-1] / held.rss_when_full_mib
    return {
        "sweep while the evaluator runs, ms": f"{1000 * median(running.sweeps_s):,.0f}",
        "sweep while it is held, ms": f"{1000 * median(held.sweeps_s):,.0f}",
        "held / running (1.1 at most)": f"{pace:.2f}",
        "memory when the queue is full, MiB": f"{held.rss_when_full_mib:,.0f}",
        "memory at the end of the hold, MiB": f"{held.rss_mib[-1]:,.0f}",
        "end / full": f"{grown:.2f}",
        "to judge what waited, s": f"{caught_up_s:.1f}",
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure sweeps and memory while the queue is full.")
    parser.add_argument("--devices", type=int, default=DEVICES)
    parser.add_argument("--seconds", type=float, default=HELD_S)
    parser.add_argument("--full", type=int, default=FULL, help="how many events the queue holds")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    table = Table("the evaluator held, and the queue full", "")
    table.columns[1].justify = "right"
    measured = asyncio.run(measure(devices=options.devices, seconds=options.seconds, full=options.full))
    for name, text in _rows(*measured).items():
        table.add_row(name, text)
    Console().print(table)


if __name__ == "__main__":
    main()
