"""The story: what happens to the simulated fleets, one scene after the other, for ever."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from fleetpulse.simulator import Hologram, JFrogConnect

Narrate = Callable[[str], None]

_FIRST_LOOK_S = 4.0  # what happens before fleetpulse has looked once is history to it, and no news
_SCENE_S = 12.0  # a pause in which sweep, `for` and group_wait pass and the reader reads


class Story:
    """Makes things happen at the vendors and says so; what fleetpulse notices of it is its own affair."""

    def __init__(self, *, jfrog: JFrogConnect, hologram: Hologram, narrate: Narrate) -> None:
        self._jfrog = jfrog
        self._hologram = hologram
        self._narrate = narrate

    async def run(self) -> None:
        """Play the scenes in turn until cancelled."""
        await asyncio.sleep(_FIRST_LOOK_S)
        while True:
            async with aclosing(self._scenes()) as scenes:
                async for pause_s in scenes:
                    await asyncio.sleep(pause_s)

    async def _scenes(self) -> AsyncGenerator[float, None]:
        down = self._jfrog.uuids(status="online", group="Lyon")[:3]
        self._jfrog.set_status(down, "offline")
        self._narrate("Three devices in Lyon lose their uplink")
        yield _SCENE_S * 1.5

        self._jfrog.set_status(down, "online")
        self._narrate("The uplink in Lyon is back")
        yield _SCENE_S

        online = self._jfrog.uuids(status="online")[:20]
        deployment = self._jfrog.deploy(online, comment="sensor firmware 4.2", flow="nightly")
        self._narrate(f"Somebody deploys to {len(online)} devices")
        yield 4.0

        self._jfrog.settle(deployment, failed=3)
        self._narrate("The deployment ends; on three devices it has failed")
        yield 35.0

        job = self._hologram.start_job(action="pause", devices=120)
        self._narrate("A bulk job pauses 120 SIMs")
        yield 6.0

        self._hologram.fail_job(job)
        self._narrate("The bulk job fails")
        yield _SCENE_S

        self._jfrog.faults.always(status=503, body=b"upstream connect error")
        self._narrate("JFrog Connect has a bad spell: 503 to everything; no device may change for that")
        yield _SCENE_S * 2

        self._jfrog.faults.clear()
        self._narrate("JFrog Connect answers again")
        yield _SCENE_S * 1.5
