"""A simulated JFrog Connect and clients of it, for the tests of that vendor."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from pydantic import SecretStr

from fleetpulse import simulator
from fleetpulse.fleet.device import Sighting
from fleetpulse.outbound import Account
from fleetpulse.secrets import Redactor, Secret
from fleetpulse.vendors.contract import Page
from fleetpulse.vendors.jfrog_connect import JFrogConnect, JFrogConnectSettings

Item = TypeVar("Item")
Build = Callable[..., JFrogConnect]


async def listed(pages: AsyncIterator[Page[Item]]) -> list[Page[Item]]:
    return [page async for page in pages]


def ids(pages: list[Page[Sighting]]) -> list[str]:
    return [sighting.device.id for page in pages for sighting in page.items]


@pytest.fixture
def cloud() -> simulator.JFrogConnect:
    return simulator.JFrogConnect(devices=9)


@pytest_asyncio.fixture
async def build(
    cloud: simulator.JFrogConnect, account: Callable[[str], Account], redactor: Redactor
) -> AsyncIterator[Build]:
    """A client of `cloud`; keyword arguments are settings."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(simulator.serve(cloud))

        def make(**more: Any) -> JFrogConnect:
            given = {"name": "edge", "project_key": "yard", "token": "demo-token", "base_url": url} | more
            settings = JFrogConnectSettings.model_validate(given)
            assert settings.token is not None
            secret = Secret(value=SecretStr(settings.token.get_secret_value()), redactor=redactor)
            return JFrogConnect(settings, account=account(url), secret=secret)

        yield make
