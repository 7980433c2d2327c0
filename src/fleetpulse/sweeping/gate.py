"""Whether a source may be asked: a refused key stops everything but one probe now and then.

A refusal is confirmed by the source that met it. One key may be good for one source and refused for another one (a
token for some projects only), so what a source is refused ends its own sweeps, and those of the others only until they
have tried for themselves.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from typing import Final

from fleetpulse import clock

CONFIRM_AFTER_S: Final = 10.0  # a hiccup of the vendor's sign-in is over by then, and people still hear soon
PROBE_AFTER_S: Final = 300.0
PROBE_AFTER_AT_MOST_S: Final = 3600.0
UNCLEAR_AGAIN_S: Final = 60.0  # a probe that met another failure has said nothing about the key
DOUBT_S: Final = 5.0  # how often a source looks whether the confirmation that it waits for has had its time
TURN_S: Final = 5.0  # by which a source lets those probe first that probed longer ago


class State(Enum):
    """`SUSPECT`: one refusal, to be confirmed. `SHUT`: confirmed."""

    OPEN = auto()
    SUSPECT = auto()
    SHUT = auto()


class Gate:
    """The gate of one account, with a door for each source that uses its key.

    `refresh_secret` reads the secret's file again and tells whether the value changed; what cannot be read did not.
    """

    def __init__(self, *, refresh_secret: Callable[[], bool]) -> None:
        self.times_changed = 0
        """How often the secret's file had another value."""
        self._refresh_secret = refresh_secret
        self.doors: list[Door] = []
        self.listeners: list[Callable[[], None]] = []
        self.doubted = False
        """Whether a key was refused and no source that may ask was answered since."""
        self.probing: Door | None = None
        self.news = asyncio.Event()
        """Set, and another one in its place, when it may be worth to ask again."""

    def door(self) -> "Door":
        """The door of one more source."""
        door = Door(self)
        self.doors.append(door)
        return door

    def tell(self) -> None:
        """Wake those who wait."""
        news, self.news = self.news, asyncio.Event()
        news.set()

    def reread(self) -> bool:
        """Read the secret again. Of another key nothing is known yet, so each source may try it."""
        changed = self._refresh_secret()
        if changed:
            self._reopen()
        return changed

    def renewed(self) -> None:
        """The secret was read again, and is another one: each source tries it at once."""
        self._reopen()
        self.tell()
        for wake in self.listeners:
            wake()

    def _reopen(self) -> None:
        self.times_changed += 1
        for door in self.doors:
            door.state = State.OPEN

    def put_off(self, prober: "Door") -> None:
        """After a refused probe: while every source is refused, the account is probed as if it were one."""
        now, pause_s = clock.monotonic(), prober.pause_s
        waiting = [prober] if any(door.state is not State.SHUT for door in self.doors) else self.doors
        for turn, door in enumerate(sorted(waiting, key=lambda door: door.probed_at)):
            door.pause_s, door.probe_at = pause_s, now + pause_s + turn * TURN_S


class Door:
    """One source's door in the gate. Its main resource's poller alone passes a shut one, to confirm or to probe."""

    def __init__(self, gate: Gate) -> None:
        self.state = State.OPEN
        self.detail = ""
        """What the vendor said when it refused the key."""
        self.times_shut = 0
        self.probe_at = 0.0
        self.probed_at = 0.0
        self.pause_s = PROBE_AFTER_S
        self._gate = gate

    @property
    def times_changed(self) -> int:
        """How often the secret's file had another value."""
        return self._gate.times_changed

    @property
    def trusted(self) -> bool:
        """Whether the key is taken as far as anybody knows: no refusal stands, and none waits to be confirmed."""
        return self.state is State.OPEN and not self._gate.doubted

    def listen(self, wake: Callable[[], None]) -> None:
        """Call this when the key comes in doubt: a main resource's poller that rests should come and try it."""
        self._gate.listeners.append(wake)

    def admit(self, *, main: bool) -> bool:
        """Whether a sweep may begin now; a probe so admitted must be followed by one of the answers below."""
        gate, now = self._gate, clock.monotonic()
        if self.trusted:
            return True
        if not main or gate.probing is not None:
            return False
        if self.state is State.OPEN:
            if any(door.state is State.SUSPECT and now < door.probe_at for door in gate.doors):
                return False  # that is confirmed first
        elif now < self.probe_at:
            return False
        gate.probing, self.probed_at = self, now
        return True

    async def changed(self, *, main: bool) -> None:
        """Wait until it may be worth to ask `admit` again.

        The caller asks and waits without a pause between, so that it misses no news.
        """
        wait_s = None
        if main and self._gate.probing is None:
            wait_s = DOUBT_S if self.state is State.OPEN else max(0.0, self.probe_at - clock.monotonic())
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._gate.news.wait()

    def answered(self, *, main: bool) -> None:
        """The vendor took the key. What it answers meanwhile to others than the main resource confirms nothing."""
        gate = self._gate
        probed = self._probed(main=main)
        if self.state is State.SHUT and not probed:
            return  # asked before the key was refused
        if self.state is State.SHUT:
            for door in gate.doors:  # to them as well the key may have become good
                door.probe_at = min(door.probe_at, clock.monotonic() + CONFIRM_AFTER_S)
        if main:
            self.state, self.detail = State.OPEN, ""
        if self.state is State.OPEN and gate.doubted:
            gate.doubted = False
            gate.tell()

    def unclear(self, *, main: bool) -> None:
        """A request failed for another reason, which says nothing about the key."""
        if self._probed(main=main):
            if self.state is State.SHUT:
                self.probe_at = clock.monotonic() + UNCLEAR_AGAIN_S
            self._gate.tell()

    def refused(self, detail: str, *, main: bool) -> None:
        """The vendor refused the key. A changed one is tried at once; what was in flight is no proof."""
        gate, probed = self._gate, self._probed(main=main)
        self.detail = detail
        if gate.reread():
            gate.doubted = True
        elif self.state is State.OPEN:
            gate.doubted = True
            if probed and any(door.state is State.SHUT for door in gate.doors):
                self._shut()  # another source has confirmed it, and this one agrees
            else:
                self.state, self.probe_at = State.SUSPECT, clock.monotonic() + CONFIRM_AFTER_S
        elif probed and self.state is State.SUSPECT:
            self._shut()
        elif probed:
            self.pause_s = min(2 * self.pause_s, PROBE_AFTER_AT_MOST_S)
            gate.put_off(self)
        gate.tell()
        if gate.doubted:
            for wake in gate.listeners:
                wake()

    def probe_now(self) -> None:
        """Let the next probe go at once: a reload, an operator's word."""
        self.pause_s = PROBE_AFTER_S / 2  # doubled at the next refusal
        self.probe_at = clock.monotonic()
        self._gate.tell()

    def _shut(self) -> None:
        self.state, self.pause_s = State.SHUT, PROBE_AFTER_S
        self.times_shut += 1
        self._gate.put_off(self)

    def _probed(self, *, main: bool) -> bool:
        """Whether this answer ends the probe under way."""
        if not main or self._gate.probing is not self:
            return False
        self._gate.probing = None
        return True
