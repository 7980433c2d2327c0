"""The service itself as a contender: `fleetpulse run` in a process of its own, with a config like anyone's."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import aiohttp
from benchmarks.figures import Figures
from benchmarks.stage import PAGE, PROJECT, TOKEN, Stage, peak_rss_bytes, scrape_s, staged
from prometheus_client.parser import text_string_to_metric_families

SWEEPS: Final = 3
CHANGES_A_SWEEP: Final = 20  # as for the naive script: each on a page of its own
ENDED_WITHIN_S: Final = 120  # far beyond any figure worth printing

_CONFIG: Final = """
[http]
listen = "127.0.0.1:0"
[metrics]
max_device_series = 20000000
[[sources]]
name = "bench"
vendor = "jfrog-connect"
base_url = "{vendor_url}"
project_key = "{project}"
token = "{token}"
interval = "{interval_s}s"
sweep = {{ deployments = "1h" }}
request_rate = "10000/s"
[[rules]]
name = "FleetDeviceOffline"
for = "0s"
[[rules]]
name = "FleetSourceBaseline"
enabled = false
[route]
receiver = "hook"
group_by = ["..."]
group_wait = "0s"
[[receivers]]
name = "hook"
kind = "webhook"
url = "{receiver_url}/hook"
"""


@dataclass(frozen=True)
class Service:
    """The running service, seen from outside."""

    pid: int
    url: str
    http: aiohttp.ClientSession

    async def swept_at(self) -> str | None:
        """When the last good walk of the devices ended; cheap to ask, unlike a page of a million series."""
        async with self.http.get(f"{self.url}/-/sources") as answer:
            sources = (await answer.json())["sources"]
        at: str | None = sources[0]["resources"]["devices"]["last_success"] if sources else None  # none: still loading
        return at

    async def swept(self) -> None:
        """Wait until the next walk of the devices has ended."""
        before = await self.swept_at()
        async with asyncio.timeout(ENDED_WITHIN_S):
            while await self.swept_at() == before:  # noqa: ASYNC110 - another process: there is no event to wait for
                await asyncio.sleep(0.2)

    async def sweep_s(self, stage: Stage) -> float:
        """One whole sweep, with every keepalive moved before it; gives its time in seconds."""
        count, took_s = await self._sweeps()
        stage.prepare_sweep()
        await self.swept()
        now, now_s = await self._sweeps()
        return (now_s - took_s) / (now - count)

    async def _sweeps(self) -> tuple[float, float]:
        async with self.http.get(f"{self.url}/metrics") as answer:
            text = await answer.text()
        own = text[text.rindex("# HELP fleetpulse_sweep_duration_seconds") :]
        values = {
            sample.name: sample.value
            for family in text_string_to_metric_families(own)
            for sample in family.samples
            if sample.labels.get("resource") == "devices" and "le" not in sample.labels
        }
        return values["fleetpulse_sweep_duration_seconds_count"], values["fleetpulse_sweep_duration_seconds_sum"]


async def ours(devices: int, changes: int) -> Figures:
    """The service over so many devices, and its latency over so many changes."""
    async with staged(devices) as stage, _running(stage, devices) as service:
        sweeps_s = [await service.sweep_s(stage) for _ in range(SWEEPS)]
        scraped_s = await scrape_s(f"{service.url}/metrics")
        latencies: list[float] = []
        while len(latencies) < changes:
            pages = min(CHANGES_A_SWEEP, changes - len(latencies), -(-devices // PAGE))
            latencies += await stage.page_to_webhook_s(stage.drop_one_a_page(pages))
        return Figures(
            sweep_devices_per_s=devices / median(sweeps_s[1:]),
            peak_rss_bytes=peak_rss_bytes(service.pid),
            scrape_s=scraped_s,
            page_to_webhook_s=tuple(latencies),
        )


@asynccontextmanager
async def _running(stage: Stage, devices: int) -> AsyncIterator[Service]:
    config = _CONFIG.format(
        vendor_url=stage.vendor_url,
        receiver_url=stage.receiver_url,
        project=PROJECT,
        token=TOKEN,
        interval_s=max(2, devices // 10_000),
    )
    with TemporaryDirectory(prefix="fleetpulse-bench-") as folder:
        path = Path(folder) / "config.toml"
        path.write_text(config, encoding="utf-8")
        command = (Path(sys.executable).with_name("fleetpulse"), "run", "--config", path)
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stderr=PIPE)
        try:
            url = await _url(process)
            async with aiohttp.ClientSession() as http, _drained(process):
                service = Service(process.pid, url, http)
                await service.swept()  # the first walk: what was so before is not news
                yield service
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _url(process: Process) -> str:
    """Where it listens, from its own log."""
    if process.stderr is None:
        raise OSError("the service has no pipe")
    async for line in process.stderr:
        if b"event=listening" in line:
            return line.decode().split("url=")[1].strip()
    raise SystemExit("the service ended early")


@asynccontextmanager
async def _drained(process: Process) -> AsyncIterator[None]:
    """Read the log away: a full pipe would stop the service."""

    async def read() -> None:
        while process.stderr is not None and await process.stderr.readline():
            pass

    async with asyncio.TaskGroup() as group:
        reader = group.create_task(read(), name="log")
        try:
            yield
        finally:
            reader.cancel()
