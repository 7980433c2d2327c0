"""A walk tells what is there: at every border of a page, and while things come and go between the pages."""

import asyncio
from collections import defaultdict
from random import Random
from typing import Any

import pytest

from fleetpulse.simulator import serve
from fleetpulse.vendors.contract import CursorRefused
from vendors.contract.cases import CASES, Case, Listing, pages
from vendors.contract.conftest import Build

LISTINGS = [
    pytest.param(case, listing, id=f"{case.name}-{listing.name}") for case in CASES for listing in case.listings
]
UNPAGED_ROWS = 1200
LONGEST_S = 10.0  # of a walk that does not end


def sizes(limit: int) -> list[int]:
    """The page borders of a list, and some pages of it."""
    return [0, 1, limit - 1, limit, limit + 1, 3 * limit] if limit else [0, 1, UNPAGED_ROWS]


@pytest.mark.parametrize(("case", "listing"), LISTINGS)
async def test_a_walk_equals_the_truth_at_every_border_of_a_page(case: Case, listing: Listing, client: Build) -> None:
    for n in sizes(listing.limit):
        cloud = listing.cloud(n)
        truth = listing.truth(cloud)

        async with serve(cloud) as url:
            walked = await pages(listing.walk(client(url), cloud))

        told = [listing.told(item) for page in walked for item in page.items]
        assert dict(told) == truth, n
        assert len(told) == len(truth), n
        assert {(page.odd, page.guarded, page.unknown_word) for page in walked} == {(0, "", "")}, n
        assert walked[-1].resume is None
        assert walked[-1].total in {None, len(truth)}, n


@pytest.mark.parametrize("seed", range(3))
async def test_a_device_is_told_in_one_state_while_others_come_and_go(case: Case, client: Build, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - it disturbs a fleet
    cloud = case.cloud(3 * max(1, case.listings[0].limit) + 20)
    stayed = set(cloud.uuids())
    told: defaultdict[str, set[object]] = defaultdict(set)
    complete = True

    async with serve(cloud) as url, asyncio.timeout(LONGEST_S):
        try:
            async for page in case.listings[0].walk(client(url), cloud):
                for device, state in map(case.listings[0].told, page.items):
                    told[device].add(state)
                stayed -= _disturb(cloud, random)
        except CursorRefused:  # the cursor was a device that is gone: the walk is begun anew, once
            complete = False

    assert {len(states) for states in told.values()} == {1}
    assert not complete or stayed <= told.keys()


def _disturb(cloud: Any, random: Random) -> set[str]:
    """Let some devices come and others go; the ids of these."""
    gone = set(random.sample(cloud.uuids(), 20))
    cloud.remove(gone)
    for _ in range(30):
        cloud.add_device()
    return gone


async def test_a_walk_goes_on_from_a_page_as_if_it_had_not_broken(case: Case, client: Build) -> None:
    listing = case.listings[0]
    cloud = listing.cloud(3 * max(1, listing.limit))

    async with serve(cloud) as url:
        resource = next(iter(client(url).resources))
        walked = await pages(client(url).devices(resource))  # type: ignore[attr-defined]  # the first resource is the census
        for before, page in enumerate(walked):
            if page.resume is not None:
                rest = await pages(client(url).devices(resource, resume=page.resume))  # type: ignore[attr-defined]  # as above
                assert [p.items for p in rest] == [p.items for p in walked[before + 1 :]]
                assert rest[-1].resume is None


@pytest.mark.parametrize("resume", ["", "nonsense", '["x"]', "\ud800", "9" * 400, "[999999,0,0]"])
async def test_a_place_that_was_never_given_is_refused_or_leads_nowhere_else(
    case: Case, client: Build, resume: str
) -> None:
    cloud = case.stocked()

    async with serve(cloud) as url:
        vendor = client(url)
        try:
            await pages(vendor.devices(next(iter(vendor.resources)), resume=resume))  # type: ignore[attr-defined]  # the census
        except CursorRefused as error:
            assert str(error)  # noqa: PT017 - either outcome is right

    assert all(any(endpoint.matches(seen.path) for endpoint in case.endpoints) for seen in cloud.requests)
