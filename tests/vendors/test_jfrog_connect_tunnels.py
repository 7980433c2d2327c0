"""JFrog Connect's port tunnels."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from fleetpulse import simulator
from fleetpulse.fleet.tunnel import Tunnel, TunnelStatus
from fleetpulse.vendors.contract import AnswerInvalid, ResourceUnavailable
from fleetpulse.vendors.jfrog_connect.tunnels import TunnelRow, tunnels
from fleetpulse.vendors.wire import Rows
from vendors import jfrog_cloud
from vendors.jfrog_cloud import Build, listed

cloud, build = jfrog_cloud.cloud, jfrog_cloud.build

CLOSED = {
    "created_time": "Mon, 16 Dec 2024 10:17:37 GMT",
    "device_id": "d-c8b9-02aa",
    "finish_time": "Mon, 16 Dec 2024 10:17:59 GMT",
    "port_tunnel_id": "015900c8-3dae-43bd-8133-cb828470b73e",
    "remote_server_address": "d-c8b9-02aa-agwb8q9wfem.forwarding.example.net",
    "remote_server_port": 52466,
    "status": "closed",
    "user_source_ip": "192.0.2.185",
}


def answer(cloud: simulator.JFrogConnect, value: object) -> None:
    cloud.faults.always(status=200, body=msgspec.json.encode(value), path="/port_tunnel")


async def test_the_documented_tunnel_arrives_in_our_words(cloud: simulator.JFrogConnect, build: Build) -> None:
    answer(cloud, [CLOSED])

    [page] = await listed(build().tunnels("tunnels"))

    assert page.items == [
        Tunnel(
            id="015900c8-3dae-43bd-8133-cb828470b73e",
            device="d-c8b9-02aa",
            status=TunnelStatus.CLOSED,
            created_at=datetime(2024, 12, 16, 10, 17, 37, tzinfo=UTC),
            finished_at=datetime(2024, 12, 16, 10, 17, 59, tzinfo=UTC),
        )
    ]
    assert (page.resume, page.guarded, page.unknown_word) == (None, "", "")


async def test_every_tunnel_is_listed_with_the_id_of_its_device(cloud: simulator.JFrogConnect, build: Build) -> None:
    made = {cloud.open_tunnel(uuid): uuid for uuid in cloud.uuids()[:3]}

    [page] = await listed(build().tunnels("tunnels"))

    assert {tunnel.id: tunnel.device for tunnel in page.items} == made
    assert cloud.requests[-1].query == ""


async def test_a_project_without_tunnels_has_an_empty_page(build: Build) -> None:
    [page] = await listed(build().tunnels("tunnels"))

    assert page.items == []


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Pending", TunnelStatus.PENDING),
        ("Opened", TunnelStatus.OPEN),
        ("open", TunnelStatus.OPEN),
        ("Closed", TunnelStatus.CLOSED),
        ("closed", TunnelStatus.CLOSED),
        ("finished", TunnelStatus.CLOSED),
        ("Terminated", TunnelStatus.TERMINATED),
        ("terminated ", TunnelStatus.TERMINATED),
    ],
)
async def test_terminated_is_not_closed_and_every_documented_word_is_known(
    cloud: simulator.JFrogConnect, build: Build, word: str, status: TunnelStatus
) -> None:
    cloud.open_tunnel(cloud.uuids()[0], status=word)

    [page] = await listed(build().tunnels("tunnels"))

    assert [tunnel.status for tunnel in page.items] == [status]
    assert page.unknown_word == ""


@pytest.mark.parametrize(("word", "shown"), [("draining", "draining"), (None, "(none)"), ([], "(none)"), (7, "7")])
@pytest.mark.parametrize("ended", [True, False])
async def test_a_tunnel_of_an_unknown_word_is_open_until_an_end_is_told(
    cloud: simulator.JFrogConnect, build: Build, *, word: Any, shown: str, ended: bool
) -> None:
    answer(cloud, [CLOSED | {"status": word} | ({} if ended else {"finish_time": None})])

    [page] = await listed(build().tunnels("tunnels"))

    assert page.items[0].status is (TunnelStatus.CLOSED if ended else TunnelStatus.OPEN)
    assert page.unknown_word == shown


@pytest.mark.parametrize("unset", ["null", "empty", "absent"])
async def test_an_open_tunnel_has_no_end_however_that_is_spelled(
    cloud: simulator.JFrogConnect, build: Build, unset: str
) -> None:
    cloud.switch(tunnel_finish=unset)
    cloud.open_tunnel(cloud.uuids()[0])

    [page] = await listed(build().tunnels("tunnels"))

    assert page.items[0].finished_at is None
    assert page.items[0].created_at is not None


@pytest.mark.parametrize("key", ["port_tunnels", "data", "items"])
async def test_the_list_is_understood_in_an_envelope_too(cloud: simulator.JFrogConnect, build: Build, key: str) -> None:
    answer(cloud, {key: [CLOSED]})

    [page] = await listed(build().tunnels("tunnels"))

    assert len(page.items) == 1


async def test_odd_rows_cost_no_other_row(cloud: simulator.JFrogConnect, build: Build) -> None:
    answer(cloud, [{"status": "opened"}, None, 7, CLOSED | {"device_id": ["x"], "created_time": {}}])

    [page] = await listed(build().tunnels("tunnels"))

    assert [(tunnel.device, tunnel.created_at) for tunnel in page.items] == [("", None)]
    assert page.odd == 3
    assert page.oddity


async def test_rows_of_which_none_can_be_read_are_no_page() -> None:
    with pytest.raises(AnswerInvalid, match="none of 1 rows can be read; row 0: no port_tunnel_id"):
        await tunnels(Rows(items=[TunnelRow(status="opened")]))


async def test_a_device_id_without_its_prefix_is_the_same_device(cloud: simulator.JFrogConnect, build: Build) -> None:
    answer(cloud, [CLOSED | {"device_id": "c8b9-02aa"}])

    [page] = await listed(build().tunnels("tunnels"))

    assert page.items[0].device == "d-c8b9-02aa"


async def test_one_tunnel_tells_how_it_ended(cloud: simulator.JFrogConnect, build: Build) -> None:
    tunnel = cloud.open_tunnel(cloud.uuids()[0])
    cloud.close_tunnel(tunnel, "terminated")

    found = await build().tunnel(tunnel)

    assert (found.id, found.status) == (tunnel, TunnelStatus.TERMINATED)
    assert found.finished_at is not None


async def test_a_tunnel_that_is_gone_is_unavailable(cloud: simulator.JFrogConnect, build: Build) -> None:
    tunnel = cloud.open_tunnel(cloud.uuids()[0])
    cloud.forget_tunnel(tunnel)

    with pytest.raises(ResourceUnavailable, match="There is no such port tunnel"):
        await build().tunnel(tunnel)


async def test_an_answer_about_another_tunnel_is_invalid(cloud: simulator.JFrogConnect, build: Build) -> None:
    answer(cloud, CLOSED)

    with pytest.raises(AnswerInvalid, match="about another one"):
        await build().tunnel("7d7a7462-cc5b-4f9a-b678-d3288475de02")


async def test_a_token_may_lack_the_right_to_tunnels_alone(cloud: simulator.JFrogConnect, build: Build) -> None:
    cloud.faults.always(status=403, path="/port_tunnel")

    with pytest.raises(ResourceUnavailable):
        await listed(build().tunnels("tunnels"))
