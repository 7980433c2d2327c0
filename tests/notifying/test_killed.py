"""The crash law, from a change to its notification: killed at each step, it is told, and once to who dedupes."""

import asyncio
import sys
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from fleetpulse.simulator.serve import serve
from fleetpulse.simulator.webhook import WebhookReceiver
from moved_time import owe
from notifying.house import house
from notifying.killed import KILLED, SOON


class Case(NamedTuple):
    """Killed there, with the courier idle or busy: how often it was sent by then, and the doubt and the sends after."""

    step: str
    courier: str
    sent: int
    doubtful: list[bool]
    sent_in_all: int


CASES: Final = [
    Case("judge:before-commit", "idle", 0, [], 1),
    Case("judge:after-commit", "idle", 0, [], 1),
    Case("flush:before-commit", "idle", 0, [], 1),
    Case("flush:after-commit", "idle", 0, [True], 1),  # the row was born claimed
    Case("flush:after-commit", "busy", 0, [False], 1),
    Case("claim:before-commit", "busy", 0, [False], 1),
    Case("claim:after-commit", "busy", 0, [True], 1),
    Case("record:before-commit", "idle", 1, [True], 2),
    Case("record:after-commit", "idle", 1, [False], 1),
]


async def _run_until_killed(home: Path, url: str, case: Case) -> int:
    program = Path(__file__).with_name("killed.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, home, url, case.step, case.courier, env={"PYTHONPATH": str(program.parent.parent)}
    )
    owe(lambda: process.returncode is None)
    return await process.wait()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.step} {case.courier}")
async def test_killed_at_any_step_a_change_is_told_once(tmp_path: Path, case: Case) -> None:
    party = WebhookReceiver()
    async with serve(party) as url:
        code = await _run_until_killed(tmp_path, url, case)
        sent = party.received.total
        async with house(tmp_path, agents=False) as between:
            doubtful = [row.doubtful for row in (await between.rows()).values()]

        async with house(tmp_path, webhooks={"ops": url}, route=SOON) as made:
            states = await made.ended(1)

    assert (code, sent, doubtful) == (KILLED, case.sent, case.doubtful)
    assert list(states.values()) == ["delivered"]
    assert list(party.ids.values()) == [case.sent_in_all]
    assert len({delivery.body for delivery in party.received}) == 1
