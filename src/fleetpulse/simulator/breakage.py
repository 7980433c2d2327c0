"""Plays faults on live connections: hanging, resetting, stalling, cutting."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from aiohttp import web

from fleetpulse.simulator.answers import body_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fleetpulse.simulator.faults import Fault

BODY_TYPES = {b"{": "application/json", b"[": "application/json", b"<": "text/html"}
# l_onoff=1, l_linger=0: close() discards what is unsent and sends RST instead of FIN.
LINGER_NONE = struct.pack("ii", 1, 0)


async def play(
    fault: Fault,
    request: web.Request,
    truth: Callable[[], Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    """Answer `request` as `fault` says; `truth` gives the honest answer where the fault spoils one.

    Cancellation: safe; it is how a hanging request ends when its client leaves.
    """
    match fault.kind:
        case "fail" | "garble":
            return canned(fault)
        case "reset":
            return reset(request)
        case "hang":
            await asyncio.sleep(fault.seconds)
            return reset(request)
        case "truncate":
            return _cut(await truth())
        case "stall":
            return await _stall(request, await truth())


def canned(fault: Fault) -> web.Response:
    """Build the answer a fault carries; its media type is guessed from the body where no header names one."""
    answer = web.Response(status=fault.status, body=fault.body, headers=fault.headers)
    if not any(name.lower() == "content-type" for name in fault.headers):
        answer.content_type = BODY_TYPES.get(fault.body.lstrip()[:1], "text/plain")
    return answer


def reset(request: web.Request) -> web.Response:
    """Break the request's connection with a TCP reset; what is returned goes nowhere."""
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
        transport.abort()
    return web.Response(status=500)


def _cut(answer: web.StreamResponse) -> web.Response:
    body = body_of(answer)
    return web.Response(status=answer.status, body=body[: len(body) // 2], headers=_headers(answer))


async def _stall(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    body = body_of(answer)
    stream = web.StreamResponse(status=answer.status, headers=_headers(answer))
    stream.content_length = len(body)
    await stream.prepare(request)
    await stream.write(body[: len(body) // 2])
    await asyncio.Event().wait()  # until the client leaves or the server stops: both cancel
    return stream


def _headers(answer: web.StreamResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
