import asyncio

from fleetpulse.fleet.known import SEGMENT_DEVICES, KnownFleet
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.metrics.renderer import Renderer, catch_up
from metrics.fleets import show, sighting


async def test_the_renderer_renders_what_changes_while_it_runs() -> None:
    fleet, pages = KnownFleet("edge"), FleetPages()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Renderer(pages=pages, pause_s=0).run(), name="renderer")
        for device in ("d-1", "d-2"):
            show(pages, fleet, [sighting(device)])
            while pages.dirty.is_set():  # noqa: ASYNC110 - an Event has no way to wait for its end
                await asyncio.sleep(0)

            assert f'device="{device}"'.encode() in b"".join(pages.text())
        running.cancel()


async def test_catching_up_leaves_the_loop_to_others_in_between() -> None:
    pages = FleetPages()
    page = [sighting(f"d-{number}") for number in range(40 * SEGMENT_DEVICES)]
    show(pages, KnownFleet("edge"), page)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while pages.behind:
            turns += 1
            await asyncio.sleep(0)

    await asyncio.gather(catch_up(pages), others())

    assert pages.behind == 0
    assert turns > 1


async def test_catching_up_does_not_chase_a_fleet_that_never_rests() -> None:
    fleet, pages = KnownFleet("edge"), FleetPages()
    show(pages, fleet, [sighting(f"d-{number}") for number in range(3 * SEGMENT_DEVICES)])

    one_of_each_segment = [f"d-{number * SEGMENT_DEVICES}" for number in range(3)]

    async def restless() -> None:
        for number in range(1_000_000):
            show(pages, fleet, [sighting(device, group=str(number)) for device in one_of_each_segment])
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        unrest = tasks.create_task(restless(), name="unrest")
        await catch_up(pages)
        unrest.cancel()

    assert len(b"".join(pages.text()).decode().split("\nfleet_device_up{")) - 1 == 3 * SEGMENT_DEVICES
