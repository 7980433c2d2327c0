"""Puts a party on the network: one HTTP server, its faults and its record in front of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from fleetpulse.simulator.answers import RefusedError
from fleetpulse.simulator.breakage import play
from fleetpulse.simulator.control import PREFIX, control_routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.typedefs import Handler, Middleware

    from fleetpulse.simulator.party import Party

MAX_BODY_BYTES = 64 * 1024 * 1024
BACKLOG = 1024  # a burst of new connections must not be refused by the kernel, that would be a fault nobody asked for
# How long a request in progress may go on when the server stops. Not 0: aiohttp reads that as "no limit".
GRACE_S = 0.05


@asynccontextmanager
async def serve(party: Party, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve `party` while the context is open and give its URL, without a trailing slash.

    Port 0 takes a free one. The server stops within 0.2 s, even while clients hang.
    Errors: OSError when the address can't be had.
    """
    app = web.Application(middlewares=[_front(party)], client_max_size=MAX_BODY_BYTES)
    app.add_routes(control_routes(party))
    app.add_routes(party.routes())
    # handler_cancellation: a hanging request ends with its client instead of outliving the test
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=GRACE_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
        yield _url(runner)
    finally:
        await runner.cleanup()


def _url(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _front(party: Party) -> Middleware:
    @web.middleware
    async def front(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(PREFIX):
            return await _truth(request, handler)
        seen = party.note(request)
        answer = await _answer(party, request, handler)
        if party.faults.latency_s > 0:
            await asyncio.sleep(party.faults.latency_s)
        if request.transport is not None and not request.transport.is_closing():
            seen.status = answer.status
            party.statuses[answer.status] += 1
        return answer

    return front


async def _answer(party: Party, request: web.Request, handler: Handler) -> web.StreamResponse:
    refusal = party.gate()
    if refusal is not None:
        return refusal
    fault = party.faults.take(request.path)
    if fault is None:
        return await _truth(request, handler)
    return await play(fault, request, lambda: _truth(request, handler))


async def _truth(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer honestly; a refusal becomes the answer it describes, so that faults can spoil it too."""
    try:
        return await handler(request)
    except RefusedError as refusal:
        return refusal.answer()
    except web.HTTPException as error:
        headers = {name: value for name, value in error.headers.items() if name != "Content-Length"}
        body = error.body if isinstance(error.body, bytes) else None
        return web.Response(status=error.status, body=body, headers=headers)
