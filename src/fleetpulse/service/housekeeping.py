"""The small chores: retention every hour, reading how the outbox stands, looking after the journal."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import structlog

from fleetpulse import clock
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.readouts import OutboxReading
from fleetpulse.service.settings import JournalSettings
from fleetpulse.service.views import State

FIRST_RETENTION_AFTER: Final = timedelta(minutes=1)
RETENTION_EVERY: Final = timedelta(hours=1)
LOOK_AFTER_JOURNAL_EVERY_S: Final = 10.0  # where it is lost, two instances may tell everything twice for so long
OUTBOX_READ_EVERY_S: Final = 5.0  # more often than Prometheus asks; one grouped count over an index

_STATES: Final = ("owed", "claimed", "delivered", "dead")

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def keep_retention(journal: Journal, settings: JournalSettings) -> None:
    """Delete what is older than `retention`, every hour, in batches between which others may write.

    The first time comes soon after the start: a service that restarts every half an hour must not grow for ever.
    """
    pause = FIRST_RETENTION_AFTER
    while True:
        await asyncio.sleep(pause.total_seconds())
        pause = RETENTION_EVERY
        swept = await journal.sweep_out(older_than=clock.now() - settings.retention, max_events=settings.max_events)
        _log.info("retention", events=swept.events, decisions=swept.decisions, deliveries=swept.deliveries)


async def read_outbox(journal: Journal, state: State, receivers: Iterable[str]) -> None:
    """Keep what the page and the metrics show of the outbox, rows of receivers no longer configured included."""
    configured = tuple(receivers)
    while True:
        counts = await journal.outbox_counts()
        oldest = await journal.oldest_owed()
        names = dict.fromkeys([*configured, *(name for name, _ in counts)])
        state.outbox = {
            name: OutboxReading(name, {each: counts.get((name, each), 0) for each in _STATES}, oldest.get(name))
            for name in names
        }
        await asyncio.sleep(OUTBOX_READ_EVERY_S)


async def watch_journal(journal: Journal, *, every_s: float = LOOK_AFTER_JOURNAL_EVERY_S) -> None:
    """End with what made the journal unusable, and the process with it; its files are looked after now and then.

    Errors: those of `Journal.failed`.
    """
    while not journal.failed.done():
        await asyncio.wait([journal.failed], timeout=every_s)
        await journal.look_after_files()
    await asyncio.shield(journal.failed)
