"""Watches that a source's last good sweep does not grow too old, also where its poller hangs."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NoReturn

from fleetpulse import clock
from fleetpulse.durations import format_duration
from fleetpulse.fleet.events import SourceEvent
from fleetpulse.fleet.source import SourceRecord, become_stale
from fleetpulse.sweeping.standing import Standing

OBSERVED_EVERY_S: Final = 60.0  # a rule's `for` runs out on an observation, and a hung poller makes none

_MINUTE: Final = timedelta(minutes=1)
_SECOND: Final = timedelta(seconds=1)


class Staleness:
    """The watch over one source. `stale_for` gives how old the last good sweep may be, as it is now."""

    def __init__(self, *, standing: Standing, stale_for: Callable[[], timedelta]) -> None:
        self._standing = standing
        self._stale_for = stale_for

    async def run(self) -> NoReturn:
        """Note when the source becomes stale, and go on observing it while it is. A good sweep ends it.

        It is shown before it is written, for a journal that takes nothing must not leave old states looking live.
        A paused source is stale on purpose, and nothing is noted of it.
        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        while True:
            await self._standing.unpaused()
            now, stale_for = clock.now(), self._stale_for()
            due = (self._standing.believed_until(stale_for), self._standing.excused_until(stale_for))
            self._standing.show_age(now, stale_for)
            if now >= max(due):
                await self._standing.amend(self._standing.main, self._become_stale)
            due_s = [(at - now).total_seconds() for at in due if at > now]
            # looked at anew now and then, for how old it may be grows and shrinks with the budget
            await clock.sleep_until(clock.monotonic() + min([OBSERVED_EVERY_S, *due_s]))

    def _become_stale(self, record: SourceRecord) -> tuple[SourceRecord, list[SourceEvent]]:
        now = clock.now()
        if self._standing.paused is not None or self._standing.excused_until(self._stale_for()) > now:
            return record, []  # an operator, or a good sweep, was written while this waited
        return become_stale(record, self._standing.main, detail=self._detail(now), seen_at=now)

    def _detail(self, now: datetime) -> str:
        good_at = self._standing.record.good_at.get(self._standing.main)
        if good_at is None:
            return "no good sweep yet"
        unit = _MINUTE if now - good_at >= _MINUTE else _SECOND
        return f"the last good sweep was {format_duration((now - good_at) // unit * unit)} ago"
