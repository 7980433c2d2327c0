"""What is asked on demand: whose key it is, one device, and who has an open session."""

from typing import Any

import pytest
from aiohttp import web

from fleetpulse import simulator
from fleetpulse.fleet.device import DeviceStatus, SimState
from fleetpulse.vendors.contract import AnswerInvalid, CredentialsRejected, RateLimited, ResourceUnavailable
from vendors.hologram.walks import Build, Http, devices, saying


@pytest.fixture
def cloud() -> simulator.Hologram:
    return simulator.Hologram(devices=3)


# -- the key


async def test_the_check_tells_whose_key_it_is_and_costs_one_request(cloud: simulator.Hologram, build: Build) -> None:
    told = await build().check()

    assert told == "the key of Ada Yard"
    assert cloud.counts == {"GET /api/1/users/me": 1}


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ({"first": "Ada", "last": None}, "the key of Ada"),
        ({"first": "", "email": "ada@example.com"}, "the key of ada@example.com"),
        ({"id": 501}, "the key of 501"),
        ({"first": "demo-key"}, "the key of ***"),
        ({"first": []}, ""),
        ({}, ""),
    ],
)
async def test_whose_key_it_is_is_told_as_far_as_it_is_known(
    http_server: Http, client: Build, user: dict[str, Any], told: str
) -> None:
    vendor = client(await http_server(saying({"success": True, "data": user})))

    assert await vendor.check() == told


@pytest.mark.parametrize("data", [None, [], 7, "Ada"])
async def test_a_check_without_a_user_is_an_invalid_answer(http_server: Http, client: Build, data: object) -> None:
    vendor = client(await http_server(saying({"success": True, "data": data})))

    with pytest.raises(AnswerInvalid, match="an envelope without a user"):
        await vendor.check()


@pytest.mark.parametrize("status", [200, 401, 403])
async def test_a_check_with_a_refused_key_says_so(cloud: simulator.Hologram, build: Build, status: int) -> None:
    cloud.revoke(status)

    with pytest.raises(CredentialsRejected):
        await build().check()


# -- one device


async def test_a_device_alone_is_the_device_of_the_list(cloud: simulator.Hologram, build: Build) -> None:
    [page] = await devices(build())

    alone = [await build().device(uuid) for uuid in cloud.uuids()]

    assert alone == page.items
    assert cloud.counts["GET /api/1/devices/opensessions"] == 0


async def test_a_device_in_a_list_of_one_is_that_device(http_server: Http, client: Build) -> None:
    vendor = client(await http_server(saying({"success": True, "data": [{"id": "7", "lastsession": None}]})))

    assert (await vendor.device("7")).device.id == "7"


@pytest.mark.parametrize("online", [True, False])
async def test_a_device_without_a_session_is_looked_up_among_the_open_ones(
    cloud: simulator.Hologram, build: Build, *, online: bool
) -> None:
    uuid = cloud.add_device(status="online" if online else "offline", sim="PAUSED-SYS")
    cloud.switch(sessions="left_out", ids="str")

    found = await build(org_id=9001).device(uuid)

    assert found.status is (DeviceStatus.ONLINE if online else DeviceStatus.OFFLINE)
    assert found.device.sim is SimState.PAUSED_BY_SYSTEM
    assert cloud.requests[-1].path == "/api/1/devices/opensessions"
    assert cloud.requests[-1].parameters == {"orgid": ["9001"]}


async def test_an_unclear_session_is_looked_up_too(cloud: simulator.Hologram, build: Build) -> None:
    uuid = cloud.add_device(status="online", lastsession={"active": "perhaps"})

    assert (await build().device(uuid)).status is DeviceStatus.ONLINE


async def test_a_key_that_may_not_see_open_sessions_leaves_the_status_unknown(
    cloud: simulator.Hologram, build: Build
) -> None:
    cloud.switch(sessions="left_out", no_open_sessions=True)
    uuid = cloud.add_device(status="online")

    assert (await build().device(uuid)).status is DeviceStatus.UNKNOWN


async def test_another_failure_of_the_open_sessions_is_told(cloud: simulator.Hologram, build: Build) -> None:
    cloud.switch(sessions="left_out")
    cloud.faults.fail_next(status=429, path="opensessions")

    with pytest.raises(RateLimited, match="open sessions: limits the rate"):
        await build().device(cloud.uuids()[0])


@pytest.mark.parametrize(("data", "online"), [([], False), ({}, False), ({"deviceids": {"0": 7}}, True)])
async def test_open_sessions_may_come_as_an_object_or_be_empty(
    http_server: Http, client: Build, data: object, *, online: bool
) -> None:
    status = await looked_up(http_server, client, data)

    assert status is (DeviceStatus.ONLINE if online else DeviceStatus.OFFLINE)


@pytest.mark.parametrize("data", [None, 7, [7], {"ids": [7]}, {"deviceids": "7"}, {"deviceids": None}])
async def test_what_is_no_list_of_open_sessions_takes_nobody_offline(
    http_server: Http, client: Build, data: object
) -> None:
    with pytest.raises(AnswerInvalid, match="an envelope without open sessions"):
        await looked_up(http_server, client, data)


@pytest.mark.parametrize("device", ["5199999", "", "names", "../devices", "7/../7", "7?x=1", "\u0663", "d-0a1b-2c3d"])
async def test_there_is_no_such_device(cloud: simulator.Hologram, build: Build, device: str) -> None:
    with pytest.raises(ResourceUnavailable):
        await build().device(device)

    assert set(cloud.counts) <= {"GET /api/1/devices/{device}"}


@pytest.mark.parametrize("data", [None, [], {}])
async def test_an_empty_answer_is_no_such_device(http_server: Http, client: Build, data: object) -> None:
    with pytest.raises(ResourceUnavailable, match="device 7: there is no such device"):
        await client(await http_server(saying({"success": True, "data": data}))).device("7")


@pytest.mark.parametrize("data", ["pump-4", 7, [{"id": 7}, {"id": 8}], {"id": 8}, {"name": "pump-4"}, [None]])
async def test_another_device_is_an_invalid_answer(http_server: Http, client: Build, data: object) -> None:
    with pytest.raises(AnswerInvalid, match="an envelope without that device"):
        await client(await http_server(saying({"success": True, "data": data}))).device("7")


async def looked_up(http_server: Http, client: Build, sessions: object) -> DeviceStatus:
    """The status of device 7, whose own row tells no session, where the list of open ones is this."""

    async def answer(request: web.Request) -> web.Response:
        data = sessions if request.path.endswith("opensessions") else {"id": 7}
        return web.json_response({"success": True, "data": data})

    return (await client(await http_server(answer)).device("7")).status
