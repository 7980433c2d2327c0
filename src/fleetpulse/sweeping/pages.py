"""Walking a vendor's pages so that the walk is closed however it ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec

from fleetpulse.vendors.contract import Page

Item = TypeVar("Item")


@asynccontextmanager
async def closing(pages: AsyncIterator[Page[Item]]) -> AsyncIterator[AsyncIterator[Page[Item]]]:
    """The pages; a generator that was not exhausted is closed at once, not when it is collected."""
    try:
        yield pages
    finally:
        close = getattr(pages, "aclose", None)
        if close is not None:
            await close()


class Gathered(msgspec.Struct):
    """What a walk over few things gathers: its rows, and whether it may say what is not there."""

    rows: int = 0
    odd: int = 0
    total: int | None = None
    guard: str = ""
    unknown_word: str = ""

    def note(self, page: Page[Item]) -> None:
        """Take in one page."""
        self.rows += len(page.items) + page.odd
        self.odd += page.odd
        self.total = page.total if page.total is not None else self.total
        self.guard = page.guarded or self.guard
        self.unknown_word = self.unknown_word or page.unknown_word

    def shortfall(self) -> str:
        """Why it may lack rows; empty when it does not."""
        if self.guard:
            return self.guard
        if self.total is not None and self.rows < self.total:
            return f"{self.rows} rows came of {self.total} announced"
        return f"{self.odd} rows could not be read" if self.odd else ""
