"""`/metrics`: everything rendered so far, streamed so that a large fleet never holds the event loop."""

import asyncio
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from fleetpulse.metrics.exposition import CONTENT_TYPE
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.metrics.renderer import catch_up
from fleetpulse.web.views import Views

MOST_AT_ONCE: Final = 8  # a scrape that isn't read holds the pages of its moment in memory
SLOWEST_S: Final = 60.0  # no Prometheus waits longer by default than 10 s


class Scrape:
    """Answers scrapes; 503 until the known state is rendered, for half a fleet must not pass for the whole."""

    def __init__(self, *, views: Views, pages: FleetPages, meters: Meters) -> None:
        self._views = views
        self._pages = pages
        self._meters = meters
        self._running = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Serve one scrape."""
        if not self._views.ready_for_metrics():
            return _later("the known state is not rendered yet\n")
        if self._running >= MOST_AT_ONCE:
            return _later("too many scrapes at once\n")
        self._running += 1
        try:
            return await self._stream(request)
        finally:
            self._running -= 1

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        await catch_up(self._pages)
        await self._views.count_alerts()
        chunks = [*self._pages.text(), self._meters.text()]
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})
        response.content_length = sum(map(len, chunks))
        try:
            async with asyncio.timeout(SLOWEST_S):
                await response.prepare(request)
                for chunk in chunks if request.method == hdrs.METH_GET else ():
                    await response.write(chunk)
                    await asyncio.sleep(0)  # a fast reader never makes `write` wait
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
        except ConnectionResetError:
            pass  # who asked has gone; there is nobody to tell
        return response


def _later(text: str) -> web.Response:
    return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=text, headers={hdrs.RETRY_AFTER: "1"})
