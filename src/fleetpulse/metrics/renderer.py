"""Keeps the fleet's pages rendered without holding the event loop."""

import asyncio
from typing import Final

from fleetpulse.metrics.pages import FleetPages

PAUSE_S: Final = 1.0  # a sweep's pages touch the same segment again and again; a scrape doesn't wait for this


class Renderer:
    """Renders what is owed, in slices of some milliseconds."""

    def __init__(self, *, pages: FleetPages, pause_s: float = PAUSE_S) -> None:
        self._pages = pages
        self._pause_s = pause_s

    async def run(self) -> None:
        """Render for ever, a moment after each change.

        Cancellation: safe at any time.
        """
        while True:
            await self._pages.dirty.wait()
            await asyncio.sleep(self._pause_s)
            await catch_up(self._pages)


async def catch_up(pages: FleetPages) -> None:
    """Render what is owed now; what changes in the meantime isn't waited for, or a busy fleet would starve a scrape.

    Cancellation: safe at any time.
    """
    goal = pages.rendered + pages.behind
    while pages.rendered < goal and pages.refresh():  # noqa: ASYNC110 - it waits for its own work, no one else's
        await asyncio.sleep(0)
