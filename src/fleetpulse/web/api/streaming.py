"""An answer that goes on: lines of JSON as they come, with empty ones between so that nobody thinks it dead."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import msgspec
from aiohttp import hdrs, web

BEAT_S: Final = (
    10.0  # a request's turn at a slow budget takes longer, and proxies give up on silence after 30 s or 60 s
)
SLOWEST_WRITE_S: Final = 60.0  # who reads nothing for so long holds a survey that others wait for

_ENCODER: Final = msgspec.json.Encoder()


async def stream(request: web.Request, lines: AsyncGenerator[msgspec.Struct, None]) -> web.StreamResponse:
    """Send each line as it comes. The generator is closed however the answer ends.

    Errors: those of the generator before its first line; later ones break the connection off.
    """
    async with aclosing(lines):
        first = await anext(lines)  # where it is refused, that is an answer of its own
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "application/x-ndjson"})
        await response.prepare(request)
        try:
            async with asyncio.TaskGroup() as group:
                beating = group.create_task(_beat(response), name="heartbeat of an answer")
                await _write(response, _line(first))
                async for line in lines:
                    await _write(response, _line(line))
                beating.cancel()
        except* (ConnectionResetError, TimeoutError):  # who asked has gone, or reads no more
            if request.transport is not None:
                request.transport.abort()
        return response


async def _beat(response: web.StreamResponse) -> None:
    while True:
        await asyncio.sleep(BEAT_S)
        await _write(response, b"\n")


async def _write(response: web.StreamResponse, line: bytes) -> None:
    async with asyncio.timeout(SLOWEST_WRITE_S):
        await response.write(line)


def _line(line: msgspec.Struct) -> bytes:
    return _ENCODER.encode(line) + b"\n"
