"""A simulated Hologram, and clients of it or of any other URL."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from fleetpulse import simulator
from fleetpulse.outbound import Account
from fleetpulse.secrets import Redactor, Secret
from fleetpulse.vendors.hologram import Hologram, HologramSettings
from vendors.hologram.walks import KEY, Build


@pytest.fixture
def cloud() -> simulator.Hologram:
    return simulator.Hologram()


@pytest.fixture
def client(account: Callable[[str], Account], redactor: Redactor) -> Build:
    """A client of the API at a URL; keyword arguments are settings."""

    def make(url: str, **more: Any) -> Hologram:
        settings = HologramSettings.model_validate({"name": "sims", "api_key": KEY, "base_url": url} | more)
        assert settings.api_key is not None
        secret = Secret(value=SecretStr(settings.api_key.get_secret_value()), redactor=redactor)
        return Hologram(settings, account=account(url), secret=secret)

    return make


@pytest_asyncio.fixture
async def build(cloud: simulator.Hologram, client: Build) -> AsyncIterator[Build]:
    """A client of `cloud`; keyword arguments are settings."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(simulator.serve(cloud))
        yield lambda **more: client(url + "/api/1", **more)
