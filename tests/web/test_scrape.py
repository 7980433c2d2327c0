import asyncio

import aiohttp

from fleetpulse.fleet.device import Device, DeviceStatus, Sighting
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.fleet.walk import Walk
from fleetpulse.metrics.pages import FleetPages
from web.house import T0, House, serving

DEVICES = 5000


def large() -> FleetPages:
    fleet, pages = KnownFleet("edge"), FleetPages()
    page = [Sighting(Device(f"d-{number}"), DeviceStatus.ONLINE) for number in range(DEVICES)]
    changes = fleet.compare(page, walk=Walk(started_at=T0), seen_at=T0)
    fleet.accept(changes)
    pages.devices(fleet, vendor="jfrog-connect", changes=changes)
    return pages


async def test_alerts_are_counted_anew_for_every_scrape(client: aiohttp.ClientSession) -> None:
    house, pages = House(), FleetPages()

    async with serving(house, pages=pages) as url:
        for _ in range(2):
            async with client.get(f"{url}/metrics") as answer:
                assert answer.status == 200

    assert house.counted == 2


async def test_half_a_fleet_is_never_served(client: aiohttp.ClientSession) -> None:
    house = House()
    house.rendered = False

    async with serving(house, pages=large()) as url, client.get(f"{url}/metrics") as answer:
        assert (answer.status, await answer.text()) == (503, "the known state is not rendered yet\n")


async def test_a_scrape_holds_the_whole_fleet_and_our_own(client: aiohttp.ClientSession) -> None:
    async with serving(House(), pages=large()) as url, client.get(f"{url}/metrics") as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = await answer.text()

    assert text.count("\nfleet_device_up{") == DEVICES
    assert "fleetpulse_build_info{" in text


async def test_who_hangs_up_in_the_middle_disturbs_nobody(client: aiohttp.ClientSession) -> None:
    async with serving(House(), pages=large()) as url:
        for _ in range(10):  # more than may be under way at once
            answer = await client.get(f"{url}/metrics")
            await answer.content.readexactly(100)
            answer.close()
            await asyncio.sleep(0.01)

        async with client.get(f"{url}/metrics") as whole:
            assert (await whole.text()).count("\nfleet_device_up{") == DEVICES


async def test_scrapes_at_once_are_limited(client: aiohttp.ClientSession) -> None:
    async with serving(House(), pages=large()) as url:
        answers = await asyncio.gather(*(client.get(f"{url}/metrics") for _ in range(30)))
        statuses = sorted(answer.status for answer in answers)
        for answer in answers:
            answer.close()

    assert statuses[0] == 200
    assert statuses[-1] == 503
