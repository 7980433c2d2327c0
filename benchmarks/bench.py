"""Measures a large fleet: fleetpulse beside the naive script, each in its own process, over real HTTP on loopback.

    python -m benchmarks.bench --devices 100000

Linux only: memory is read from /proc.
"""

import argparse
import asyncio
import gc
import json
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.figures import Figures, show
from benchmarks.ours import ours
from benchmarks.stage import PAGE, PROJECT, TOKEN, Stage, peak_rss_bytes, scrape_s, staged
from rich.console import Console

DEVICES: Final = 100_000
SWEEPS: Final = 3  # the first one is cold
CHANGES: Final = 200
CHANGES_A_SWEEP: Final = 20  # each on a page of its own

Contender = Callable[[int, int], Awaitable[Figures]]


async def naive(devices: int, changes: int) -> Figures:
    """The naive script over so many devices, and its latency over so many changes."""
    async with staged(devices) as stage, _running(stage) as script:
        port = (await script.told())["port"]
        sweeps_s = [await script.sweep_s(stage) for _ in range(SWEEPS)]
        scraped_s = await scrape_s(f"http://127.0.0.1:{port}/metrics")
        latencies: list[float] = []
        while len(latencies) < changes:
            pages = min(CHANGES_A_SWEEP, changes - len(latencies), -(-devices // PAGE))
            dropped = stage.drop_one_a_page(pages)
            await script.sweep_s(stage)
            latencies += await stage.page_to_webhook_s(dropped)
        return Figures(
            sweep_devices_per_s=devices / median(sweeps_s[1:]),
            peak_rss_bytes=peak_rss_bytes(script.pid),
            scrape_s=scraped_s,
            page_to_webhook_s=tuple(latencies),
        )


@dataclass(frozen=True)
class Script:
    """The running naive script: a line in is a sweep, a line out tells of it."""

    pid: int
    stdin: StreamWriter
    stdout: StreamReader

    async def told(self) -> dict[str, Any]:
        """The next line it tells."""
        line = await self.stdout.readline()
        if not line:
            raise SystemExit("the naive script ended early")
        told: dict[str, Any] = json.loads(line)
        return told

    async def sweep_s(self, stage: Stage) -> float:
        """Let it sweep once, with every keepalive moved; gives the sweep's time in seconds."""
        stage.prepare_sweep()
        self.stdin.write(b"\n")
        return float((await self.told())["seconds"])


@asynccontextmanager
async def _running(stage: Stage) -> AsyncIterator[Script]:
    options = {"url": stage.vendor_url, "project": PROJECT, "token": TOKEN, "webhook": stage.receiver_url}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    path = Path(__file__).with_name("naive.py")
    process = await asyncio.create_subprocess_exec(sys.executable, path, *arguments, stdin=PIPE, stdout=PIPE)
    try:
        if process.stdin is None or process.stdout is None:
            raise OSError("the script has no pipes")
        yield Script(process.pid, process.stdin, process.stdout)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


CONTENDERS: Final[Mapping[str, Contender]] = {"naive script": naive, "fleetpulse": ours}


async def measure(devices: int, changes: int) -> dict[str, Figures]:
    """The figures of each contender, one after the other."""
    results = {}
    for name, contender in CONTENDERS.items():
        results[name] = await contender(devices, changes)
        gc.collect()  # the last fleet goes before the next one comes
    return results


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure fleetpulse beside a naive script.")
    parser.add_argument("--devices", type=int, default=DEVICES)
    parser.add_argument("--changes", type=int, default=CHANGES)
    options = parser.parse_args()
    console = Console()
    console.print(f"{options.devices:,} devices, {options.changes} changes; everything over HTTP on loopback")
    show(asyncio.run(measure(options.devices, options.changes)), console)


if __name__ == "__main__":
    main()
