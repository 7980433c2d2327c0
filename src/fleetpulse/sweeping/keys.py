"""The keys of one account: read again when their files change, and asked when they end by their own word."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, NoReturn

import structlog

from fleetpulse import clock
from fleetpulse.fleet.events import SourceEvent
from fleetpulse.fleet.source import SourceRecord, expiring
from fleetpulse.metrics.meters import Meters
from fleetpulse.secrets import Secret, SecretUnreadableError, expires_at
from fleetpulse.sweeping.gate import Gate
from fleetpulse.sweeping.standing import Standing

LOOK_EVERY_S: Final = 10.0  # a new key works within seconds, for the price of one small read
SOON: Final = timedelta(days=30)  # before its end a key is in trouble; whom that wakes, and when, rules decide


def refresh(secrets: Iterable[Secret]) -> bool:
    """Read all of an account's keys again, now; tell whether any changed. One that cannot be read stays as it is."""
    changed = False
    for secret in secrets:
        with suppress(SecretUnreadableError):  # in the midst of being replaced
            changed = secret.refresh() or changed
    return changed


class Expiry:
    """When the key of one source ends, as the key says itself: for the metrics, and as a trouble where it is soon."""

    def __init__(self, *, secret: Secret, standing: Standing, meters: Meters) -> None:
        self.at: datetime | None = None
        """None: the key does not say."""
        self.secret = secret
        self.unreadable = ""
        """Why the key's file could not be read again, redacted; the key that was read last stands."""
        self._standing = standing
        self._meters = meters

    @property
    def source(self) -> str:
        """Whose key it is."""
        return self._standing.source

    async def look(self, now: datetime) -> None:
        """Read what the key says, and write it down where it is news.

        Errors: those of the journal.
        """
        at = expires_at(self.secret.reveal())
        if at != self.at:
            self._meters.credentials_expire(self._standing.source, at)
        self.at = at
        soon = at if at is not None and at - now < SOON else None

        def amend(record: SourceRecord) -> tuple[SourceRecord, Sequence[SourceEvent]]:
            detail = "" if soon is None else f"the key itself says that it ends on {soon:%Y-%m-%d %H:%M} UTC"
            return expiring(record, self._standing.main, until_at=soon, detail=detail, seen_at=now)

        changed, _ = amend(self._standing.record)
        if changed is not self._standing.record:
            await self._standing.amend(self._standing.main, amend)


class KeyWatch:
    """Looks after the keys of one account, whichever sources share it. `secrets` may grow."""

    def __init__(self, *, gate: Gate, secrets: Sequence[Secret], redact: Callable[[str], str]) -> None:
        self.expiries: list[Expiry] = []
        self._gate = gate
        self._secrets = secrets
        self._redact = redact
        self._unreadable: dict[Secret, str] = {}
        self._log = structlog.get_logger(__name__)

    async def run(self) -> NoReturn:
        """Look for ever; a key that changed is tried at once, also where the account is shut.

        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        while True:
            if changed := await self._changed():
                self._gate.renewed()
                self._log.info("a key was replaced", sources=self._sources(changed))
            for expiry in self.expiries:
                await expiry.look(clock.now())
            await clock.sleep_until(clock.monotonic() + LOOK_EVERY_S)

    async def _changed(self) -> list[Secret]:
        """Read all files, off the loop, for they may lie on a disk that hangs; take over and tell what changed."""
        changed, unreadable = [], dict[Secret, str]()
        for secret in tuple(self._secrets):
            try:
                reading = await asyncio.to_thread(secret.read)
            except SecretUnreadableError as error:  # in the midst of being replaced; the old value stands
                unreadable[secret] = self._redact(str(error))
            else:
                changed += [secret] if secret.take(reading) else []
        for problem in sorted(set(unreadable.values()) - set(self._unreadable.values())):
            whose = [secret for secret, told in unreadable.items() if told == problem]
            self._log.warning("a key's file cannot be read again", sources=self._sources(whose), problem=problem)
        self._unreadable = unreadable
        for expiry in self.expiries:
            expiry.unreadable = unreadable.get(expiry.secret, "")
        return changed

    def _sources(self, secrets: Sequence[Secret]) -> str:
        return ", ".join(expiry.source for expiry in self.expiries if expiry.secret in secrets)
