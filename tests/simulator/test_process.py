"""A party as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from fleetpulse.simulator import RECEIVERS, VENDORS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

COMMAND = (sys.executable, "-m", "fleetpulse.simulator")
PIPE = asyncio.subprocess.PIPE


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=PIPE)
    assert process.stdout is not None
    try:
        yield process, json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_tells_its_url_serves_and_ends_well(client: aiohttp.ClientSession, number: signal.Signals) -> None:
    options = ("--devices", "3", "--set", "token=7", "--set", "total_mode=absent", "--set", "map_prefix=true")
    async with started("jfrog-connect", *options) as (process, told):
        async with client.get(told["url"] + "/api/v2/yard/devices", headers={"Authorization": "Bearer 7"}) as answer:
            page = await answer.json()
        process.send_signal(number)
        code = await asyncio.wait_for(process.wait(), 10)

    assert told["kind"] == "jfrog-connect"
    assert (len(page["devices"]), list(page["pagination_info"])) == (3, ["after"])
    assert code == 0


@pytest.mark.parametrize("kind", [*VENDORS, *RECEIVERS])
async def test_every_kind_runs(client: aiohttp.ClientSession, kind: str) -> None:
    async with started(kind) as (_, told), client.get(told["url"] + "/_control/state") as answer:
        assert (await answer.json())["kind"] == kind


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("jfrog-connect", "--set", "tokn=x"), "takes no 'tokn'"),
        (("jfrog-connect", "--set", "total_mode=x"), "total_mode takes one of"),
        (("jfrog-connect", "--set", "x"), "NAME=VALUE"),
        (("slack", "--devices", "3"), "takes no 'devices'"),
        (("teams",), "invalid choice"),
    ],
)
async def test_wrong_usage_is_told_and_exits_2(arguments: tuple[str, ...], reason: str) -> None:
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=PIPE, stderr=PIPE)
    _, errors = await process.communicate()

    assert process.returncode == 2
    assert reason in errors.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent death signal is Linux's")
async def test_it_dies_with_its_parent_when_told_to() -> None:
    parent_code = (
        "import subprocess, sys, time;"
        f"child = subprocess.Popen([*{COMMAND!r}, 'webhook', '--die-with-parent'], stdout=subprocess.PIPE);"
        "child.stdout.readline();"
        "print(child.pid, flush=True);"
        "time.sleep(60)"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", parent_code, stdout=PIPE)
    assert parent.stdout is not None
    child_pid = int(await asyncio.wait_for(parent.stdout.readline(), 20))
    descriptor = os.pidfd_open(child_pid)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, ended.set)

    parent.kill()
    await parent.wait()

    try:
        await asyncio.wait_for(ended.wait(), 10)
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
