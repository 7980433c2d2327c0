"""A plain HTTP client, and short ways to ask the simulated vendor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest_asyncio

from fleetpulse.simulator import JFrogConnect, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "demo-token"


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


@dataclass
class Yard:
    """A served account with six devices, and a client that holds its token."""

    account: JFrogConnect
    url: str
    client: aiohttp.ClientSession

    async def ask(self, path: str, query: str = "", token: str = TOKEN) -> tuple[int, Any]:
        """GET under the project and give the status and the decoded body."""
        headers = {"Authorization": f"Bearer {token}"}
        address = f"{self.url}/api/v2/yard{path}" + (f"?{query}" if query else "")
        async with self.client.get(address, headers=headers) as answer:
            return answer.status, json.loads(await answer.read())

    async def get(self, path: str, query: str = "") -> Any:
        """GET what must be there."""
        status, body = await self.ask(path, query)
        assert status == 200, body
        return body


@pytest_asyncio.fixture
async def yard(client: aiohttp.ClientSession) -> AsyncIterator[Yard]:
    account = JFrogConnect(devices=6)
    async with serve(account) as url:
        yield Yard(account, url, client)
