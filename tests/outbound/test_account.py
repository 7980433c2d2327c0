"""Requests of one account: their turn, their shape, and what the budget learns from them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from fleetpulse.durations import Rate
from fleetpulse.outbound import Account, Budget, Outbound, Priority, TimedOut, TooLarge, Unreachable

Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


def account(outbound: Outbound, url: str, seen: list[int | str], **more: float) -> Account:
    return Account(
        outbound=outbound,
        budget=Budget(rate=Rate(1000, 1.0)),
        base_url=url,
        observe=lambda code, _: seen.append(code),
        timeout_s=more.get("timeout_s", 5.0),
        max_bytes=int(more.get("max_bytes", 1000)),
    )


async def test_path_and_parameters_arrive_as_they_were_meant(outbound: Outbound, http_server: Http) -> None:
    seen: list[object] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.method, request.path, request.query.getall("tags"), request.query["after"]))
        return web.Response(body=await request.read())

    url = await http_server(answer)

    got = await account(outbound, url + "/base/", []).get(
        "/a%20b", params=(("tags", "a&b"), ("tags", "ü +"), ("after", "e+/=")), body=b"{}"
    )

    assert seen == [("GET", "/base/a b", ["a&b", "ü +"], "e+/=")]
    assert got.body == b"{}"


async def test_every_request_is_observed_by_status_or_word(outbound: Outbound, http_server: Http) -> None:
    over = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/hang":
            await over.wait()
        return web.Response(status=503 if request.path == "/sick" else 200, body=b"0" * 2000 * (request.path == "/big"))

    url = await http_server(answer)
    seen: list[int | str] = []
    mine = account(outbound, url, seen, timeout_s=0.2)
    nowhere = account(outbound, "http://127.0.0.1:1", seen)

    await mine.get("/well")
    await mine.get("/sick")
    with pytest.raises(TooLarge):
        await mine.get("/big")
    with pytest.raises(TimedOut):
        await mine.get("/hang")
    with pytest.raises(Unreachable):
        await nowhere.get("/")
    over.set()

    assert seen == [200, 503, "too_large", "timeout", "unreachable"]


async def test_too_many_requests_slow_the_account_down_and_success_speeds_it_up(
    outbound: Outbound, http_server: Http
) -> None:
    answers = iter([429, 200])

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=next(answers))

    mine = account(outbound, await http_server(answer), [])

    await mine.get("/")
    after_refusal = mine.budget.granted
    await mine.get("/")

    assert after_refusal == pytest.approx(500)
    assert 500 < mine.budget.granted < 1000


@pytest.mark.parametrize(
    ("header", "quiet_s", "paused"),
    [("60", None, True), ("-5", None, False), ("nan", 60.0, True), (None, None, False), (None, 60.0, True)],
)
async def test_a_pause_asked_for_is_kept_and_an_absurd_one_is_the_callers(
    outbound: Outbound, http_server: Http, header: str | None, quiet_s: float | None, *, paused: bool
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=429, headers={} if header is None else {"Retry-After": header})

    mine = account(outbound, await http_server(answer), [])

    got = await mine.get("/", quiet_s=quiet_s)

    assert got.retry_after_s == (60.0 if header == "60" else None)
    assert (mine.budget.granted == 0.0) is paused


async def test_the_form_a_credential_takes_in_its_header_is_redacted_too(outbound: Outbound, http_server: Http) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=request.headers["Authorization"])

    mine = account(outbound, await http_server(answer), [])

    got = await mine.get("/", headers={"Authorization": "Basic YXBpa2V5OmludmVudGVk"})

    assert mine.redact(got.body.decode()) == "Basic ***"


async def test_a_proxys_password_is_redacted(outbound: Outbound) -> None:
    mine = Account(
        outbound=outbound,
        budget=Budget(rate=Rate(1000, 1.0)),
        base_url="http://vendor.invalid",
        observe=lambda *_: None,
        proxy="http://ada:invented@127.0.0.1:1",
    )

    assert mine.redact("ada:invented") == "ada:***"


async def test_a_guest_is_served_behind_whoever_lives_there(outbound: Outbound, http_server: Http) -> None:
    order: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        order.append(request.path)
        return web.Response()

    url, budget = await http_server(answer), Budget(rate=Rate(50, 1.0), in_flight=1)

    def sharing(lowest: Priority) -> Account:
        return Account(outbound=outbound, budget=budget, base_url=url, observe=lambda *_: None, lowest=lowest)

    guest, resident = sharing(Priority.DETAIL), sharing(Priority.STATE)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(guest.get(f"/guest/{number}", priority=Priority.STATE), name=f"guest {number}")
        for number in range(3):
            group.create_task(resident.get(f"/{number}", priority=Priority.INVENTORY), name=f"resident {number}")

    assert order == ["/0", "/1", "/2", "/guest/0", "/guest/1", "/guest/2"]
