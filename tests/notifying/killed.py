"""A program that notifies and is killed at the named step: HOME URL STEP BUSY.

BUSY is `busy` where the courier begins only once the row is written, so that the row is not born claimed.
"""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import msgspec

from notifying.house import TO_OPS, house, running

KILLED = 137
SOON = msgspec.structs.replace(TO_OPS, group_wait=timedelta(milliseconds=100))
"""Judged and flushed in two transactions."""


async def _work(home: Path, url: str, fatal: str, *, busy: bool) -> None:
    flushed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def die(step: str) -> None:
        if step == fatal and (flushed.is_set() or not step.startswith("claim")):
            os._exit(KILLED)  # a courier that finds nothing to claim is no step of this
        if step == "flush:after-commit":
            loop.call_soon_threadsafe(flushed.set)

    async with house(home, webhooks={"ops": url}, at_step=die, agents=False, route=SOON) as made:
        agents = [made.evaluator.run] if busy else [made.evaluator.run, made.dispatcher.run]
        async with running(*agents):
            assert busy or await made.dispatcher.drain(limit_s=10)
            await made.offline("d-1")
            await flushed.wait()
            if busy:
                async with running(made.dispatcher.run):
                    await asyncio.sleep(30)
            await asyncio.sleep(30)


if __name__ == "__main__":
    asyncio.run(_work(Path(sys.argv[1]), sys.argv[2], sys.argv[3], busy=sys.argv[4] == "busy"))
