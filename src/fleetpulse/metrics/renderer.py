"""Keeps the fleet's pages rendered without holding the event loop."""

import asyncio
from typing import Final

from fleetpulse import clock
from fleetpulse.metrics.pages import FleetPages

PAUSE_S: Final = 0.5  # nothing new for so long: the sweep is over, and rendering takes no time from it
_LONGEST_S: Final = 10.0  # a fleet that is always being swept is rendered all the same
_SHORT_SLICE_S: Final = 0.0005  # a notification on its way crosses the loop a dozen times and waits at each crossing
_GAP_S: Final = 0.001  # after each slice, so that most of those crossings wait for nothing


class Renderer:
    """Renders what is owed, without haste: nobody waits for it but a scrape, which renders for itself."""

    def __init__(self, *, pages: FleetPages, pause_s: float = PAUSE_S) -> None:
        self._pages = pages
        self._pause_s = pause_s

    async def run(self) -> None:
        """Render for ever, a moment after each change.

        Cancellation: safe at any time.
        """
        while True:
            await self._pages.dirty.wait()
            await self._quiet()
            while self._pages.refresh(_SHORT_SLICE_S):  # noqa: ASYNC110 - it waits for its own work, no one else's
                await asyncio.sleep(_GAP_S)

    async def _quiet(self) -> None:
        """Wait until nothing more becomes owed for a moment."""
        until, behind = clock.monotonic() + _LONGEST_S, 0
        while self._pages.behind != behind and clock.monotonic() < until:
            behind = self._pages.behind
            await asyncio.sleep(self._pause_s)


async def catch_up(pages: FleetPages) -> None:
    """Render what is owed now; what changes in the meantime isn't waited for, or a busy fleet would starve a scrape.

    Cancellation: safe at any time.
    """
    goal = pages.rendered + pages.behind
    while pages.rendered < goal and pages.refresh():  # noqa: ASYNC110 - it waits for its own work, no one else's
        await asyncio.sleep(0)
