"""What is read of a list without bound, and of a clock that is ahead: to the last one that counts, and no further."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web

from fleetpulse.fleet.deployment import Rollout
from fleetpulse.fleet.device import DeviceStatus, Sighting
from fleetpulse.vendors.hologram.devices import DeviceRow as HologramRow
from fleetpulse.vendors.hologram.devices import sighting
from fleetpulse.vendors.jfrog_connect_v1.updates import rollouts
from fleetpulse.vendors.scalepad.devices import DeviceRow as ScalePadRow
from fleetpulse.vendors.scalepad.devices import Freshness, sightings
from fleetpulse.vendors.wire import Rows
from vendors.contract.cases import SCALEPAD, pages

Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
NOW = datetime(2025, 3, 2, 9, tzinfo=UTC)


# -- Hologram


def sim(**fields: Any) -> Sighting:
    made = sighting(msgspec.convert({"id": 5100232} | fields, HologramRow))
    assert made is not None
    return made


@pytest.mark.parametrize(("listed", "counted"), [(99, 99), (100, 100), (101, 100), (5000, 100)])
def test_a_hundred_links_of_a_device_count(listed: int, counted: int) -> None:
    found = sim(links={"cellular": [{"cur_billing_data_used": 1}] * listed})

    assert found.readings.transferred_bytes == counted


@pytest.mark.parametrize(("listed", "kept"), [(99, 99), (100, 100), (101, 100), (5000, 100)])
def test_a_hundred_tags_of_a_device_are_kept(listed: int, kept: int) -> None:
    found = sim(tags=[{"name": f"t{number:04}"} for number in range(listed)])

    assert found.device.tags == tuple(f"t{number:04}" for number in range(kept))


# -- JFrog Connect, API v1


def told(**row: Any) -> list[Rollout]:
    given: dict[str, Any] = {"updates": None, "updates_v2": None, "apps": None} | row
    return list(rollouts("d-1", **given, redact=str, now=NOW))


def flow(number: int, *apps: object) -> dict[str, object]:
    return {
        "flow_name": f"flow {number}",
        "update_status": "success",
        "deployment_schedule_time": "2025-03-02 08:00:00",
        "deployment_finish_time": "2025-03-02 08:00:09",
        "apps_updated": list(apps),
    }


@pytest.mark.parametrize(("listed", "read"), [(4, 4), (5, 5), (6, 5), (5000, 5)])
def test_five_updates_of_each_kind_are_read(listed: int, read: int) -> None:
    flows = [flow(number) for number in range(listed)]
    numbered = [{"update_id": number, "update_status": "success"} for number in range(listed)]

    assert len(told(updates_v2=flows)) == read
    assert len(told(updates=numbered)) == read
    assert len(told(updates_v2=flows, updates=numbered)) == 2 * read


@pytest.mark.parametrize(("place", "read"), [(98, True), (99, True), (100, False)])
def test_a_hundred_apps_are_read_both_of_a_device_and_of_an_update(place: int, *, read: bool) -> None:
    others = [{"app_name": f"app {number}", "version": "v1"} for number in range(place)]
    reported, installed = {"app_name": "late", "version": "v1"}, {"app_name": "late", "app_new_version": "v2"}

    [of_the_device] = told(updates_v2=[flow(1, installed)], apps=[*others, reported])
    [of_the_update] = told(updates_v2=[flow(1, *others, installed)], apps=[reported])

    contradiction = "late v1 instead of v2" if read else ""
    assert (of_the_device.contradiction, of_the_update.contradiction) == (contradiction, contradiction)


# -- ScalePad


@pytest.mark.parametrize(
    ("ahead", "status"),
    [
        (timedelta(minutes=15) - timedelta(milliseconds=1), DeviceStatus.ONLINE),
        (timedelta(minutes=15), DeviceStatus.ONLINE),
        (timedelta(minutes=15, milliseconds=1), DeviceStatus.UNKNOWN),
    ],
)
async def test_a_heartbeat_from_a_quarter_of_an_hour_ahead_is_one_and_from_later_none(
    ahead: timedelta, status: DeviceStatus
) -> None:
    row = ScalePadRow(id="x", status="active", last_seen_at=(NOW + ahead).isoformat())

    [found] = (await sightings(Rows(items=[row]), fresh=Freshness.at(NOW, offline_after=timedelta(minutes=15)))).items

    assert found.status is status
    assert (found.readings.last_seen_at is None) == (status is DeviceStatus.UNKNOWN)


async def test_forty_pages_of_silent_devices_are_looked_at(http_server: Http, account: Any, redactor: Any) -> None:
    asked = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        silent = {"id": f"x{asked}", "status": "active", "last_seen_at": "2025-03-02T08:00:00.000Z"}
        return web.json_response({"data": [silent], "total_count": 9999, "next_cursor": f"c{asked}"})

    client: Any = SCALEPAD.client(await http_server(answer), account=account, redactor=redactor)

    walked = await pages(client.stalest_devices("devices"))

    assert (len(walked), asked) == (40, 40)
    assert walked[-1].guarded
