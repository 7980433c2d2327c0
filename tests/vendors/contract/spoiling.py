"""A man in the middle: it passes a client's requests on to a simulated vendor, and spoils the answers of one endpoint.

Each endpoint has an address of its own, so that all of them can be tried side by side.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import NamedTuple, Self

import aiohttp
from aiohttp import web
from yarl import URL

from vendors.contract.cases import Endpoint


class Truth(NamedTuple):
    """What the vendor really answered."""

    status: int
    content_type: str
    body: bytes

    def answer(self, body: bytes | None = None, *, status: int | None = None) -> web.Response:
        """The same answer, or one with another body or status."""
        headers = {"Content-Type": self.content_type}
        return web.Response(status=status or self.status, body=self.body if body is None else body, headers=headers)


Spoil = Callable[[web.Request, Truth], Awaitable[web.StreamResponse]]


class _Served:
    """One handler on a port of its own."""

    def __init__(self) -> None:
        self.url = ""
        self._open = AsyncExitStack()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        # no access log: paths hold keys. A hanging answer ends with its client
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05)
        await runner.setup()
        self._open.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()


class Elsewhere(_Served):
    """Another host, where nobody has any business."""

    def __init__(self) -> None:
        super().__init__()
        self.visits = 0

    async def answer(self, _: web.Request) -> web.StreamResponse:
        self.visits += 1
        return web.Response(status=200, body=b"[]")


class Spoiler(_Served):
    """Stands in front of the vendor at `upstream`. `hits` counts the spoilt requests by endpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.upstream = ""
        self.spoil: Spoil | None = None
        self.hits: Counter[str] = Counter()
        self._endpoints: list[Endpoint] = []
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = await self._open.enter_async_context(aiohttp.ClientSession())
        return await super().__aenter__()

    def at(self, endpoint: Endpoint) -> str:
        """The URL under which this endpoint alone is spoilt."""
        self._endpoints.append(endpoint)
        return f"{self.url}/{len(self._endpoints) - 1}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        number, _, _ = request.path[1:].partition("/")
        _, _, target = request.raw_path[1:].partition("/")
        endpoint = self._endpoints[int(number)]
        truth = await self._truth(request, f"/{target}")
        if self.spoil is None or not endpoint.matches(request.path.removeprefix(f"/{number}")):
            return truth.answer()
        self.hits[endpoint.name] += 1
        return await self.spoil(request, truth)

    async def _truth(self, request: web.Request, target: str) -> Truth:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name in {"Authorization", "Content-Type"}}
        body = await request.read()
        async with self._session.request(
            request.method, URL(self.upstream + target, encoded=True), headers=headers, data=body or None
        ) as answer:
            return Truth(answer.status, answer.headers.get("Content-Type", ""), await answer.read())


async def never() -> None:
    """Wait until the client leaves or the server stops."""
    await asyncio.Event().wait()
