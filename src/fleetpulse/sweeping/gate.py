"""Whether an account may be asked: a refused key stops everything but one probe now and then."""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from fleetpulse import clock
from fleetpulse.secrets import SecretUnreadableError

CONFIRM_AFTER_S: Final = 10.0  # a hiccup of the vendor's sign-in is over by then, and people still hear soon
PROBE_AFTER_S: Final = 300.0
PROBE_AFTER_AT_MOST_S: Final = 3600.0
UNCLEAR_AGAIN_S: Final = 60.0  # a probe that met another failure has said nothing about the key
REREAD_S: Final = 5.0  # one small local file


class State(Enum):
    """`SUSPECT`: one refusal, to be confirmed. `SHUT`: confirmed."""

    OPEN = auto()
    SUSPECT = auto()
    SHUT = auto()


class Gate:
    """The gate of one account; sources that share a key share it.

    Only pollers of a main resource pass a gate that is not open, one at a time, to confirm or to probe.
    `refresh_secret` reads the secret's file again and tells whether the value changed.
    """

    def __init__(self, *, refresh_secret: Callable[[], bool]) -> None:
        self.state = State.OPEN
        self.detail = ""
        """What the vendor said when it refused the key."""
        self.times_shut = 0
        self.times_changed = 0
        """How often the secret's file had another value."""
        self._refresh_secret = refresh_secret
        self._probing = False
        self._probe_at = 0.0
        self._pause_s = PROBE_AFTER_S
        self._news = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []

    def listen(self, wake: Callable[[], None]) -> None:
        """Call this when a key is refused: a poller that rests should come and confirm it."""
        self._listeners.append(wake)

    def admit(self, *, main: bool) -> bool:
        """Whether a sweep may begin now; a probe so admitted must be followed by one of the answers below."""
        if self.state is State.OPEN:
            return True
        if not main or self._probing or clock.monotonic() < self._probe_at:
            return False
        self._probing = True
        return True

    async def changed(self, *, main: bool) -> None:
        """Wait until it may be worth to ask `admit` again; the main resource's poller watches the secret meanwhile.

        The caller asks and waits without a pause between, so that it misses no news.
        """
        watching = main and not self._probing
        wait_s = min(REREAD_S, max(0.0, self._probe_at - clock.monotonic())) if watching else None
        try:
            async with asyncio.timeout(wait_s):
                await self._news.wait()
        except TimeoutError:
            if self._reread():
                self.probe_now()

    def answered(self) -> None:
        """The vendor took the key."""
        self._probing = False
        if self.state is not State.OPEN:
            self.state, self.detail = State.OPEN, ""
            self._tell()

    def unclear(self) -> None:
        """A request failed for another reason, which says nothing about the key."""
        if self._probing:
            self._probing = False
            if self.state is State.SHUT:
                self._probe_at = clock.monotonic() + UNCLEAR_AGAIN_S
            self._tell()

    def refused(self, detail: str) -> None:
        """The vendor refused the key. A changed one is tried at once; what was in flight is no proof."""
        probed, self._probing = self._probing, False
        self.detail = detail
        if self._reread():
            self.state = State.SUSPECT if self.state is State.OPEN else self.state
            self.probe_now()
        elif self.state is State.OPEN:
            self.state = State.SUSPECT
            self._probe_at = clock.monotonic() + CONFIRM_AFTER_S
        elif probed and self.state is State.SUSPECT:
            self.state = State.SHUT
            self.times_shut += 1
            self._pause_s = PROBE_AFTER_S
            self._probe_at = clock.monotonic() + self._pause_s
        elif probed:
            self._pause_s = min(2 * self._pause_s, PROBE_AFTER_AT_MOST_S)
            self._probe_at = clock.monotonic() + self._pause_s
        self._tell()
        for wake in self._listeners:
            wake()

    def probe_now(self) -> None:
        """Let the next probe go at once: the secret changed, a reload, an operator's word."""
        self._pause_s = PROBE_AFTER_S / 2  # doubled at the next refusal
        self._probe_at = clock.monotonic()
        self._tell()

    def _reread(self) -> bool:
        try:
            changed = self._refresh_secret()
        except SecretUnreadableError:
            return False  # in the midst of being replaced; the old value stands
        self.times_changed += changed
        return changed

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
