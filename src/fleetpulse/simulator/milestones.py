"""Waiting for the n-th of something without polling."""

from __future__ import annotations

import asyncio


class Milestones:
    """Wakes who waits for a count to be reached."""

    def __init__(self) -> None:
        """Start with nobody waiting."""
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def reached(self, count: int) -> None:
        """Say how far the count has come."""
        if not self._waiting:
            return
        for n, woken in self._waiting:
            if n <= count and not woken.done():
                woken.set_result(None)
        self._waiting = [(n, woken) for n, woken in self._waiting if not woken.done()]

    async def wait(self, n: int) -> None:
        """Wait until the count is `n`. Cancellation: safe."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((n, woken))
        await woken
