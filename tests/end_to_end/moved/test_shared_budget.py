"""A budget that cannot carry all: device state keeps its pace, and the rest stretches as it says."""

import asyncio
from collections.abc import MutableMapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from end_to_end.moved.house import HOUR, KEY_WATCH, MINUTE, House, baselined, densest, house, until
from fleetpulse import clock
from fleetpulse.durations import parse_duration
from fleetpulse.fleet.events import Problem
from fleetpulse.simulator import serve
from fleetpulse.simulator.jfrog_connect import JFrogConnect as Cloud
from vendors.contract.cases import JFROG, KEY

Logged = Sequence[MutableMapping[str, Any]]

PER_MINUTE = 9
"""The smaller rate of two. Their needs: a census each, and 34 requests a minute of the rest."""
PACE = {"interval": "60s", "sweep": {"deployments": "10s", "tunnels": "10s", "flows": "12s"}}
NEEDED = 36
PATHS = {"deployments": "/deployments", "tunnels": "/port_tunnel", "flows": "/update-flows"}


async def test_two_sources_with_a_quarter_of_what_they_need_keep_device_state_and_stretch_the_rest_as_they_say(
    tmp_path: Path, logged: Logged
) -> None:
    cloud = Cloud(devices=30, token=KEY, now=clock.now)
    async with serve(cloud) as url:
        lyon = JFROG.settings(name="lyon", groups=["Lyon"], base_url=url, request_rate=f"{PER_MINUTE}/m", **PACE)
        porto = JFROG.settings(name="porto", groups=["Porto"], base_url=url, request_rate="20/m", **PACE)
        async with house(tmp_path, lyon, porto, without=[KEY_WATCH]) as home:
            await baselined(home)
            await asyncio.sleep(10 * MINUTE)
            cloud.forget_requests()
            await asyncio.sleep(HOUR)

            times = [seen.at for seen in cloud.requests]
            assert densest(times, MINUTE) <= PER_MINUTE
            assert len(times) == pytest.approx(60 * PER_MINUTE, rel=0.05)
            assert budget(home, "needed") == pytest.approx(NEEDED / 60)
            assert budget(home, "granted") == budget(home, "ceiling") == pytest.approx(PER_MINUTE / 60)

            for group in ("Lyon", "Porto"):
                starts = [seen.at for seen in cloud.requests if seen.parameters.get("group_name") == [group]]
                assert fmean(later - earlier for earlier, later in pairwise(starts)) == pytest.approx(60, rel=0.02)
                assert max(later - earlier for earlier, later in pairwise(starts)) < 80

            (line,) = carried(logged)
            said = spoken(line)
            assert said.keys() == {f"{source}/{resource}" for source in ("lyon", "porto") for resource in PATHS}
            for resource, path in PATHS.items():
                starts = [seen.at for seen in cloud.requests if seen.path.endswith(path)]
                seen_s = 2 * fmean(later - earlier for earlier, later in pairwise(starts))
                assert seen_s == pytest.approx(said[f"lyon/{resource}"], rel=0.05)
                assert seen_s == pytest.approx(interval(home, resource, source="lyon"), rel=0.05)


async def test_a_vendor_that_takes_less_than_it_should_is_asked_less_until_it_takes_more(
    tmp_path: Path, logged: Logged
) -> None:
    groups = ["Lyon", "Nantes", "Porto"]  # a request each
    cloud = Cloud(devices=30, groups=groups, token=KEY, now=clock.now)
    async with serve(cloud) as url:
        source = JFROG.settings(base_url=url, groups=groups, request_rate="2/s", interval="6s")
        async with house(tmp_path, source, without=[KEY_WATCH]) as home:
            await baselined(home)
            await asyncio.sleep(MINUTE)
            at_first = (budget(home, "granted"), interval(home, "devices"))

            cloud.faults.fail_next(status=429)
            await until(lambda: cloud.statuses[429] == 1, every_s=0.1)
            halved = budget(home, "granted")

            cloud.switch(limit_per_s=0.3)
            await asyncio.sleep(2 * MINUTE)
            granted, intervals = [], []
            for _ in range(30):
                await asyncio.sleep(10)
                granted.append(budget(home, "granted"))
                intervals.append(interval(home, "devices"))
            lines = carried(logged)

            assert at_first == (2.0, 6.0)
            assert halved == 1.0
            assert max(granted) < 0.5
            assert min(intervals) > 6.0
            assert spoken(lines[0])["devices"] > 6.0
            assert len(lines) <= 2

            cloud.switch(limit_per_s=None)
            await asyncio.sleep(11 * MINUTE)

            assert (budget(home, "granted"), interval(home, "devices")) == at_first
            assert carried(logged)[-1] == "the budget carries every interval again"
            assert [event for event in await home.events() if getattr(event, "problem", None) is Problem.DOWN] == []
            assert len(await home.told()) == 1  # of the baseline


def carried(logged: Logged) -> list[str]:
    """What was logged of the budget."""
    return [entry["event"] for entry in logged if "the budget carries" in entry["event"]]


def budget(home: House, kind: str) -> float:
    """What the account's budget says of itself; each of its sources shows it."""
    name = f'fleetpulse_vendor_budget_requests_per_second{{kind="{kind}",source="{next(iter(home.watched))}"}}'
    return _shown(home, name)


def interval(home: House, resource: str, *, source: str = "edge") -> float:
    """How often a resource is swept, as a scrape reads it."""
    return _shown(home, f'fleetpulse_sweep_interval_seconds{{resource="{resource}",source="{source}"}}')


def _shown(home: House, name: str) -> float:
    value = home.sample(name)
    assert value is not None
    return value


def spoken(line: str) -> dict[str, float]:
    """The intervals that a log line names, in seconds."""
    named = (part.rpartition(" every ") for part in line.partition(": ")[2].split(", "))
    return {name: parse_duration(every).total_seconds() for name, _, every in named}
