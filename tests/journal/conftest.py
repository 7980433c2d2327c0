"""A journal per test, and what a test needs to stand in its way."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from fleetpulse.journal.clerk import ignore
from fleetpulse.journal.journal import Journal
from fleetpulse.secrets import Redactor
from journal.things import Opener

SECRET = 'hook"s3cret'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fleetpulse.db"


@pytest_asyncio.fixture
async def opened(path: Path) -> AsyncIterator[Opener]:
    """Opens journals, closes them at the end."""
    journals: list[Journal] = []

    async def open_one(at_step: Callable[[str], None] = ignore) -> Journal:
        journal = await Journal.open(f"sqlite:///{path}", redact=Redactor([SECRET]).redact, at_step=at_step)
        journals.append(journal)
        return journal

    yield open_one

    for journal in journals:
        await journal.close()


@pytest_asyncio.fixture
async def journal(opened: Opener) -> Journal:
    return await opened()
