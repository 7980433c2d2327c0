"""The side door of a party that runs in another process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.conftest import Yard


async def call(yard: Yard, name: str, /, **arguments: Any) -> tuple[int, Any]:
    async with yard.client.post(f"{yard.url}/_control/{name}", json=arguments) as answer:
        return answer.status, await answer.json()


async def test_a_story_is_told_over_http(yard: Yard) -> None:
    status, answer = await call(yard, "drop", n=2)

    assert status == 200
    assert answer["result"] == yard.account.uuids("offline")


async def test_a_switch_is_turned_over_http(yard: Yard) -> None:
    await call(yard, "switch", devices_envelope="list")

    assert len(await yard.get("/devices")) == 6


async def test_faults_are_registered_over_http_with_their_body_as_text(yard: Yard) -> None:
    await call(yard, "fail_next", n=1, status=418, body='{"tea": 1}')

    assert await yard.ask("/devices") == (418, {"tea": 1})


async def test_odd_values_pass_through(yard: Yard) -> None:
    uuid = yard.account.uuids()[0]

    await call(yard, "set_row", uuid=uuid, device_name="half \ud83d")

    assert (await yard.get("/devices"))["devices"][0]["device_name"] == "half \ud83d"


async def test_state_sums_up_what_happened(yard: Yard) -> None:
    yard.account.drop(1)
    yard.account.deploy(1)
    await yard.get("/devices")

    async with yard.client.get(yard.url + "/_control/state") as answer:
        state = await answer.json()

    assert state == {
        "kind": "jfrog-connect", "requests": 1, "counts": {"GET /api/v2/{project_key}/devices": 1},
        "statuses": {"200": 1}, "faults": 0, "rude": 0, "writes": 0,
        "devices": {"online": 5, "offline": 1}, "deployments": 1, "tunnels": 0,
    }  # fmt: skip


async def test_control_is_neither_counted_nor_faulted_nor_rated(yard: Yard) -> None:
    yard.account.faults.always(status=500)
    yard.account.limit_per_s = 0.01

    statuses = [(await call(yard, "uuids"))[0] for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert yard.account.counts == {}


async def test_only_what_is_on_the_list_can_be_called(yard: Yard) -> None:
    assert [(await call(yard, name))[0] for name in ("routes", "now", "__init__", "nonsense")] == [404] * 4


async def test_wrong_arguments_are_refused_with_the_reason(yard: Yard) -> None:
    unknown = await call(yard, "drop", number=2)
    impossible = await call(yard, "drop", n=7)
    nobody = await call(yard, "rename", uuid="d-0", name="x")

    assert [status for status, _ in (unknown, impossible, nobody)] == [400, 400, 400]
    assert "only 6 devices are online" in impossible[1]["error"]
    assert "no device 'd-0'" in nobody[1]["error"]


async def test_a_body_that_is_no_json_object_is_refused(yard: Yard) -> None:
    statuses = []
    for body in (b"{", b"[]", b"\xff"):
        async with yard.client.post(yard.url + "/_control/drop", data=body) as answer:
            statuses.append(answer.status)

    assert statuses == [400, 400, 400]


async def test_a_vendor_has_no_messages(yard: Yard) -> None:
    async with yard.client.get(yard.url + "/_control/messages") as answer:
        assert answer.status == 404


async def test_the_record_can_be_cleared(yard: Yard) -> None:
    await yard.get("/devices")

    await call(yard, "forget_requests")

    assert not yard.account.requests
    assert not yard.account.counts
