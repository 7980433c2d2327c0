"""A door, accounts, and servers that answer as told."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import SecretStr

from fleetpulse.durations import Rate
from fleetpulse.outbound import Account, Budget, Outbound
from fleetpulse.secrets import Redactor, Secret

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


@pytest_asyncio.fixture
async def outbound(redactor: Redactor) -> AsyncIterator[Outbound]:
    async with Outbound(version="0.0.0", redactor=redactor) as door:
        yield door


@pytest.fixture
def secret(redactor: Redactor) -> Callable[[str], Secret]:
    return lambda value: Secret(value=SecretStr(value), redactor=redactor)


@pytest.fixture
def account(outbound: Outbound) -> Callable[[str], Account]:
    """An account in a hurry: short limits, a thousand requests a second."""

    def make(url: str) -> Account:
        return Account(
            outbound=outbound,
            budget=Budget(rate=Rate(1000, 1.0)),
            base_url=url,
            observe=lambda *_: None,
            timeout_s=0.5,
            max_bytes=2_000_000,
        )

    return make


@pytest_asyncio.fixture
async def http_server() -> AsyncIterator[Callable[[Answer], Awaitable[str]]]:
    runners: list[web.AppRunner] = []

    async def start(answer: Answer) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start

    for runner in runners:
        await runner.cleanup()
