"""What every test shares."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest_asyncio


@pytest_asyncio.fixture(autouse=True)
async def no_leftovers() -> AsyncIterator[None]:
    """Fail a test that leaves a task behind; an unclosed session is a ResourceWarning, which is an error."""
    before = asyncio.all_tasks()

    yield

    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    names = [task.get_name() for task in left if not task.done()]
    gc.collect(0)  # young garbage only: a full collection per test costs more than all tests
    assert not names, f"tasks left behind: {names}"
