"""A door to the outside, and servers on loopback that answer as told, byte for byte where it matters."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio

from answering import http_server  # noqa: F401 - a fixture is found by its name here
from fleetpulse.outbound import Outbound
from fleetpulse.secrets import Redactor

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest_asyncio.fixture
async def outbound() -> AsyncIterator[Outbound]:
    async with Outbound(version="0.0.0", redactor=Redactor(["hidden-word"])) as door:
        yield door


@pytest_asyncio.fixture
async def byte_server() -> AsyncIterator[Callable[[Talk], Awaitable[str]]]:
    """Servers that read a connection's first request head, say what they are told, and close."""
    servers: list[asyncio.Server] = []

    async def start(talk: Talk) -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await reader.readuntil(b"\r\n\r\n")
                await talk(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start

    for server in servers:
        server.close()
        await server.wait_closed()
