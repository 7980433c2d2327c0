"""A door, accounts, and servers that answer as told."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from pydantic import SecretStr

from answering import http_server  # noqa: F401 - a fixture is found by its name here
from fleetpulse.durations import Rate
from fleetpulse.outbound import Account, Budget, Outbound
from fleetpulse.secrets import Redactor, Secret


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
def patience_s() -> float:
    """How long an account waits for an answer."""
    return 0.5


@pytest.fixture
def account(outbound: Outbound, patience_s: float) -> Callable[[str], Account]:
    """An account in a hurry: short limits, a thousand requests a second."""

    def make(url: str) -> Account:
        return Account(
            outbound=outbound,
            budget=Budget(rate=Rate(1000, 1.0)),
            base_url=url,
            observe=lambda *_: None,
            timeout_s=patience_s,
            max_bytes=2_000_000,
        )

    return make
