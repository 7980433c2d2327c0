"""A journal for the queue to stand before."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from fleetpulse.journal.journal import Journal


@pytest_asyncio.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await Journal.open(f"sqlite:///{tmp_path}/fleetpulse.db", redact=str)

    yield opened

    await opened.close()
