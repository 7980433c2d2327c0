"""Supervision: endless coroutines; one that ends by itself is a crash, a stop is orderly, a second signal kills."""

import asyncio
import os
import signal
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

Agents = Mapping[str, Coroutine[Any, Any, None]]
Result = TypeVar("Result")


class ReturnedEarlyError(Exception):
    """An endless coroutine ended by itself, which is never right."""


async def keep_running(agents: Agents, *, until: asyncio.Event) -> None:
    """Run the agents until the event is set, then cancel them and wait for their end.

    Errors: whatever an agent raised, in an ExceptionGroup; ReturnedEarlyError for one that returned.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_endless(name, agent), name=name) for name, agent in agents.items()]
        await until.wait()
        for task in tasks:
            task.cancel()


async def unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result | None:
    """The result of some work, or None where `stop` is set first: the work is then cancelled.

    Errors: those of the work, in an ExceptionGroup.
    """
    async with asyncio.TaskGroup() as group:
        doing = group.create_task(work, name="coming up")
        waiting = group.create_task(stop.wait(), name="stop")
        await asyncio.wait([doing, waiting], return_when=asyncio.FIRST_COMPLETED)
        stopped = not doing.done()
        doing.cancel()
        waiting.cancel()
    return None if stopped else doing.result()


async def _endless(name: str, agent: Coroutine[Any, Any, None]) -> None:
    await agent
    raise ReturnedEarlyError(f"{name} ended by itself")


@contextmanager
def stop_on_signals(stop: asyncio.Event, *, hangup_stops: bool) -> Iterator[None]:
    """Set `stop` on SIGTERM or SIGINT; a second signal ends the process at once with 128 + its number.

    SIGHUP is one of them where `hangup_stops`, for what lives in a terminal; a service is sent it to reload.
    """
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT, *((signal.SIGHUP,) if hangup_stops else ()))

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            os._exit(128 + number)  # what hangs now would hang in any orderly way, too
        _log.info("stopping; a second signal kills", signal=number.name)
        stop.set()

    loop.add_signal_handler(signal.SIGHUP, _log.warning, "reload is not built yet; restart to apply other settings")
    for number in signals:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield
    finally:
        for number in {*signals, signal.SIGHUP}:
            loop.remove_signal_handler(number)
