"""Promises of the service's chores."""

from pathlib import Path

import pytest

from fleetpulse.journal.errors import JournalUnavailableError
from fleetpulse.journal.journal import Journal
from fleetpulse.service.housekeeping import watch_journal


async def test_the_watch_over_a_journal_ends_when_its_file_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "fleetpulse.db"
    journal = await Journal.open(f"sqlite:///{path}", redact=str)
    _remove(path)

    with pytest.raises(JournalUnavailableError, match="was removed or replaced"):
        await watch_journal(journal, every_s=0.01)

    await journal.close()


def _remove(path: Path) -> None:
    path.unlink()
