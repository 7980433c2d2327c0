"""A tunnel that somebody left open is told of, also where it was open before anyone looked."""

import asyncio
from pathlib import Path

from end_to_end.moved.house import HOUR, KEY_WATCH, MINUTE, STALENESS, baselined, house, until
from fleetpulse import clock
from fleetpulse.simulator import serve
from fleetpulse.simulator.jfrog_connect import JFrogConnect as Cloud
from vendors.contract.cases import JFROG, KEY


async def test_a_tunnel_left_open_is_told_after_eight_hours_and_then_how_it_ended(tmp_path: Path) -> None:
    cloud = Cloud(devices=3, token=KEY, now=clock.now)
    old = cloud.open_tunnel(cloud.uuids()[0])
    every = dict.fromkeys(("deployments", "tunnels", "flows"), "30m")
    async with serve(cloud) as url:
        source = JFROG.settings(base_url=url, interval="30m", sweep=every)
        async with house(tmp_path, source, without=[KEY_WATCH, STALENESS]) as home:
            await baselined(home)
            brief = cloud.open_tunnel(cloud.uuids()[1])
            await asyncio.sleep(7 * HOUR)
            cloud.close_tunnel(brief)
            before = await home.told()
            await until(lambda: f"FleetTunnelOpen {old} firing" in home.alerts(), within_s=2 * HOUR)
            await asyncio.sleep(MINUTE)
            (fired,) = (await home.told())[len(before) :]

            cloud.close_tunnel(old, "terminated")
            await asyncio.sleep(HOUR)
            (_, ended) = (await home.told())[len(before) :]

            assert fired.startswith("[FIRING")
            assert old in fired
            assert ended.startswith("[RESOLVED]")
            assert "terminated" in ended
            assert await home.happened("fleet.tunnel") == [
                f"fleet.tunnel.opened {old}",
                f"fleet.tunnel.opened {brief}",
                f"fleet.tunnel.closed {brief}",
                f"fleet.tunnel.terminated {old}",
            ]
