"""Each vendor in turn, and clients of it that hold the planted key."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from fleetpulse.outbound import Account
from fleetpulse.secrets import Redactor
from fleetpulse.vendors.contract import Vendor
from vendors.contract.cases import CASES, KEY, Case
from vendors.contract.spoiling import Elsewhere, Spoiler

Build = Callable[..., Vendor]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def patience_s(request: pytest.FixtureRequest) -> float:
    """Short where an answer never comes; else no busy machine may turn a fault into silence."""
    fault = request.node.callspec.params.get("fault")
    return 1.0 if fault is not None and fault.silent else 20.0


@pytest.fixture
def client(case: Case, account: Callable[[str], Account], redactor: Redactor) -> Build:
    """A client of the vendor's API at a host's URL, with the planted key or another one."""

    def make(url: str, *, key: str = KEY) -> Vendor:
        return case.client(url, account=account, redactor=redactor, key=key)

    return make


@pytest_asyncio.fixture
async def spoiler() -> AsyncIterator[Spoiler]:
    async with Spoiler() as made:
        yield made


@pytest_asyncio.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    async with Elsewhere() as made:
        yield made
