"""A bounded, numbered list of what a receiver got."""

from __future__ import annotations

from typing import Final, TypeVar

from fleetpulse.simulator.milestones import Milestones

MAX_KEPT: Final = 100_000

Item = TypeVar("Item")


class Mailbox(list[Item]):
    """A list that keeps the newest 100,000 items and counts all: `total`."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.total = 0
        self._arrivals = Milestones()

    def put(self, item: Item) -> None:
        """Add an item; a tenth of the list goes when it is full, so that this stays cheap."""
        if len(self) >= MAX_KEPT:
            del self[: MAX_KEPT // 10]
        self.append(item)
        self.total += 1
        self._arrivals.reached(self.total)

    async def reached(self, n: int) -> None:
        """Wait until `n` items have been put (since `empty`)."""
        if self.total < n:
            await self._arrivals.wait(n)

    def empty(self) -> None:
        """Forget all items, and their count."""
        self.clear()
        self.total = 0

    def past(self, number: int) -> list[tuple[int, Item]]:
        """List the items past the first `number` ever put that are still kept, each with its number (from 1)."""
        gone = self.total - len(self)
        start = max(0, number - gone)
        return list(enumerate(self[start:], start=gone + start + 1))
