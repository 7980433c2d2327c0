"""Each fault, as a client meets it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import aiohttp
import pytest

from fleetpulse.simulator import JFrogConnect, serve

if TYPE_CHECKING:
    from simulator.conftest import Yard

SOON = aiohttp.ClientTimeout(total=0.2)


async def status_of(yard: Yard, path: str = "/devices") -> int:
    headers = {"Authorization": "Bearer demo-token"}
    async with yard.client.get(yard.url + "/api/v2/yard" + path, headers=headers) as answer:
        await answer.read()
        return answer.status


async def test_it_fails_as_often_as_told_with_status_body_and_headers(yard: Yard) -> None:
    yard.account.faults.fail_next(1, status=503, body=b'{"busy": true}', headers={"Retry-After": "7"})

    async with yard.client.get(yard.url + "/api/v2/yard/devices") as answer:
        got = (answer.status, await answer.json(), answer.headers["Retry-After"])

    assert got == (503, {"busy": True}, "7")
    assert await status_of(yard) == 200


async def test_faults_play_in_order_of_registration(yard: Yard) -> None:
    yard.account.faults.fail_next(2, status=500)
    yard.account.faults.fail_next(1, status=502)

    assert [await status_of(yard) for _ in range(4)] == [500, 500, 502, 200]


async def test_a_fault_waits_for_its_path(yard: Yard) -> None:
    yard.account.faults.fail_next(status=500, path="/deployments")

    assert await status_of(yard, "/devices") == 200
    assert await status_of(yard, "/deployments") == 500


async def test_always_lasts_until_cleared(yard: Yard) -> None:
    yard.account.faults.always(status=404, body="gone")
    during = [await status_of(yard) for _ in range(3)]
    yard.account.faults.clear()

    assert during == [404, 404, 404]
    assert await status_of(yard) == 200


async def test_a_hanging_request_gets_no_answer(yard: Yard) -> None:
    yard.account.faults.hang_next()

    with pytest.raises(TimeoutError):
        await yard.client.get(yard.url + "/api/v2/yard/devices", timeout=SOON)

    assert [seen.status for seen in yard.account.requests] == [0]


async def test_a_hang_may_end_with_a_broken_connection(yard: Yard) -> None:
    yard.account.faults.hang_next(2, seconds=0.01)  # twice, for aiohttp asks again by itself when a GET breaks

    with pytest.raises(aiohttp.ClientConnectionError):
        await yard.client.get(yard.url + "/api/v2/yard/devices")


async def test_a_stalled_answer_stops_halfway(yard: Yard) -> None:
    yard.account.faults.stall_next()
    headers = {"Authorization": "Bearer demo-token"}
    got = b""

    async with yard.client.get(yard.url + "/api/v2/yard/devices", headers=headers) as answer:
        length = answer.content_length or 0
        while len(got) < length // 2:
            got += await answer.content.readany()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answer.content.readany(), 0.1)
        answer.close()

    assert len(got) == length // 2 > 0


async def test_a_reset_breaks_the_connection(yard: Yard) -> None:
    host, port = yard.url.removeprefix("http://").split(":")
    yard.account.faults.reset_next()
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /api/v2/yard/devices HTTP/1.1\r\nHost: yard\r\n\r\n")

    with pytest.raises(ConnectionResetError):
        await reader.read()

    writer.close()
    assert await status_of(yard) == 200


async def test_a_truncated_answer_is_half_of_the_json_with_the_right_length(yard: Yard) -> None:
    whole = json.dumps(await yard.get("/port_tunnel"))
    yard.account.faults.truncate_next()

    headers = {"Authorization": "Bearer demo-token"}
    async with yard.client.get(yard.url + "/api/v2/yard/port_tunnel", headers=headers) as answer:
        body = await answer.read()

    assert (answer.status, len(body), answer.content_length) == (200, len(whole) // 2, len(whole) // 2)


async def test_a_garbled_answer_is_a_page_of_html_with_status_200(yard: Yard) -> None:
    yard.account.faults.garble_next()

    async with yard.client.get(yard.url + "/api/v2/yard/devices") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert (await answer.text()).startswith("<html>")


async def test_slow_delays_each_answer(yard: Yard) -> None:
    yard.account.faults.slow(5)

    with pytest.raises(TimeoutError):
        await yard.client.get(yard.url + "/api/v2/yard/devices", timeout=SOON)

    yard.account.faults.slow(0)
    assert await status_of(yard) == 200


async def test_faulted_requests_are_counted_like_others(yard: Yard) -> None:
    yard.account.faults.fail_next(status=500)

    await status_of(yard)

    assert yard.account.counts["GET /api/v2/{project_key}/devices"] == 1
    assert yard.account.statuses == {500: 1}


async def test_it_stops_at_once_while_clients_hang(client: aiohttp.ClientSession) -> None:
    account = JFrogConnect(devices=5)
    account.faults.hang_next(3)
    account.faults.stall_next(3)
    headers = {"Authorization": "Bearer demo-token"}

    async def ask(url: str) -> bytes:
        async with client.get(url + "/api/v2/yard/devices", headers=headers) as answer:
            return await answer.read()

    async with serve(account) as url:
        asked = [asyncio.ensure_future(ask(url)) for _ in range(6)]
        await account.arrived(6)
        stopped_at = time.monotonic()
    took_s = time.monotonic() - stopped_at

    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert took_s < 0.2
    assert all(isinstance(outcome, aiohttp.ClientError) for outcome in outcomes)


async def test_a_party_can_be_served_again_on_the_same_port(client: aiohttp.ClientSession) -> None:
    account = JFrogConnect(devices=1)
    async with serve(account) as first:
        port = int(first.rsplit(":", 1)[1])
    async with serve(account, port=port) as second, client.get(second + "/_control/state") as answer:
        assert answer.status == 200

    assert first == second
