"""The story: what happens to the simulated fleets, one scene after the other, for ever."""

import asyncio
from collections.abc import Callable
from typing import Final

from fleetpulse.service.demo.fleets import Fleets
from fleetpulse.service.demo.scenes import SCENES, Beat

Narrate = Callable[[Beat], None]

_FIRST_LOOK_S: Final = 9.0  # what happens before fleetpulse has looked once is history to it, and no news


async def tell(fleets: Fleets, *, narrate: Narrate) -> None:
    """Make things happen at the vendors and say so, until cancelled; what is noticed of it is the service's affair."""
    await asyncio.sleep(_FIRST_LOOK_S)
    while True:
        for scene in SCENES.values():
            for beat in scene(fleets):
                narrate(beat)
                await asyncio.sleep(beat.pause_s)
