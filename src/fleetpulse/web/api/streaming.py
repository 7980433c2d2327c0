"""An answer that goes on: lines of JSON as they come, with empty ones between so that nobody thinks it dead."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import hdrs, web

from fleetpulse.web.operations import OperationError

BEAT_S: Final = (
    10.0  # a request's turn at a slow budget takes longer, and proxies give up on silence after 30 s or 60 s
)
SLOWEST_WRITE_S: Final = 60.0  # who reads nothing for so long holds a survey that others wait for

_ENCODER: Final = msgspec.json.Encoder()

Item = TypeVar("Item")


async def stream(
    request: web.Request, items: AsyncGenerator[Item | None, None], row: Callable[[Item], Any]
) -> web.StreamResponse:
    """Send a line for each item as it comes. The generator is closed however the answer ends.

    `items` gives None first, by which the answer begins, and beats from then on however long the next one takes. What
    fails later on as an operation may is told as a last line, `{"error": text}`.
    Errors: those of the generator before its first item; others later on break the connection off.
    """
    async with aclosing(items):
        await anext(items)  # where it is refused, that is an answer of its own
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "application/x-ndjson"})
        await response.prepare(request)
        try:
            async with asyncio.TaskGroup() as group:
                beating = group.create_task(_beat(response), name="heartbeat of an answer")
                async for line in _lines(items, row):
                    await _write(response, line)
                beating.cancel()
        except* (ConnectionResetError, TimeoutError):  # who asked has gone, or reads no more
            if request.transport is not None:
                request.transport.abort()
        return response


async def _lines(items: AsyncGenerator[Item | None, None], row: Callable[[Item], Any]) -> AsyncIterator[bytes]:
    try:
        async for item in items:
            if item is not None:
                yield _ENCODER.encode(row(item)) + b"\n"
    except OperationError as error:
        yield _ENCODER.encode({"error": str(error)}) + b"\n"


async def _beat(response: web.StreamResponse) -> None:
    while True:
        await _write(response, b"\n")  # the first one takes the headers along
        await asyncio.sleep(BEAT_S)


async def _write(response: web.StreamResponse, line: bytes) -> None:
    async with asyncio.timeout(SLOWEST_WRITE_S):
        await response.write(line)
