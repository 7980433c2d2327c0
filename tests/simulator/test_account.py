"""Who is let in to the JFrog Connect look-alike, how fast, and what it never does."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

from fleetpulse.simulator import JFrogConnect

if TYPE_CHECKING:
    from simulator.conftest import Yard

PATHS = [
    "/devices", "/devices/d-1", "/deployments", "/deployments/dp-1", "/deployments/dp-1/devices",
    "/deployments/dp-1/devices/d-1", "/port_tunnel", "/port_tunnel/1", "/update-flows", "/update-flows/1",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_every_endpoint_wants_the_token(yard: Yard, path: str) -> None:
    status, body = await yard.ask(path, token="wrong")

    assert (status, list(body)) == (401, ["message"])


async def test_another_project_is_not_found(yard: Yard) -> None:
    headers = {"Authorization": "Bearer demo-token"}
    async with yard.client.get(yard.url + "/api/v2/other/devices", headers=headers) as answer:
        assert answer.status == 404


async def test_a_revoked_token_is_refused_until_another_is_set(yard: Yard) -> None:
    yard.account.revoke()
    revoked, _ = await yard.ask("/devices")
    yard.account.set_token("new")
    old, _ = await yard.ask("/devices")
    new, _ = await yard.ask("/devices", token="new")

    assert (revoked, old, new) == (401, 401, 200)


async def test_a_refusal_may_be_a_403(yard: Yard) -> None:
    yard.account.revoke(status=403)

    assert (await yard.ask("/devices"))[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_writes_are_refused_and_recorded(yard: Yard, method: str) -> None:
    before = yard.account.uuids()

    async with yard.client.request(method, yard.url + "/api/v2/yard/devices/d-1", data=b"{}") as answer:
        status = answer.status

    assert status == 405
    assert [(write.method, write.path, write.body) for write in yard.account.writes] == [
        (method, "/api/v2/yard/devices/d-1", b"{}"),
    ]
    assert yard.account.uuids() == before


async def test_requests_are_recorded_and_counted_by_route(yard: Yard) -> None:
    await yard.ask("/devices", "tags=a&tags=b")
    await yard.ask("/devices/d-1")
    await yard.ask("/nowhere")

    assert yard.account.counts == {
        "GET /api/v2/{project_key}/devices": 1,
        "GET /api/v2/{project_key}/devices/{device}": 1,
        "GET /{path}": 1,
    }
    assert [(seen.path, seen.status) for seen in yard.account.requests] == [
        ("/api/v2/yard/devices", 200), ("/api/v2/yard/devices/d-1", 404), ("/api/v2/yard/nowhere", 404),
    ]  # fmt: skip
    assert yard.account.requests[0].parameters == {"tags": ["a", "b"]}
    assert yard.account.requests[0].at <= yard.account.requests[1].at


async def test_what_comes_too_fast_is_refused_and_counted(yard: Yard) -> None:
    yard.account.limit_per_s = 3

    statuses = [(await yard.ask("/devices"))[0] for _ in range(5)]

    assert statuses == [200, 200, 200, 429, 429]
    assert yard.account.rude == 2


async def test_a_rate_below_one_a_second_means_one_for_each_period(yard: Yard) -> None:
    yard.account.limit_per_s = 0.05

    statuses = [(await yard.ask("/devices"))[0] for _ in range(2)]

    assert statuses == [200, 429]


async def retry_after(yard: Yard) -> str | None:
    yard.account.limit_per_s = 0.05
    await yard.ask("/devices")
    async with yard.client.get(yard.url + "/api/v2/yard/devices") as answer:
        assert answer.status == 429
        return answer.headers.get("Retry-After")


async def test_retry_after_comes_in_seconds(yard: Yard) -> None:
    assert await retry_after(yard) in {"19", "18"}


async def test_retry_after_comes_as_a_date(yard: Yard) -> None:
    yard.account.switch(retry_after="http-date")

    value = await retry_after(yard)

    assert value is not None
    assert 0 < (parsedate_to_datetime(value) - yard.account.now()).total_seconds() < 21


@pytest.mark.parametrize(("form", "value"), [("absent", None), ("absurd", "315360000"), ("soon", "soon")])
async def test_retry_after_may_be_of_no_use(yard: Yard, form: str, value: str | None) -> None:
    yard.account.switch(retry_after=form)

    assert await retry_after(yard) == value


def test_an_unknown_switch_is_refused() -> None:
    with pytest.raises(LookupError, match="no switch 'enveloppe'"):
        JFrogConnect(enveloppe="list")


def test_a_value_that_a_switch_does_not_take_is_refused_and_no_switch_turns() -> None:
    account = JFrogConnect()

    with pytest.raises(ValueError, match="total_mode takes one of 'all', 'page', 'absent'"):
        account.switch(map_prefix=True, total_mode="some")

    assert account.map_prefix is False
