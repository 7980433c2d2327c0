"""Readings that take a request for each device: spread evenly, resumed, and nobody's trouble but their own."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest

from fleetpulse.fleet.events import Problem
from fleetpulse.simulator.iomote import Iomote as IomoteCloud
from sweeping.house import MINUTE, SOURCE, house, until

HOUR = 60 * MINUTE
PACE = {"stats": timedelta(hours=1), "devices": timedelta(minutes=5)}
SWEPT = ("devices", "stats")
BY_DEVICE_ID = {"path_id": "device_id"}


def asked(cloud: IomoteCloud) -> list[str]:
    """The devices that were asked for, in order."""
    return [seen.path.split("/")[-2] for seen in cloud.requests if seen.path.endswith("/stat")]


def asked_at(cloud: IomoteCloud) -> list[float]:
    return [seen.at for seen in cloud.requests if seen.path.endswith("/stat")]


async def test_a_pass_is_spread_evenly_over_the_interval_and_shown(tmp_path: Path) -> None:
    cloud = IomoteCloud(devices=12, api_key="demo-token")
    async with house(cloud, tmp_path, settings=BY_DEVICE_ID, only=SWEPT, intervals=PACE) as home:
        await asyncio.sleep(HOUR + 2 * MINUTE)

        pauses = [round(later - earlier) for earlier, later in pairwise(asked_at(cloud))]
        assert sorted(asked(cloud)[:12]) == sorted(cloud.uuids())
        assert all(295 <= pause <= 305 for pause in pauses[:11])
        assert home.shown().count("fleet_device_transferred_bytes{") == 12


async def test_a_device_that_is_gone_or_odd_is_passed_over(tmp_path: Path) -> None:
    cloud = IomoteCloud(devices=12, api_key="demo-token")
    gone = cloud.uuids()[4]
    cloud.faults.always(status=404, path=f"/{gone}/stat")
    async with house(cloud, tmp_path, settings=BY_DEVICE_ID, only=SWEPT, intervals=PACE) as home:
        await until(lambda: "stats" in home.watch.standing.record.good_at, within_s=2 * HOUR)

        assert home.watch.standing.record.troubles == ()
        assert home.shown().count("fleet_device_transferred_bytes{") == 11


@pytest.mark.parametrize(("path_id", "error"), [("device_id", '{"error":"No data yet"}'), ("id", "ERROR")])
async def test_a_device_whose_answer_seems_to_refuse_a_good_key_is_passed_over(
    tmp_path: Path, path_id: Literal["device_id", "id"], error: str
) -> None:
    cloud = IomoteCloud(devices=12, api_key="demo-token")
    cloud.path_id = path_id
    odd = cloud.uuids()[4]
    for spelled in (odd, cloud.fleet[odd].id):
        cloud.faults.always(status=200, body=error, path=f"/{spelled}/stat")
    async with house(cloud, tmp_path, settings={"path_id": path_id}, only=SWEPT, intervals=PACE) as home:
        await asyncio.sleep(5 * HOUR)

        lists = sum(seen.path.endswith("/devices") for seen in cloud.requests)
        times = Counter(device for device in asked(cloud) if device not in {odd, cloud.fleet[odd].id})
        assert len(times) == 11
        assert all(4 <= number <= 6 for number in times.values())
        assert home.watch.standing.record.troubles == ()
        assert not [told for told in await home.told() if told.startswith(("source.degraded", "source.credentials"))]
        assert lists < 5 * 12 + 10  # one more for each pass: the key is asked about


async def test_an_endpoint_that_refuses_a_good_key_device_after_device_fails_alone(tmp_path: Path) -> None:
    cloud = IomoteCloud(devices=30, api_key="demo-token")
    cloud.faults.always(status=200, body="ERROR", path="/stat")
    async with house(cloud, tmp_path, settings=BY_DEVICE_ID, only=SWEPT, intervals=PACE) as home:
        await until(lambda: home.watch.standing.record.trouble("stats", Problem.FAILING) is not None, within_s=HOUR)

        assert len(asked(cloud)) == 10
        assert "source.credentials_rejected devices" not in await home.told()


async def test_an_endpoint_that_refuses_device_after_device_is_switched_off(tmp_path: Path) -> None:
    cloud = IomoteCloud(devices=30, api_key="demo-token")
    cloud.faults.always(status=404, path="/stat")
    async with house(cloud, tmp_path, settings=BY_DEVICE_ID, only=SWEPT, intervals=PACE) as home:
        await asyncio.sleep(3 * HOUR)

        assert len(asked(cloud)) == 10
        assert "source.resource_unavailable stats" in await home.told()
        assert home.pacer.needed < 0.01


async def test_a_pass_that_breaks_goes_on_where_it_was_and_its_trouble_ends_with_the_next_answer(
    tmp_path: Path,
) -> None:
    cloud = IomoteCloud(devices=12, api_key="demo-token")
    async with house(cloud, tmp_path, settings=BY_DEVICE_ID, only=SWEPT, intervals=PACE) as home:
        await until(lambda: len(asked(cloud)) == 3, within_s=HOUR)

        cloud.faults.fail_next(status=503, path="/stat")
        await until(lambda: home.watch.standing.record.trouble("stats", Problem.FAILING) is not None)
        await asyncio.sleep(6 * MINUTE)
        mended = home.watch.standing.record.troubles
        await until(lambda: "stats" in home.watch.standing.record.good_at, within_s=2 * HOUR)

        assert mended == ()
        assert len(set(asked(cloud))) == 12
        assert len(asked(cloud)) == 12


async def test_a_missing_device_is_not_asked_for(tmp_path: Path) -> None:
    cloud = IomoteCloud(devices=12, api_key="demo-token")
    removed = cloud.uuids()[0]
    async with house(
        cloud, tmp_path, settings=BY_DEVICE_ID, only=SWEPT, intervals={**PACE, "devices": timedelta(minutes=1)}
    ) as home:
        await until(lambda: "stats" in home.watch.standing.record.good_at, within_s=2 * HOUR)
        cloud.remove(removed)
        await asyncio.sleep(3 * MINUTE)
        cloud.forget_requests()
        await asyncio.sleep(2 * HOUR)

        assert removed not in asked(cloud)
        assert home.sample(f'fleetpulse_sweep_interval_seconds{{resource="stats",source="{SOURCE}"}}') is not None


async def test_a_key_refused_meanwhile_is_not_sent_device_by_device(tmp_path: Path) -> None:
    cloud = IomoteCloud(devices=10, api_key="demo-token")
    pace = {"stats": timedelta(hours=1), "devices": timedelta(seconds=30)}
    async with house(cloud, tmp_path, settings=BY_DEVICE_ID, only=SWEPT, intervals=pace) as home:
        await until(lambda: len(asked(cloud)) == 2, within_s=HOUR)

        cloud.revoke()
        await until(lambda: home.watch.standing.record.trouble("devices", Problem.REJECTED) is not None)
        cloud.forget_requests()
        await asyncio.sleep(30 * MINUTE)

        assert asked(cloud) == []
        assert len(cloud.requests) == 2  # the probes after 5 and 10 minutes more
