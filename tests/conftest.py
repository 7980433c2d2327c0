"""What every test shares."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest_asyncio
from hypothesis import HealthCheck, settings

settings.register_profile(
    "house",
    settings(),  # beneath it stays Hypothesis' own, which is another one in CI
    deadline=None,  # a busy machine says nothing of the code
    suppress_health_check=[
        HealthCheck.too_slow,  # nor do the first examples: they wait for a table of characters that is then kept
        HealthCheck.function_scoped_fixture,  # one server or journal may serve all examples of a test
    ],
)
settings.load_profile("house")


@pytest_asyncio.fixture(autouse=True)
async def no_leftovers() -> AsyncIterator[None]:
    """Fail a test that leaves a task behind; an unclosed session is a ResourceWarning, which is an error."""
    before = asyncio.all_tasks()

    yield

    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    names = [task.get_name() for task in left if not task.done()]
    gc.collect(0)  # young garbage only: a full collection per test costs more than all tests
    assert not names, f"tasks left behind: {names}"
