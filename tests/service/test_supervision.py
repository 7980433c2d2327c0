"""Supervision: what ends the house and what does not."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from typing import Any

import pytest
from structlog.testing import capture_logs

from fleetpulse.service.supervision import ReturnedEarlyError, keep_running, stop_on_signals, unless_stopped


async def endless(ended: list[str], name: str) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append(name)


async def returns() -> None:
    return


async def breaks() -> None:
    raise RuntimeError("broken")


async def test_agents_run_until_the_event_and_are_ended_then() -> None:
    until, ended = asyncio.Event(), list[str]()

    async with asyncio.TaskGroup() as group:
        group.create_task(keep_running({name: endless(ended, name) for name in ("a", "b")}, until=until))
        await asyncio.sleep(0)
        until.set()

    assert sorted(ended) == ["a", "b"]


@pytest.mark.parametrize(("agent", "error"), [(returns, ReturnedEarlyError), (breaks, RuntimeError)])
async def test_an_agent_that_ends_by_itself_ends_all(agent: Any, error: type[Exception]) -> None:
    ended: list[str] = []

    with pytest.raises(ExceptionGroup) as raised:
        await keep_running({"odd": agent(), "well": endless(ended, "well")}, until=asyncio.Event())

    assert raised.group_contains(error)
    assert ended == ["well"]


async def test_work_is_done_unless_stopped() -> None:
    assert await unless_stopped(asyncio.Event(), asyncio.sleep(0, "done")) == "done"


async def test_a_stop_cancels_work_that_hangs() -> None:
    stop, ended = asyncio.Event(), list[str]()
    work: Coroutine[Any, Any, None] = endless(ended, "work")

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(unless_stopped(stop, work))
        await asyncio.sleep(0.01)
        stop.set()

    assert waiting.result() is None
    assert ended == ["work"]


async def test_an_error_of_the_work_is_raised() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await unless_stopped(asyncio.Event(), breaks())

    assert raised.group_contains(RuntimeError)


async def test_a_hangup_ends_no_service_and_says_what_to_do() -> None:
    stop = asyncio.Event()

    with capture_logs() as logs, stop_on_signals(stop, hangup_stops=False):
        os.kill(os.getpid(), signal.SIGHUP)
        while not logs:  # noqa: ASYNC110 - a log has no event to wait on
            await asyncio.sleep(0)

    assert not stop.is_set()
    assert [line["event"] for line in logs] == ["reload is not built yet; restart to apply other settings"]


async def test_a_hangup_stops_what_lives_in_a_terminal() -> None:
    stop = asyncio.Event()

    with stop_on_signals(stop, hangup_stops=True):
        os.kill(os.getpid(), signal.SIGHUP)

        await stop.wait()
