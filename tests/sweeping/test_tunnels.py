"""Tunnels over real HTTP: how they open and end, also where the list no longer says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from fleetpulse.fleet.events import TunnelEvent
from fleetpulse.simulator.jfrog_connect.account import JFrogConnect as JFrogCloud
from sweeping.house import MINUTE, SOURCE, House, house, until

PACE = {"tunnels": timedelta(minutes=2)}
SWEPT = ("devices", "tunnels")


@asynccontextmanager
async def baselined(cloud: JFrogCloud, home: Path) -> AsyncIterator[House]:
    async with house(cloud, home, only=SWEPT, intervals=PACE) as made:
        await until(lambda: "tunnels" in made.watch.standing.record.baselined_at)
        yield made


async def tunnels_told(home: House) -> list[str]:
    return [event.type.removeprefix("fleet.") for event in await home.events() if isinstance(event, TunnelEvent)]


async def test_a_tunnel_that_opens_and_closes_is_told_and_shown(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=3)
    async with baselined(cloud, tmp_path) as home:
        tunnel = cloud.open_tunnel(cloud.uuids()[0])
        await asyncio.sleep(3 * MINUTE)
        shown = home.shown()
        cloud.close_tunnel(tunnel)
        await asyncio.sleep(3 * MINUTE)

        assert await tunnels_told(home) == ["tunnel.opened", "tunnel.closed"]
        assert f'fleet_tunnels{{source="{SOURCE}",status="open"}} 1' in shown


async def test_a_tunnel_the_list_no_longer_holds_is_asked_for_once_and_ends_as_the_vendor_says(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=3)
    tunnel = cloud.open_tunnel(cloud.uuids()[0])
    async with baselined(cloud, tmp_path) as home:
        cloud.close_tunnel(tunnel, "terminated")
        cloud.forget_tunnel(tunnel)
        cloud.forget_requests()
        await asyncio.sleep(10 * MINUTE)

        asked = [seen for seen in cloud.requests if seen.path.endswith(tunnel)]
        assert len(asked) == 1
        assert await tunnels_told(home) in (
            ["tunnel.opened", "tunnel.terminated"],
            ["tunnel.opened", "tunnel.closed"],
        )


async def test_a_tunnel_that_cannot_be_asked_for_is_asked_for_after_the_next_list_and_makes_no_trouble(
    tmp_path: Path,
) -> None:
    cloud = JFrogCloud(devices=3)
    tunnel = cloud.open_tunnel(cloud.uuids()[0])
    async with baselined(cloud, tmp_path) as home:
        cloud.forget_tunnel(tunnel)
        cloud.faults.fail_next(n=2, status=503, path=f"/port_tunnel/{tunnel}")
        await asyncio.sleep(10 * MINUTE)

        assert home.watch.standing.record.troubles == ()
        assert await tunnels_told(home) == ["tunnel.opened", "tunnel.closed"]


async def test_what_is_asked_beside_the_list_is_part_of_what_is_needed(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=3)
    tunnels = [cloud.open_tunnel(cloud.uuids()[0]) for _ in range(6)]
    async with baselined(cloud, tmp_path) as home:
        before = home.pacer.needed
        for tunnel in tunnels:
            cloud.forget_tunnel(tunnel)
        cloud.faults.always(status=503, path="/port_tunnel/")
        await asyncio.sleep(10 * MINUTE)

        assert home.pacer.needed - before > 5.5 / 120  # six more, every two minutes


async def test_a_tunnel_known_before_a_restart_is_followed_on(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=3)
    tunnel = cloud.open_tunnel(cloud.uuids()[0])
    async with baselined(cloud, tmp_path):
        await asyncio.sleep(5)
    cloud.close_tunnel(tunnel)

    async with house(cloud, tmp_path, only=SWEPT, intervals=PACE) as home:
        await asyncio.sleep(30)

        assert await tunnels_told(home) == ["tunnel.opened", "tunnel.closed"]


async def test_a_tunnel_that_stays_open_is_observed_at_each_list(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=3)
    tunnel = cloud.open_tunnel(cloud.uuids()[0])
    closed = cloud.open_tunnel(cloud.uuids()[1])
    async with baselined(cloud, tmp_path) as home:
        cloud.close_tunnel(closed)
        await asyncio.sleep(3 * MINUTE)
        home.observed.clear()
        cloud.forget_requests()
        await asyncio.sleep(10 * MINUTE)

        lists = [seen for seen in cloud.requests if seen.path.endswith("/port_tunnel")]
        observed = [subjects for subjects in home.observed if tunnel in subjects]
        assert len(observed) >= len(lists) == 5
        assert [subjects for subjects in home.observed if closed in subjects] == []


async def test_an_unknown_status_of_a_tunnel_is_logged_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = JFrogCloud(devices=3)
    cloud.faults.always(status=200, body='[{"port_tunnel_id":"t-1","status":"dormant"}]', path="/port_tunnel")
    async with baselined(cloud, tmp_path):
        await asyncio.sleep(10 * MINUTE)

        logged = [line for line in capsys.readouterr().out.splitlines() if "that nobody knows" in line]
        assert len(logged) == 1
        assert "dormant" in logged[0]
