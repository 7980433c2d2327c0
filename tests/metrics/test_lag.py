import asyncio
import time

from fleetpulse.metrics.lag import LagMeter
from fleetpulse.metrics.meters import Meters


async def test_a_held_loop_is_measured() -> None:
    meters = Meters(version="1.2.3")
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(LagMeter(meters=meters, every_s=0.01).run(), name="lag meter")
        await asyncio.sleep(0)
        time.sleep(0.06)  # noqa: ASYNC251 - holding the loop is the point
        await asyncio.sleep(0.01)
        running.cancel()

    text = meters.text().decode()
    assert 'fleetpulse_event_loop_lag_seconds_bucket{le="0.025"} 0.0' in text
    assert "fleetpulse_event_loop_lag_seconds_count 0.0" not in text
