"""While a large page is taken to pieces, others have their turn."""

import asyncio
import math
from typing import Self

import pytest

from fleetpulse.durations import Rate
from fleetpulse.outbound import Account, Budget, Outbound
from fleetpulse.secrets import Redactor
from fleetpulse.simulator import serve
from vendors.contract.cases import CASES, Case, Listing

AT_ONCE = {"devices_details": 10}  # rows without a turn for others: few of those that each hold many updates
MOST_AT_ONCE = 250
UNPAGED_ROWS = 1000


def pieces(listing: Listing) -> int:
    """How many pieces a full page has at the least."""
    return math.ceil((listing.limit or UNPAGED_ROWS) / AT_ONCE.get(listing.name, MOST_AT_ONCE))


LARGE = [
    pytest.param(case, listing, id=f"{case.name}-{listing.name}")
    for case in CASES
    for listing in case.listings
    if pieces(listing) > 1
]


class Turns:
    """Counts the loop's turns since an answer came last, with nothing left to be read."""

    def __init__(self) -> None:
        self.since_answer = 0
        self._next: asyncio.Handle | None = None

    def answered(self, *_: object) -> None:
        self.since_answer = 0

    def _turn(self) -> None:
        self.since_answer += 1
        self._next = asyncio.get_running_loop().call_soon(self._turn)

    def __enter__(self) -> Self:
        self._turn()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._next is not None
        self._next.cancel()


@pytest.mark.parametrize(("case", "listing"), LARGE)
async def test_the_loop_turns_while_a_large_page_is_made(
    case: Case, listing: Listing, outbound: Outbound, redactor: Redactor
) -> None:
    rows = listing.limit or UNPAGED_ROWS
    cloud = listing.cloud(rows)

    async with serve(cloud) as url:
        with Turns() as turns:
            client = case.client(
                url,
                account=lambda base_url: Account(
                    outbound=outbound,
                    budget=Budget(rate=Rate(1000, 1.0)),
                    base_url=base_url,
                    observe=turns.answered,
                ),
                redactor=redactor,
            )
            page = await anext(listing.walk(client, cloud))
            made = turns.since_answer

    assert len(page.items) == rows
    assert made >= pieces(listing)  # a turn before each
