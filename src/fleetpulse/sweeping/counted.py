"""What the vendor counted last of an account, and which devices are new in it."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from fleetpulse.fleet.summary import Summary

NEW_FOR: Final = timedelta(days=1)
MOST_NEW: Final = 10_000  # the latest; of a list that changes all its ids the rest is the inventory's to look at


class Counted:
    """The last summary, None before the first; who is to act upon it is called."""

    def __init__(self) -> None:
        self.summary: Summary | None = None
        self._listeners: list[Callable[[], None]] = []

    def listen(self, wake: Callable[[], None]) -> None:
        """Call this with each summary."""
        self._listeners.append(wake)

    def take(self, summary: Summary) -> None:
        """Another summary came."""
        self.summary = summary
        for wake in self._listeners:
            wake()


class Newcomers:
    """The devices that appeared within the last day, the latest first."""

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}

    def note(self, devices: Iterable[str], at: datetime) -> None:
        """These appeared."""
        for device in devices:
            self._since.pop(device, None)
            self._since[device] = at
        while len(self._since) > MOST_NEW:
            del self._since[next(iter(self._since))]

    def appeared(self, device: str, since: datetime) -> bool:
        """Whether it did so then or later, as far as is remembered; on any thread."""
        at = self._since.get(device)
        return at is not None and at >= since

    def recent(self, now: datetime) -> list[str]:
        """Those of the last day."""
        self._since = {device: at for device, at in self._since.items() if now - at < NEW_FOR}
        return list(reversed(self._since))
