"""The outside of a benchmark: a simulated vendor and a webhook receiver, on one clock in the driver's process."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Final

import aiohttp

from fleetpulse.simulator import JFrogConnect, Seen, WebhookReceiver, serve
from fleetpulse.simulator.jfrog_connect.devices import HEARTBEAT_S
from fleetpulse.simulator.jfrog_connect.paging import window

PAGE: Final = 1000
SCRAPES: Final = 5
TOLD_WITHIN_S: Final = 120  # far beyond any figure worth printing
PROJECT: Final = "yard"
TOKEN: Final = "bench-token"  # noqa: S105 - invented, for an invented account
CHUNK_BYTES: Final = 1 << 16


@dataclass(frozen=True)
class Stage:
    """What a contender is put before: the vendor's URL, the receiver's, and what happens at both."""

    vendor: JFrogConnect
    vendor_url: str
    receiver: WebhookReceiver
    receiver_url: str
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - it picks devices

    def prepare_sweep(self) -> None:
        """Move every device's last keepalive, and encode the rows now: the vendor's own work isn't measured."""
        for device in self.vendor.fleet.rows:
            device.keepalive_at += HEARTBEAT_S
            device.kept.clear()
            self.vendor.fleet.listed(device, tags_form=self.vendor.tags_form, live_at=None, other_case=False)

    def drop_one_a_page(self, pages: int) -> dict[str, int]:
        """Let one device of each of so many random pages go offline; gives their serial numbers by id."""
        rows = self.vendor.fleet.rows
        starts = self.chance.sample(range(0, len(rows), PAGE), pages)
        chosen = [self._online_in(start) for start in starts]
        self.vendor.set_status(list(chosen), "offline")
        return {uuid: self.vendor.fleet[uuid].serial for uuid in chosen}

    def _online_in(self, start: int) -> str:
        page = islice(self.vendor.fleet.rows, start, start + PAGE)
        return self.chance.choice([device.uuid for device in page if device.status == "online"])

    async def page_to_webhook_s(self, dropped: dict[str, int]) -> list[float]:
        """The latency of each drop, once all are told: a message a device is awaited.

        Errors: TimeoutError when a drop isn't told within two minutes.
        It counts from the arrival of the page's request, a little before the page: nobody is flattered by it.
        """
        async with asyncio.timeout(TOLD_WITHIN_S):
            await self.receiver.received.reached(len(dropped))
        found = []
        for delivery in self.receiver.received:
            told = [serial for uuid, serial in dropped.items() if uuid.encode() in delivery.body]
            asked = (_asked_at(self.vendor.requests, serial, before=delivery.at) for serial in told)
            found += [delivery.at - at for at in asked]
        self.receiver.forget_received()
        self.vendor.forget_requests()
        return found


def _asked_at(requests: Iterable[Seen], serial: int, *, before: float) -> float:
    """When the newest page that holds the device with this serial number was asked for."""
    found = []
    for seen in requests:
        if seen.at < before and seen.path.endswith("/devices"):
            asked = window({name: values[0] for name, values in seen.parameters.items()})
            if asked.cursor < serial <= asked.cursor + asked.limit:
                found.append(seen.at)
    return max(found)


@asynccontextmanager
async def staged(devices: int) -> AsyncIterator[Stage]:
    """Serve a fleet of so many devices, all online, and a receiver, while the context is open."""
    vendor = JFrogConnect(devices, project_key=PROJECT, token=TOKEN, live_keepalive=False)
    receiver = WebhookReceiver()
    async with serve(vendor) as vendor_url, serve(receiver) as receiver_url:
        yield Stage(vendor, vendor_url, receiver, receiver_url)


async def scrape_s(url: str) -> float:
    """How long a GET of a metrics page takes until its last byte, the median of five.

    It asks for no compression: the page is measured, not a gzip library.
    """
    async with aiohttp.ClientSession(headers={"Accept-Encoding": "identity"}) as session:
        return median([await _scrape_s(session, url) for _ in range(SCRAPES)])


async def _scrape_s(session: aiohttp.ClientSession, url: str) -> float:
    began = time.perf_counter()
    async with session.get(url, raise_for_status=True, timeout=aiohttp.ClientTimeout(total=300)) as answer:
        async for _ in answer.content.iter_chunked(CHUNK_BYTES):
            pass
    return time.perf_counter() - began


def peak_rss_bytes(pid: int) -> int:
    """The most memory a process has held since it began its program.

    From /proc, for getrusage of a child also counts what its parent held before the child's program began.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/{pid}/status tells no VmHWM")
