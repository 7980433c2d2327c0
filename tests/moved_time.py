"""Moved time: an event loop whose clock jumps to the next timer when nothing else is left to do.

A day of polling passes in seconds, over real HTTP, with no sleep anywhere. `fleetpulse.clock` follows the loop
(`skew_s`), and so does asyncio-throttle's window. For all async tests of a folder, write into its `conftest.py`:

    from moved_time import moved_throttle, pytest_asyncio_loop_factories  # noqa: F401 - pytest finds them by name

What the loop must not jump over is counted. Work on the loop's executor is, by itself; other threads are named by the
test: `owe(lambda: journal.owed)`. Requests between servers and clients on this loop need no count: the kernel has their
bytes ready within the few real milliseconds that the loop waits before each jump. Another *process* is not seen, so a
test that talks to one must name it in `owe` as well. Timers fire in their order; one that is due in a year costs as
little as one due in a second, but a busy poll costs a jump for each of its turns.
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from types import SimpleNamespace
from typing import TypeVar, TypeVarTuple, Unpack

import aiohttp.connector
import asyncio_throttle.throttler
import pytest

from fleetpulse import clock

GRACE_S = 0.003  # real time that the kernel and other threads get before each jump
_OWED_S = 0.02  # how often what is owed is looked at again; an answer wakes the loop by itself


Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


class _JumpingSelector(selectors.DefaultSelector):
    """Selects like its parent, but answers a wait that only a timer would end by moving the loop's clock."""

    loop: "MovedTimeLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        until = self.loop.time() + timeout
        ready = super().select(min(timeout, GRACE_S))
        while not ready and self.loop.owes() and self.loop.time() < until:
            ready = super().select(_OWED_S)
        if not ready:
            self.loop.skew_s += max(0.0, until - self.loop.time())
        return ready


class MovedTimeLoop(asyncio.SelectorEventLoop):
    """`time()` is the real clock plus `skew_s`, which grows by each wait that was skipped."""

    def __init__(self) -> None:
        self.skew_s = 0.0
        self._owed: list[Callable[[], int]] = []
        self._at_work = 0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return time.monotonic() + self.skew_s

    def owes(self) -> bool:
        """Whether something outside the loop will still answer."""
        return self._at_work > 0 or any(count() for count in self._owed)

    def owe(self, count: Callable[[], int]) -> None:
        self._owed.append(count)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Arguments]], Result], *args: *Arguments
    ) -> asyncio.Future[Result]:
        future = super().run_in_executor(executor, func, *args)
        self._at_work += 1
        future.add_done_callback(self._worked)
        return future

    def _worked(self, _: asyncio.Future[Result]) -> None:
        self._at_work -= 1


def owe(count: Callable[[], int]) -> None:
    """Make the running loop wait, in real time, while `count()` is not 0."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, MovedTimeLoop)
    loop.owe(count)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The hook by which pytest-asyncio runs a folder's tests on this loop."""
    return {"moved-time": MovedTimeLoop}


@pytest.fixture(autouse=True)
def moved_throttle(monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncio-throttle reads `time.monotonic` itself; without this its window would never move on."""
    monkeypatch.setattr(asyncio_throttle.throttler, "time", SimpleNamespace(monotonic=clock.monotonic))


@pytest.fixture(autouse=True)
def moved_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiohttp reads `time.monotonic` too, and looks every 15 s whether a connection has idled for so long.

    In moved time it never has, and a week would be 40,000 looks.
    """
    monkeypatch.setattr(aiohttp.connector, "monotonic", clock.monotonic)
