"""Moved time itself: waits are skipped, real work is not."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import timedelta
from threading import Timer

import pytest
from aiohttp import ClientSession, web
from asyncio_throttle.throttler import Throttler

from fleetpulse import clock
from moved_time import MovedTimeLoop, moved_throttle, owe  # noqa: F401 - pytest finds the fixture by name


def run(story: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=MovedTimeLoop) as runner:
        runner.run(story)


def test_a_day_of_sleeping_passes_at_once_on_every_clock() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        real, ours, wall, loops = time.monotonic(), clock.monotonic(), clock.now(), loop.time()

        await asyncio.sleep(86_400)

        assert time.monotonic() - real < 10
        assert clock.now() - wall >= timedelta(days=1)
        assert min(clock.monotonic() - ours, loop.time() - loops) >= 86_400

    run(story())


def test_timers_fire_in_their_order() -> None:
    async def story() -> None:
        fired: list[int] = []

        async with asyncio.TaskGroup() as group:
            for hours in (3, 1, 2):
                group.create_task(_append_after(hours, fired))

        assert fired == [1, 2, 3]

    run(story())


async def _append_after(hours: int, fired: list[int]) -> None:
    await asyncio.sleep(3600 * hours)
    fired.append(hours)


def test_requests_to_a_server_of_the_same_loop_are_not_jumped_over() -> None:
    async def story() -> None:
        app = web.Application()
        app.router.add_get("/", _answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]

        async with ClientSession() as session:
            for _ in range(20):
                async with asyncio.timeout(5), session.get(f"http://{host}:{port}/") as response:
                    assert await response.text() == "here"
                await asyncio.sleep(10)
        await runner.cleanup()

    run(story())


async def _answer(_: web.Request) -> web.Response:
    return web.Response(text="here")


def test_work_in_a_thread_is_waited_for_in_real_time() -> None:
    async def story() -> None:
        async with asyncio.timeout(5):  # which a jump would end
            await asyncio.to_thread(time.sleep, 0.1)

    run(story())


def test_what_a_test_names_as_owed_is_waited_for() -> None:
    async def story() -> None:
        loop, answered = asyncio.get_running_loop(), asyncio.Event()
        owe(lambda: not answered.is_set())
        timer = Timer(0.1, loop.call_soon_threadsafe, [answered.set])
        timer.start()

        async with asyncio.timeout(5):
            await answered.wait()
        timer.join()

    run(story())


@pytest.mark.usefixtures("moved_throttle")
def test_the_throttle_moves_on_too() -> None:
    async def story() -> None:
        throttle = Throttler(rate_limit=1, period=60.0)
        began = clock.monotonic()

        for _ in range(3):
            async with throttle:
                pass
            await asyncio.sleep(61)

        assert clock.monotonic() - began < 200

    run(story())
