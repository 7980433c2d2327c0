"""A program that works with a journal and is killed at the named step: JOURNAL STEP."""

import asyncio
import os
import sys

from fleetpulse.alerting.state import Judgement
from fleetpulse.journal.entries import DeliveryRecord, PageWrite
from fleetpulse.journal.journal import Journal
from journal.things import AT, delivery, judgement, offline, record, segment

KILLED = 137


async def _work(url: str, fatal: str) -> None:
    def die(step: str) -> None:
        if step == fatal:
            os._exit(KILLED)

    journal = await Journal.open(url, redact=str, at_step=die)
    page = PageWrite(source="edge", events=[offline(1)], segments={0: segment(1)}, record=record())
    await journal.commit_page(page)
    await journal.commit_judgement(judgement(1))
    await journal.commit_judgement(Judgement(groups={"g": None}), deliveries=[(delivery("a"), False)])
    await journal.claim("ops", now=AT)
    await journal.record([DeliveryRecord(id="a", state="delivered", at=AT)])


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], sys.argv[2]))
