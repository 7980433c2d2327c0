"""What the service promises to every vendor, with its real pollers in moved time."""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from end_to_end.every_vendor.house import MINUTE, House, files, house, settings
from fleetpulse import clock
from fleetpulse.simulator import serve
from fleetpulse.simulator.rates import TOLERANCE
from vendors.contract.cases import CASES, HOLOGRAM, IOMOTE, JFROG, JFROG_V1, SCALEPAD, Case, Endpoint
from vendors.contract.secrecy import leaked
from vendors.contract.spoiling import Spoiler, Truth

ROWS = {"jfrog-connect": 2500, "jfrog-connect-v1": 120, "hologram": 1200, "iomote": 300, "scalepad": 6000}
"""Enough devices that a sweep takes several requests, where there are pages."""


async def nothing_leaked(home: House, place: Path, printed: str) -> None:
    assert leaked(await home.shown()) == []
    assert leaked(printed) == []
    assert leaked(files(place)) == []


def densest(times: Sequence[float], window_s: float) -> int:
    """The most requests that any window of this length saw."""
    return max((bisect_left(times, at + window_s) - n for n, at in enumerate(times)), default=0)


async def test_no_window_sees_more_than_its_limit_also_over_quick_restarts(case: Case, tmp_path: Path) -> None:
    cloud = case.cloud(ROWS[case.name], now=clock.now)
    case.stock(cloud)

    async with serve(cloud) as url:
        source = settings(case, url, tmp_path)
        rate = source.request_rate
        cloud.switch(limit_per_s=rate.per_second)
        for lifetime_s in (5 * MINUTE, 1, 7, 20, 30, 5 * MINUTE):
            async with house(source, tmp_path):
                await asyncio.sleep(lifetime_s)

    times = [seen.at for seen in cloud.requests]
    window_s = rate.count / rate.per_second
    assert len(times) > 5
    assert densest(times, TOLERANCE * window_s) <= rate.count
    assert (cloud.rude, set(cloud.statuses)) == (0, {200})
    assert cloud.writes == []
    assert [seen.path for seen in cloud.requests if not any(each.matches(seen.path) for each in case.endpoints)] == []


def revoke(cloud: Any) -> None:
    cloud.revoke()


def revoke_with_success(cloud: Any) -> None:
    cloud.revoke(status=200)


def revoke_in_a_word(cloud: Any) -> None:
    cloud.switch(error_dress="word", error_status=404)
    cloud.revoke()


def revoke_the_census(cloud: Any) -> None:
    cloud.revoke(status=403)


@pytest.mark.parametrize(
    ("case", "revoked"),
    [
        (JFROG, revoke),
        (JFROG, revoke_the_census),
        (JFROG_V1, revoke),
        (HOLOGRAM, revoke),
        (HOLOGRAM, revoke_with_success),
        (IOMOTE, revoke),
        (IOMOTE, revoke_in_a_word),
        (SCALEPAD, revoke),
    ],
)
async def test_a_refused_key_is_confirmed_once_and_then_only_probed(
    case: Case, revoked: Callable[[Any], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = case.cloud(5, now=clock.now)

    async with serve(cloud) as url, house(settings(case, url, tmp_path), tmp_path) as home:
        await asyncio.sleep(10 * MINUTE)
        cloud.forget_requests()
        revoked(cloud)
        await asyncio.sleep(50 * MINUTE)

        *before, confirmed, first, second, third = cloud.requests
        assert all(census(case).matches(seen.path) for seen in (confirmed, first, second, third))
        probes = [later.at - earlier.at for earlier, later in pairwise([confirmed, first, second, third])]
        assert probes == [pytest.approx(pause_s, abs=20) for pause_s in (300, 600, 1200)]
        assert 1 <= len(before) == len({seen.path for seen in before})  # nothing is asked twice to be sure
        assert confirmed.at - before[-1].at <= 30
        await nothing_leaked(home, tmp_path, capsys.readouterr().out)


RESOURCES = [
    pytest.param(case, resource, id=f"{case.name}-{resource}")
    for case in CASES
    for resource in dict.fromkeys(endpoint.swept for endpoint in case.endpoints if endpoint.swept)
]


@pytest.mark.parametrize(("case", "resource"), RESOURCES)
async def test_an_outage_of_one_resource_leaves_the_others_going_on(
    case: Case, resource: str, tmp_path: Path, spoiler: Spoiler, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = case.cloud(5, now=clock.now)
    case.stock(cloud)
    failing = next(endpoint for endpoint in case.endpoints if endpoint.swept == resource)

    async with serve(cloud) as spoiler.upstream:
        source = settings(case, spoiler.at(failing), tmp_path, every="2m")
        async with house(source, tmp_path) as home:
            await asyncio.sleep(6 * MINUTE)
            spoiler.spoil = fail_with_our_request
            cloud.add_device()  # so that there is something to ask for, where that is asked of new devices alone
            await asyncio.sleep(10 * MINUTE)

            assert spoiler.hits[failing.name] > 0
            assert behind(home) == {resource}
            assert {trouble.resource for trouble in home.troubles} == {resource}
            await nothing_leaked(home, tmp_path, capsys.readouterr().out)

            spoiler.spoil = None
            await asyncio.sleep(10 * MINUTE)

            assert behind(home) == set()
            assert home.troubles == ()


def behind(home: House) -> set[str]:
    """The resources whose last good sweep is older than two intervals."""
    return {name for name, at in home.good_at.items() if clock.now() - at > timedelta(minutes=4)}


async def fail_with_our_request(request: web.Request, _: Truth) -> web.StreamResponse:
    """Fail, and repeat in the error all that was asked, the key too."""
    asked = (await request.read()).decode(errors="replace")
    said = f"no {request.path} {request.raw_path} {request.headers.get('Authorization', '')} {asked}"
    return web.json_response({"message": said}, status=500)


def census(case: Case) -> Endpoint:
    return next(endpoint for endpoint in case.endpoints if endpoint.name == case.census)
