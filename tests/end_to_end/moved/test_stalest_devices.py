"""ScalePad with a large fleet: between whole walks, the few silent devices are found in a few requests."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from end_to_end.moved.house import KEY_WATCH, MINUTE, House, baselined, house, until
from fleetpulse import clock
from fleetpulse.alerting.condition import ConditionKind
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.simulator import serve
from fleetpulse.simulator.scalepad import ScalePad as Cloud
from vendors.contract.cases import KEY, SCALEPAD

DEVICES, SILENT = 100_000, 300
PAGES = DEVICES // 500
WHOLE_S = 10 * MINUTE


async def test_the_silent_of_a_large_fleet_are_found_in_three_requests_and_a_whole_walk_alone_brings_them_back(
    tmp_path: Path,
) -> None:
    cloud = Cloud(devices=DEVICES, token=KEY, now=clock.now)
    async with serve(cloud) as url:
        source = SCALEPAD.settings(base_url=url + SCALEPAD.base)
        async with house(tmp_path, source, without=[KEY_WATCH]) as home:
            await baselined(home)
            whole_at = clock.monotonic()
            dropped = cloud.drop(SILENT)
            cloud.forget_requests()

            await until(lambda: looks(home) == 1.0, within_s=2 * MINUTE)
            asked = len(census(cloud))

            assert 1 <= asked <= 3
            assert sorted(await home.happened("fleet.device")) == sorted(
                f"fleet.device.went_offline {device}" for device in dropped
            )
            assert home.statuses() == {DeviceStatus.ONLINE: DEVICES - SILENT, DeviceStatus.OFFLINE: SILENT}
            assert silent(home) == sorted(dropped)

            back = cloud.restore(10)
            await asyncio.sleep(3 * MINUTE)

            assert looks(home) == 4.0
            assert len(census(cloud)) <= 4 * 3
            assert home.statuses()[DeviceStatus.OFFLINE] == SILENT

            await asyncio.sleep(whole_at + WHOLE_S + MINUTE - clock.monotonic())

            assert len(census(cloud)) >= PAGES
            assert (await home.happened("fleet.device"))[SILENT:] == [
                f"fleet.device.came_online {device}" for device in back
            ]
            assert silent(home) == sorted(set(dropped) - set(back))
            assert await home.happened("fleet.source.degraded") == []


def census(cloud: Cloud) -> Sequence[str]:
    """The requests that read the list of devices."""
    return [seen.query for seen in cloud.requests if seen.path.endswith("/devices")]


def looks(home: House) -> float | None:
    """How many looks at the stalest devices ended well."""
    return home.sample('fleetpulse_sweeps_total{outcome="stalest",resource="devices",source="edge"}')


def silent(home: House) -> list[str]:
    """The devices that will be told of once they were silent for long enough."""
    keys = [key for key, _ in home.alerting.ledger.conditions.items()]
    return sorted(key.subject for key in keys if key.kind is ConditionKind.DEVICE_OFFLINE)
