"""Pages become items piece by piece: a page of thousands of rows at once would hold back everybody's messages."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeVar

from fleetpulse.vendors.wire.rows import Rows, refuse_unreadable

Row = TypeVar("Row")
Item = TypeVar("Item")

SLICE_ROWS: Final = 250  # one to two milliseconds' work for rows of usual size


async def in_slices(rows: Sequence[Row], *, size: int = SLICE_ROWS) -> AsyncIterator[tuple[int, Sequence[Row]]]:
    """The rows in pieces, each with the index of its first row; others have their turn before each.

    Cancellation: safe between pieces.
    """
    for first in range(0, len(rows), size):
        await asyncio.sleep(0)
        yield first, rows[first : first + size]


async def made_of(
    rows: Rows[Row], read: Callable[[Row], Item | None], *, lacking: str, size: int = SLICE_ROWS
) -> Rows[Item]:
    """The items that `read` makes of the rows; where it makes None, the row is counted as odd and skipped.

    `lacking` tells what such a row has not: `no id`.
    Errors: AnswerInvalid where there are rows and none can be read.
    Cancellation: safe between pieces.
    """
    items: list[Item] = []
    odd, oddity = rows.odd, rows.oddity
    async for first, part in in_slices(rows.items, size=size):
        for index, row in enumerate(part, first):
            item = read(row)
            if item is not None:
                items.append(item)
            else:
                odd += 1
                oddity = oddity or f"row {index}: {lacking}"
    refuse_unreadable(len(items), odd=odd, oddity=oddity)
    return Rows(items=items, beside=rows.beside, odd=odd, oddity=oddity)
