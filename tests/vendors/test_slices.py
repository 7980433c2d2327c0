"""Pages become items piece by piece, and others have their turn in between."""

import asyncio

import pytest

from fleetpulse.vendors.contract import AnswerInvalid
from fleetpulse.vendors.wire import Rows, in_slices, made_of


async def test_rows_come_in_pieces_with_the_index_of_their_first_one() -> None:
    assert [(first, list(part)) async for first, part in in_slices([1, 2, 3, 4, 5], size=2)] == [
        (0, [1, 2]),
        (2, [3, 4]),
        (4, [5]),
    ]


async def test_others_have_their_turn_before_each_piece() -> None:
    told: list[object] = []

    async def other() -> None:
        for turn in "ab":
            told.append(turn)
            await asyncio.sleep(0)

    def read(row: int) -> int:
        told.append(row)
        return row

    await asyncio.gather(made_of(Rows(items=[1, 2, 3, 4]), read, lacking="no id", size=2), other())

    assert told == ["a", 1, 2, "b", 3, 4]


async def test_what_makes_nothing_is_odd_and_the_first_is_told() -> None:
    rows = Rows(items=[1, 0, 2, 0], beside={"total": 4}, odd=1)

    made = await made_of(rows, lambda row: row or None, lacking="no id", size=1)

    assert made == Rows(items=[1, 2], beside={"total": 4}, odd=3, oddity="row 1: no id")


async def test_a_page_of_which_nothing_can_be_made_is_none() -> None:
    with pytest.raises(AnswerInvalid, match="none of 2 rows can be read; row 0: no id"):
        await made_of(Rows(items=[0, 0]), lambda _: None, lacking="no id")


async def test_an_empty_page_is_empty() -> None:
    assert await made_of(Rows[int](items=[]), lambda row: row, lacking="no id") == Rows(items=[])
