"""A day of JFrog Connect's API v1, which takes three calls a minute and bans who asks oftener."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from end_to_end.moved.house import DAY, HOUR, KEY_WATCH, MINUTE, House, baselined, densest, house, until
from fleetpulse import clock
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.service.forecast import forecasts
from fleetpulse.service.settings import Settings
from fleetpulse.simulator import serve
from fleetpulse.simulator.jfrog_connect_v1 import JFrogConnectV1 as Cloud
from fleetpulse.vendors.settings import SourceSettings
from vendors.contract.cases import JFROG_V1, KEY

DEVICES = 2000
CALLS, WINDOW_S = 3, 60.0
CENSUS_CALLS = DEVICES // 50 + 1  # the last one shows that there are no more
CENSUS_AT_BEST_S = CENSUS_CALLS * WINDOW_S / CALLS / 0.9  # the rest of the account's calls may count on a tenth


@pytest.mark.timeout(240)
async def test_a_day_at_three_calls_a_minute_keeps_two_thousand_devices_fresh_and_tells_a_drop_as_promised(
    tmp_path: Path,
) -> None:
    cloud = Cloud(devices=DEVICES, user_token=KEY, now=clock.now, limit_per_s=CALLS / WINDOW_S)
    async with serve(cloud) as url:
        source = JFROG_V1.settings(base_url=url)
        async with house(tmp_path, source, without=[KEY_WATCH]) as home:
            began = clock.monotonic()
            await baselined(home)
            standing = home.watched["edge"].watch.standing
            await until(lambda: "details" in standing.record.baselined_at, within_s=4 * HOUR, every_s=MINUTE)
            dp = cloud.deploy(20, comment="nightly")
            await all_is_well(home, for_s=6 * HOUR)
            cloud.settle(dp, failed=2, output="disk full")
            await all_is_well(home, for_s=6 * HOUR)
            messages = home.messages.received.total
            (dropped,) = cloud.drop(1)
            at = clock.monotonic()
            told_after_s = await until(lambda: home.messages.received.total > messages) - at
            fired = (await home.told())[-1]
            cloud.restore()
            await until(lambda: home.statuses()[DeviceStatus.ONLINE] == DEVICES)
            await all_is_well(home, for_s=DAY - (clock.monotonic() - began))

            assert (cloud.rude, set(cloud.statuses)) == (0, {200})
            times = [seen.at for seen in cloud.requests]
            assert densest(times, WINDOW_S) == CALLS
            lasted_s = clock.monotonic() - began
            assert len(times) == pytest.approx(lasted_s / WINDOW_S * CALLS, rel=0.02)  # and no call is left unused

            census = [seen.at for seen in cloud.requests if seen.path.endswith("/get_devices_state")]
            oldest_s = max(later - earlier for earlier, later in zip(census, census[CENSUS_CALLS:], strict=False))
            assert oldest_s < 1.05 * CENSUS_AT_BEST_S
            assert home.sample(interval("states")) == pytest.approx(CENSUS_AT_BEST_S, rel=0.03)
            assert told_after_s <= 1.03 * promised(source).total_seconds()

            assert await home.happened("fleet.source.degraded") == []
            assert await home.happened("fleet.device") == [
                f"fleet.device.went_offline {dropped}",
                f"fleet.device.came_online {dropped}",
            ]
            deployed = [event.split()[0] for event in await home.happened("fleet.deployment")]
            assert (deployed[0], deployed[-1]) == ("fleet.deployment.started", "fleet.deployment.finished")
            told = await home.told()
            assert fired.startswith("[FIRING 1] FleetDeviceOffline")
            assert told[-1].startswith("[RESOLVED] 1 device back online")
            assert 'failed on 2 of 20 devices: "disk full" (2)' in told[-3]


async def all_is_well(home: House, *, for_s: float) -> None:
    """Look now and then whether the source counts as fresh and each device is shown."""
    due = clock.monotonic() + for_s
    while clock.monotonic() < due:
        await asyncio.sleep(20 * MINUTE)
        shown = home.metrics()
        assert 'fleetpulse_source_stale{source="edge"} 0.0' in shown
        assert shown.count('\nfleet_device_up{source="edge"') == DEVICES


def interval(resource: str) -> str:
    return f'fleetpulse_sweep_interval_seconds{{resource="{resource}",source="edge"}}'


def promised(source: SourceSettings) -> timedelta:
    """How late a drop is told at worst, as `check-config` says beforehand."""
    (forecast,) = forecasts(Settings(sources=(source,)), {"edge": DEVICES}, credentials={"edge": KEY})
    assert forecast.told is not None
    return forecast.told[1]
