"""A device that its owner deleted at the vendor goes missing, is told once, and is forgotten with all its traces."""

import asyncio
from pathlib import Path

import pytest

from end_to_end.moved.house import DAY, HOUR, KEY_WATCH, STALENESS, House, baselined, house, until
from fleetpulse import clock
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.simulator import serve
from vendors.contract.cases import CASES, Case

DEVICES = 12
EVERY = "6h"  # so that weeks are few requests
EVERY_S = 6 * HOUR
MISSING, OFFLINE = DeviceStatus.MISSING, DeviceStatus.OFFLINE


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_device_removed_for_good_is_missing_after_two_walks_told_once_and_forgotten_after_a_week(
    case: Case, tmp_path: Path
) -> None:
    cloud = case.cloud(DEVICES, now=clock.now)
    cloud.restore()
    resources = list(case.settings().resources)
    async with serve(cloud) as url:
        source = case.settings(base_url=url + case.base, interval=EVERY, sweep=dict.fromkeys(resources[1:], EVERY))
        async with house(tmp_path, source, without=[KEY_WATCH, STALENESS]) as home:
            await baselined(home)
            (lost,) = cloud.drop(1)
            await until(lambda: fires(home, lost), within_s=15 * DAY, every_s=HOUR)
            await asyncio.sleep(HOUR)
            offline = home.statuses()[OFFLINE]
            fired = (await home.told())[-1]

            cloud.remove(lost)
            await asyncio.sleep(EVERY_S)
            after_one_walk = dict(home.statuses())
            await asyncio.sleep(EVERY_S)
            missing_at = clock.monotonic()
            told = await home.told()

            assert "[FIRING 1]" in fired
            assert (after_one_walk.get(OFFLINE), after_one_walk.get(MISSING)) == (offline, None)
            assert (home.statuses()[OFFLINE], home.statuses()[MISSING]) == (offline - 1, 1)
            assert told[-1].startswith("[RESOLVED]")
            assert "went missing" in told[-1]
            assert [alert for alert in home.alerts() if lost in alert] == []
            assert "fleet_device_info" in families(home, lost)
            assert "fleet_device_up" not in families(home, lost)

            await until(lambda: not home.statuses()[MISSING], within_s=8 * DAY, every_s=HOUR)

            assert 7 * DAY - HOUR <= clock.monotonic() - missing_at <= 7 * DAY + EVERY_S + HOUR
            assert [event for event in await home.happened("fleet.device") if event.endswith(lost)] == [
                f"fleet.device.went_offline {lost}",
                f"fleet.device.went_missing {lost}",
                f"fleet.device.forgotten {lost}",
            ]
            assert await home.told() == told
            assert families(home, lost) == set()
            remembered = await home.remembered()
            assert (len(remembered), remembered.device(lost)) == (DEVICES - 1, None)


def fires(home: House, device: str) -> bool:
    """Whether an alert about the device fires."""
    return any(f" {device} firing" in alert for alert in home.alerts())


def families(home: House, device: str) -> set[str]:
    """The metric families that show the device."""
    return {line.split("{")[0] for line in home.metrics().splitlines() if f'"{device}"' in line}
