"""What people have done by hand: who may be asked, and what a refusal means to the pollers."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from fleetpulse import clock
from fleetpulse.fleet.events import Problem
from fleetpulse.fleet.source import degrade
from fleetpulse.service.operating import Operating
from fleetpulse.service.sources import WatchedSource
from fleetpulse.service.survey.lines import End, Finding
from fleetpulse.simulator.jfrog_connect import JFrogConnect as JFrogCloud
from fleetpulse.web.operations import RefusedError, VendorFailedError
from fleetpulse.web.views import Depth
from service.desk import desk

Asking = Callable[[Operating], AsyncGenerator[Any, None]]

ASKINGS: dict[str, Asking] = {
    "ask": lambda operating: operating.ask("edge", "d-1"),
    "sweep": lambda operating: operating.survey("edge", Depth.SWEEP),
    "probe": lambda operating: operating.survey("edge", Depth.PROBE),
}
by_hand = pytest.mark.parametrize("asking", ASKINGS.values(), ids=ASKINGS)


def operating(*watched: WatchedSource) -> Operating:
    return Operating(watched=lambda: watched, redact=str)


async def told(items: AsyncGenerator[Any, None]) -> list[Any]:
    """All that is told, behind the first sign that nothing is in the way."""
    async with aclosing(items):
        assert await anext(items) is None
        return [item async for item in items]


@by_hand
async def test_a_paused_source_is_not_asked_by_hand(tmp_path: Path, asking: Asking) -> None:
    cloud = JFrogCloud(devices=3)
    async with desk(cloud, tmp_path) as made:
        watched = await made.source("edge", request_rate="1000/s")
        await watched.watch.pause(None)

        with pytest.raises(RefusedError, match=r"edge is paused, .* `fleetpulse sources resume edge`"):
            await anext(asking(operating(watched)))

    assert len(cloud.requests) == 0


@by_hand
async def test_a_pause_ends_what_is_asked_by_hand(tmp_path: Path, asking: Asking) -> None:
    cloud = JFrogCloud(devices=3)
    async with desk(cloud, tmp_path) as made:
        watched = await made.source("edge", request_rate="3/m")  # the first turn comes after 20 s
        async with aclosing(asking(operating(watched))) as items:
            await anext(items)
            waiting = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0)
            await watched.watch.pause(None)

            with pytest.raises(RefusedError, match="is paused"):
                await waiting

    assert len(cloud.requests) == 0


@by_hand
async def test_a_key_that_comes_in_doubt_ends_what_is_asked_by_hand(tmp_path: Path, asking: Asking) -> None:
    cloud = JFrogCloud(devices=3)
    async with desk(cloud, tmp_path) as made:
        edge, twin = [await made.source(name, request_rate="3/m") for name in ("edge", "twin")]
        async with aclosing(asking(operating(edge))) as items:
            await anext(items)
            waiting = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0)
            twin.watch.visitor_refused("no such token")

            with pytest.raises(RefusedError, match="has just refused"):
                await waiting

    assert len(cloud.requests) == 0


async def test_a_device_that_is_asked_for_is_told(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=3)
    async with desk(cloud, tmp_path) as made:
        watched = await made.source("edge", request_rate="1000/s")

        (sighting,) = await told(operating(watched).ask("edge", cloud.uuids()[0]))

        with pytest.raises(VendorFailedError):
            await told(operating(watched).ask("edge", "nobody"))

    assert sighting.device.id == cloud.uuids()[0]


async def test_a_key_that_is_refused_to_who_asks_by_hand_is_in_doubt_for_all_who_have_it(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=3)
    async with desk(cloud, tmp_path) as made:
        edge, twin = await made.source("edge", request_rate="1000/s"), await made.source("twin", request_rate="1000/s")
        hands = operating(edge, twin)
        cloud.revoke()

        with pytest.raises(VendorFailedError):
            await told(hands.ask("edge", "d-1"))

        for items in (*(asking(hands) for asking in ASKINGS.values()), hands.ask("twin", "d-1")):
            with pytest.raises(RefusedError, match="has just refused the key of"):
                await anext(items)

    assert len(cloud.requests) == 1


@pytest.mark.parametrize("depth", Depth)
async def test_a_key_that_is_refused_to_a_survey_is_in_doubt(tmp_path: Path, depth: Depth) -> None:
    cloud = JFrogCloud(devices=3)
    async with desk(cloud, tmp_path) as made:
        watched = await made.source("edge", request_rate="1000/s")
        cloud.revoke()

        lines = await told(operating(watched).survey("edge", depth))

        with pytest.raises(RefusedError, match="has just refused"):
            await anext(operating(watched).ask("edge", "d-1"))

    failures = [line.failure.reason for line in lines if isinstance(line, Finding | End) and line.failure]
    assert failures == ["credentials_rejected"]
    assert len(cloud.requests) == 1


async def test_only_a_list_that_is_doubted_can_be_accepted(tmp_path: Path) -> None:
    async with desk(JFrogCloud(devices=3), tmp_path) as made:
        watched = await made.source("edge", request_rate="1000/s")
        hands, standing = operating(watched), watched.watch.standing

        async def trouble(problem: Problem) -> None:
            await standing.amend(
                "devices", lambda record: degrade(record, "devices", problem, detail="", seen_at=clock.now())
            )

        await trouble(Problem.EXPIRING)
        with pytest.raises(RefusedError, match="nothing is doubted of edge; nothing is to accept"):
            await hands.accept("edge")
        await trouble(Problem.DOUBTED)
        await hands.accept("edge")


async def test_one_survey_at_a_time_walks_a_source(tmp_path: Path) -> None:
    async with desk(JFrogCloud(devices=3), tmp_path) as made:
        watched = await made.source("edge", request_rate="1000/s")
        hands = operating(watched)

        async with aclosing(hands.survey("edge", Depth.SWEEP)) as first:
            await anext(first)
            with pytest.raises(RefusedError, match="is being surveyed already; one at a time: wait until"):
                await anext(hands.survey("edge", Depth.PROBE))
        lines = await told(hands.survey("edge", Depth.PROBE))

    assert isinstance(lines[-1], End)
