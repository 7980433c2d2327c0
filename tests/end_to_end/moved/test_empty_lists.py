"""An hour in which a vendor lists nothing: a filter that failed, a permission that was lost, a bad night."""

import asyncio
from pathlib import Path

import pytest

from end_to_end.moved.house import HOUR, KEY_WATCH, MINUTE, baselined, house, until
from fleetpulse import clock
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.simulator import serve
from vendors.contract.cases import CASES, Case

DEVICES = 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_an_hour_of_empty_lists_loses_nobody_and_is_one_alert(case: Case, tmp_path: Path) -> None:
    cloud = case.cloud(DEVICES, now=clock.now)
    case.stock(cloud)
    main = next(iter(case.settings().resources))
    async with serve(cloud) as url:
        source = case.settings(base_url=url + case.base, forget_after="30m")  # which an empty list must not end
        async with house(tmp_path, source, without=[KEY_WATCH]) as home:
            await baselined(home)
            (gone, *_) = cloud.uuids()
            cloud.remove(gone)
            cloud.drop(1)
            await until(lambda: home.statuses()[DeviceStatus.MISSING] == 1)
            await asyncio.sleep(20 * MINUTE)
            statuses, alerts = home.statuses(), home.alerts()
            happened, told = await home.happened("fleet.device"), await home.told()

            cloud.empty_list()
            await asyncio.sleep(HOUR)
            (said,) = (await home.told())[len(told) :]

            assert home.statuses() == statuses
            assert await home.happened("fleet.device") == happened
            assert await home.happened("fleet.source.degraded") == [f"fleet.source.degraded {main}"]
            assert set(home.alerts()) - set(alerts) == {f"FleetSourceDegraded {main}/doubted firing"}
            assert f"lists 0 of {DEVICES - 1}" in said
            assert home.sample('fleetpulse_source_stale{source="edge"}') == 0.0

            cloud.empty_list(on=False)
            await asyncio.sleep(20 * MINUTE)
            (_, resolved) = (await home.told())[len(told) :]

            assert "again after" in resolved
            assert home.alerts() == alerts
            assert home.watched["edge"].watch.standing.record.troubles == ()
            assert await home.happened("fleet.device") == [*happened, f"fleet.device.forgotten {gone}"]
