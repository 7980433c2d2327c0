"""Whatever comes instead of an answer has its one meaning at every endpoint, is asked for once, and leaks nothing."""

import asyncio
import logging
import tracemalloc
from collections.abc import Callable, Mapping
from urllib.parse import quote

import pytest

from fleetpulse.simulator import serve
from fleetpulse.vendors.contract import AnswerInvalid, RateLimited, SourceError, SourceUnreachable
from vendors.contract.cases import CASES, KEY, Case, Endpoint, Listing, pages
from vendors.contract.conftest import Build
from vendors.contract.faults import (
    BOMB,
    FAULTS,
    FINE,
    HUGE_BYTES,
    Fault,
    Pour,
    ending_in,
    foreign_cursor,
    foreign_links,
    meaning,
    one_row_of_other_types,
    redirect,
)
from vendors.contract.secrecy import leaked, told_by
from vendors.contract.spoiling import Elsewhere, Spoil, Spoiler

Outcome = SourceError | None
_FOLLOWING = {"status", "opensessions"}  # asked second, on a kept connection: there, one that broke is asked again


async def outcomes(case: Case, client: Build, spoiler: Spoiler, spoil: Spoil) -> Mapping[str, Outcome]:
    """By endpoint: the error it ended in, if any."""
    cloud = case.stocked()
    found: dict[str, Outcome] = {}

    async def tried(endpoint: Endpoint) -> None:
        try:
            await endpoint.ask(client(spoiler.at(endpoint)), cloud)
        except SourceError as error:
            found[endpoint.name] = error
        else:
            found[endpoint.name] = None

    async with serve(cloud) as url:
        spoiler.upstream, spoiler.spoil = url, spoil
        async with asyncio.TaskGroup() as group:
            for endpoint in case.endpoints:
                group.create_task(tried(endpoint), name=endpoint.name)
    assert spoiler.hits.keys() == found.keys()
    return found


def errors(found: Mapping[str, Outcome]) -> list[SourceError]:
    return [error for error in found.values() if error is not None]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_fault_has_its_one_meaning_at_every_endpoint(
    case: Case, client: Build, spoiler: Spoiler, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    caplog.set_level(logging.DEBUG)

    found = await outcomes(case, client, spoiler, fault.spoil)

    meanings = {name: FINE if error is None else error.reason for name, error in found.items()}
    assert meanings == {endpoint.name: meaning(fault, case.name, endpoint.name) for endpoint in case.endpoints}
    host = spoiler.url.removeprefix("http://")
    assert [str(error) for error in errors(found) if host not in str(error) or len(str(error)) > 500] == []
    assert [leaked(told_by(error)) for error in errors(found) if leaked(told_by(error))] == []
    assert leaked(caplog.text) == []
    assert {name: hits for name, hits in spoiler.hits.items() if hits > 1 and name not in _FOLLOWING} == {}
    pauses = [error.retry_after_s for error in errors(found) if isinstance(error, RateLimited)]
    assert pauses == [fault.retry_after_s and pytest.approx(fault.retry_after_s, abs=10)] * len(pauses)


async def test_an_answer_that_does_not_end_is_given_up_early(case: Case, client: Build, spoiler: Spoiler) -> None:
    pour = Pour()

    found = await outcomes(case, client, spoiler, pour.spoil)

    assert {type(error) for error in errors(found)} == {AnswerInvalid}
    assert 0 < pour.most_bytes < HUGE_BYTES / 4


async def test_a_gzip_bomb_does_not_go_off(case: Case, client: Build, spoiler: Spoiler) -> None:
    tracemalloc.start()

    found = await outcomes(case, client, spoiler, BOMB)

    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {type(error) for error in errors(found)} == {AnswerInvalid}
    assert peak_bytes < HUGE_BYTES / 2


@pytest.mark.parametrize("spoil", [foreign_links, foreign_cursor, redirect])
async def test_no_answer_leads_to_another_host(
    case: Case, client: Build, spoiler: Spoiler, elsewhere: Elsewhere, spoil: Callable[[str], Spoil]
) -> None:
    found = await outcomes(case, client, spoiler, spoil(f"{elsewhere.url}/login?token={quote(KEY, safe='')}"))

    assert elsewhere.visits == 0
    assert [leaked(told_by(error)) for error in errors(found) if leaked(told_by(error))] == []


async def test_a_redirect_names_only_the_host_it_leads_to(case: Case, client: Build, spoiler: Spoiler) -> None:
    found = await outcomes(case, client, spoiler, redirect("https://login.example/sign-in?back=here"))

    for error in errors(found):
        assert "(302, " in str(error)
        assert "a redirect to https://login.example)" in str(error)
        assert "sign-in" not in str(error)


async def test_the_vendors_words_are_told_short_redacted_and_on_one_line(
    case: Case, client: Build, spoiler: Spoiler
) -> None:
    found = await outcomes(case, client, spoiler, ending_in("bad header\n" + KEY + " " + "x" * 1000))

    for error in errors(found):
        assert 'fails (500): "bad header *** xxx' in str(error)
        assert "\n" not in str(error)
        assert len(str(error)) < 400
    assert {type(error) for error in errors(found)} == {SourceUnreachable}


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("before", [150, 170, 185, 190, 195, 199])
async def test_a_secret_on_the_edge_of_the_cut_is_redacted_before_it(
    case: Case, client: Build, spoiler: Spoiler, before: int, status: int
) -> None:
    found = await outcomes(case, client, spoiler, ending_in("x" * before + KEY, status))

    assert errors(found)
    assert [str(error) for error in errors(found) if "xpl" in str(error)] == []


LISTINGS = [
    pytest.param(case, listing, id=f"{case.name}-{listing.name}")
    for case in CASES
    for listing in case.listings
    if listing.name != "its devices"  # a map: its entries have no fields that name them
]


@pytest.mark.parametrize(("case", "listing"), LISTINGS)
async def test_an_odd_row_is_skipped_and_counted_and_never_the_page(
    case: Case, listing: Listing, client: Build, spoiler: Spoiler
) -> None:
    cloud = listing.cloud(4)
    endpoint = next(each for each in case.endpoints if each.name == listing.name)

    async with serve(cloud) as url:
        spoiler.upstream, spoiler.spoil = url, one_row_of_other_types
        (page,) = await pages(listing.walk(client(spoiler.at(endpoint)), cloud))

    told = dict(listing.told(item) for item in page.items)
    truth = listing.truth(cloud)
    assert len(told) == len(truth) - 1
    assert told.items() <= truth.items()
    assert page.odd == 1
    assert page.oddity
    assert "another type" not in page.oddity


async def test_rows_as_a_careless_vendor_sends_them_cost_no_other_row(case: Case, client: Build) -> None:
    listing = case.listings[0]
    cloud = case.cloud(60)
    spoilt = set(cloud.odd_rows(30))

    async with serve(cloud) as url:
        walked = await pages(listing.walk(client(url), cloud))

    told = dict(listing.told(item) for page in walked for item in page.items)
    expected = {device: state for device, state in listing.truth(cloud).items() if device not in spoilt}
    assert {device: told.get(device) for device in expected} == expected
    assert 0 < sum(page.odd for page in walked) < len(spoilt)


async def test_no_client_shows_its_key(case: Case, client: Build) -> None:
    vendor = client("http://127.0.0.1:1")

    assert leaked(f"{vendor!r} {vars(vendor)!r} {vars(vars(vendor)['_account'])!r}") == []


async def test_a_key_that_is_no_text_raises_nothing_of_its_own(case: Case, client: Build) -> None:
    cloud = case.stocked()

    async with serve(cloud) as url:
        for endpoint in case.endpoints:
            with pytest.raises(SourceError):
                await endpoint.ask(client(url, key="planted-\udc80-m4rker"), cloud)
