"""How late the event loop runs."""

from typing import Final

from fleetpulse import clock
from fleetpulse.metrics.meters import Meters

EVERY_S: Final = 0.5


class LagMeter:
    """Sets a timer again and again, and measures how late it fires: that is how late everything else fires too."""

    def __init__(self, *, meters: Meters, every_s: float = EVERY_S) -> None:
        self._meters = meters
        self._every_s = every_s

    async def run(self) -> None:
        """Measure for ever.

        Cancellation: safe at any time.
        """
        while True:
            due = clock.monotonic() + self._every_s
            await clock.sleep_until(due)
            self._meters.loop_lagged(max(0.0, clock.monotonic() - due))
