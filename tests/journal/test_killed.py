"""The crash law, on the journal's side: a transaction is there whole or not at all, and the next start goes on."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
import pytest

from fleetpulse.journal.journal import Journal
from journal.killed import KILLED
from journal.things import AT, Opener

STEPS: Final = ["page", "judge", "flush", "claim", "record"]


class Standing(msgspec.Struct, frozen=True):
    """What a start finds: (events, segments, sources), (cursor, alerts, groups), states of the outbox, doubts."""

    page: tuple[int, int, int] = (0, 0, 0)
    judged: tuple[int, int, int] = (0, 0, 0)
    outbox: list[str] = []
    doubtful: list[bool] = []


AFTER: Final = [
    Standing(),
    Standing((1, 1, 1)),
    Standing((1, 1, 1), (1, 1, 1)),
    Standing((1, 1, 1), (1, 1, 0), ["owed"], [False]),
    Standing((1, 1, 1), (1, 1, 0), ["claimed"], [True]),
    Standing((1, 1, 1), (1, 1, 0), ["delivered"]),
]
"""By the number of transactions that were committed."""


async def _standing(journal: Journal) -> Standing:
    source, remembered, rows = await journal.load_source("edge"), await journal.remember(), await journal.outbox()
    await journal.release_claims()
    return Standing(
        (len(await journal.events_after(0)), len(source.segments), len(await journal.sources())),
        (remembered.cursor, len(remembered.alerts), len(remembered.groups)),
        [row.state for row in rows],
        [delivery.doubtful for delivery in await journal.claim("ops", now=AT)],
    )


@pytest.mark.parametrize("place", ["before-commit", "after-commit"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_killed_process_leaves_each_transaction_whole(
    opened: Opener, path: Path, step: str, place: str
) -> None:
    program = Path(__file__).with_name("killed.py")

    done = subprocess.run(  # noqa: ASYNC221 - nothing else is to run meanwhile
        [sys.executable, program, f"sqlite:///{path}", f"{step}:{place}"],
        env={"PYTHONPATH": str(program.parent.parent)},
        timeout=50,
        check=False,
    )

    assert done.returncode == KILLED
    assert await _standing(await opened()) == AFTER[STEPS.index(step) + (place == "after-commit")]
