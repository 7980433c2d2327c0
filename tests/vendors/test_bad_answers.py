"""Every bad answer ends in the closed set of errors, at every endpoint that is walked, and leaks nothing."""

import asyncio
import gzip
import json
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetpulse.outbound import Account
from fleetpulse.secrets import Secret
from fleetpulse.vendors.contract import (
    AnswerInvalid,
    CredentialsRejected,
    RateLimited,
    ResourceUnavailable,
    SourceError,
    SourceUnreachable,
    Vendor,
)
from fleetpulse.vendors.hologram import Hologram, HologramSettings
from fleetpulse.vendors.jfrog_connect import JFrogConnect, JFrogConnectSettings

Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
Accounts = Callable[[str], Account]
Secrets = Callable[[str], Secret]
KEY = "invented-s3cr3t"


def vendors(url: str, account: Accounts, secret: Secrets) -> tuple[Vendor, Vendor]:
    jfrog = JFrogConnectSettings.model_validate({"name": "a", "project_key": "yard", "token": KEY, "base_url": url})
    hologram = HologramSettings.model_validate({"name": "b", "api_key": KEY, "base_url": url})
    return (
        JFrogConnect(jfrog, account=account(url), secret=secret(KEY)),
        Hologram(hologram, account=account(url), secret=secret(KEY)),
    )


async def devices(url: str, account: Accounts, secret: Secrets) -> None:
    _ = [page async for page in vendors(url, account, secret)[0].devices("devices")]


async def deployments(url: str, account: Accounts, secret: Secrets) -> None:
    _ = [page async for page in vendors(url, account, secret)[0].deployments("deployments")]


async def deployment_devices(url: str, account: Accounts, secret: Secrets) -> None:
    _ = [page async for page in vendors(url, account, secret)[0].deployment_devices("dp-1")]


async def failed_steps(url: str, account: Accounts, secret: Secrets) -> None:
    await vendors(url, account, secret)[0].failed_steps("dp-1", "d-1")


async def jobs(url: str, account: Accounts, secret: Secrets) -> None:
    _ = [page async for page in vendors(url, account, secret)[1].jobs("jobs")]


WALKS = [devices, deployments, deployment_devices, failed_steps, jobs]
Walk = Callable[[str, Accounts, Secrets], Awaitable[None]]


def saying(
    status: int = 200, body: bytes = b"", **headers: str
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(
            status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    return answer


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (saying(401), CredentialsRejected),
        (saying(401, b"<html><title>Sign in</title>"), CredentialsRejected),
        (saying(404), ResourceUnavailable),
        (saying(429), RateLimited),
        (saying(429, b"{}", Retry_After="7"), RateLimited),
        (saying(500), SourceUnreachable),
        (saying(502, b"<html><title>Bad gateway</title>"), SourceUnreachable),
        (saying(503, Retry_After="nan"), SourceUnreachable),
        (saying(408), SourceUnreachable),
        (saying(400, b'{"error_message":"what?"}'), AnswerInvalid),
        (saying(302, Location="https://other.example/login?s3cr3t"), AnswerInvalid),
        (saying(200, b"<html><title>Sign in</title>", Content_Type="text/html"), AnswerInvalid),
        (saying(200), AnswerInvalid),
        (saying(204), AnswerInvalid),
        (saying(200, b"[" * 100_000), AnswerInvalid),
        (saying(200, b'"a"'), AnswerInvalid),
        (saying(200, b"17"), AnswerInvalid),
        (saying(200, b"null"), AnswerInvalid),
        (saying(200, b"NaN"), AnswerInvalid),
        (saying(200, b'{"devices":[{"device_u'), AnswerInvalid),
        (saying(200, b"\xff\xfe\x00"), AnswerInvalid),
        (saying(200, b"0" * 2_000_001), AnswerInvalid),
        (saying(200, gzip.compress(b"0" * 50_000_000, mtime=0), Content_Encoding="gzip"), AnswerInvalid),
        (saying(200, b"no gzip", Content_Encoding="gzip"), AnswerInvalid),
    ],
)
async def test_a_bad_answer_has_its_one_meaning(
    http_server: Http,
    account: Accounts,
    secret: Secrets,
    *,
    walk: Walk,
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
    error: type[SourceError],
) -> None:
    url = await http_server(answer)

    with pytest.raises(error) as raised:
        await walk(url, account, secret)

    assert type(raised.value) is error
    assert "s3cr3t" not in str(raised.value)
    assert url.removeprefix("http://") in str(raised.value)


@pytest.mark.parametrize("walk", WALKS)
async def test_silence_is_unreachable(http_server: Http, account: Accounts, secret: Secrets, walk: Walk) -> None:
    over = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    url = await http_server(hang)

    with pytest.raises(SourceUnreachable, match=r"gave no whole answer within 0\.5 s"):
        await walk(url, account, secret)
    over.set()


@pytest.mark.parametrize("walk", WALKS)
async def test_a_stalled_body_is_unreachable(http_server: Http, account: Accounts, secret: Secrets, walk: Walk) -> None:
    over = asyncio.Event()

    async def stall(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"devices":[')
        await over.wait()
        return response

    url = await http_server(stall)

    with pytest.raises(SourceUnreachable):
        await walk(url, account, secret)
    over.set()


@pytest.mark.parametrize("walk", WALKS)
async def test_a_reset_is_unreachable_and_asked_once(
    http_server: Http, account: Accounts, secret: Secrets, walk: Walk
) -> None:
    times = 0

    async def reset(request: web.Request) -> web.Response:
        nonlocal times
        times += 1
        assert request.transport is not None
        linger = struct.pack("ii", 1, 0)
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        request.transport.abort()
        return web.Response()

    url = await http_server(reset)

    with pytest.raises(SourceUnreachable):
        await walk(url, account, secret)

    assert times == 1


@pytest.mark.parametrize(
    ("headers", "retry_after_s"),
    [({}, None), ({"Retry_After": "7"}, 7.0), ({"Retry_After": "-7"}, None), ({"Retry_After": "86400"}, None)],
)
async def test_a_sensible_pause_reaches_the_poller(
    http_server: Http, account: Accounts, secret: Secrets, headers: dict[str, str], retry_after_s: float | None
) -> None:
    url = await http_server(saying(429, b"{}", **headers))

    with pytest.raises(RateLimited) as error:
        await devices(url, account, secret)

    assert error.value.retry_after_s == retry_after_s


async def test_the_vendors_words_are_told_short_redacted_and_on_one_line(
    http_server: Http, account: Accounts, secret: Secrets
) -> None:
    async def echo(request: web.Request) -> web.Response:
        words = f"bad header\n{request.headers['Authorization']} " + "x" * 1000
        return web.json_response({"error_message": words}, status=500)

    url = await http_server(echo)

    with pytest.raises(SourceUnreachable) as jfrog:
        await devices(url, account, secret)
    with pytest.raises(SourceUnreachable) as hologram:
        await jobs(url, account, secret)

    assert str(jfrog.value).startswith(
        url.removeprefix("http://") + ' devices: fails (500): "bad header Bearer *** xxx'
    )
    assert 'fails (500): "bad header Basic *** xxx' in str(hologram.value)
    assert len(str(jfrog.value)) < 300
    assert KEY not in str(jfrog.value) + str(hologram.value)


@pytest.mark.parametrize(("status", "words_before"), [(200, 160), (500, 190)])
async def test_a_secret_on_the_edge_of_the_cut_is_redacted_before_it(
    http_server: Http, account: Accounts, secret: Secrets, *, status: int, words_before: int
) -> None:
    url = await http_server(saying(status, json_of({"message": "x" * words_before + KEY})))

    with pytest.raises(SourceError) as error:
        await devices(url, account, secret)

    assert "invented" not in str(error.value)


async def test_a_redirect_names_only_the_host_it_leads_to(
    http_server: Http, account: Accounts, secret: Secrets
) -> None:
    url = await http_server(saying(302, Location="https://login.example/s3cr3t?token=s3cr3t"))

    with pytest.raises(AnswerInvalid) as error:
        await devices(url, account, secret)

    assert str(error.value).endswith("answers unexpectedly (302, a redirect to https://login.example)")


names = st.sampled_from(
    [
        *(
            "devices",
            "deployments",
            "pagination_info",
            "after",
            "total",
            "device_uuid",
            "device_status",
            "tags",
            "names",
        ),
        *("cpu_usage", "disk_size", "current_disk_usage", "last_keepalive", "deployment_by_device_uuid", "status"),
        *("deployment_uuid", "cve_severity", "Critical", "value", "steps", "stdout", "exit_code", "name"),
        *("success", "data", "tasks", "job_id", "startAfterIds", "totalPages", "totalTasks", "device_count", "error"),
    ]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["online", "Failed", "d-1", "complete", "2025-03-02 08:00:04"])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6),
    max_leaves=25,
)


class Parrot:
    """Answers every request with what it was told, for the length of a property test."""

    def __init__(self) -> None:
        self.body = b""

    async def answer(self, _: web.Request) -> web.Response:
        return web.Response(body=self.body)


@pytest.fixture
async def parrot(http_server: Http) -> tuple[Parrot, str]:
    bird = Parrot()
    return bird, await http_server(bird.answer)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(found=values, junk=st.binary(max_size=30), mangle=st.booleans())
async def test_arbitrary_answers_give_pages_or_the_closed_set(
    parrot: tuple[Parrot, str], account: Accounts, secret: Secrets, *, found: object, junk: bytes, mangle: bool
) -> None:
    bird, url = parrot
    bird.body = json_of(found)
    if mangle:
        bird.body = bird.body[: len(bird.body) // 2] + junk + bird.body[len(bird.body) // 2 :]

    for walk in WALKS:
        try:
            await walk(url, account, secret)
        except SourceError as error:
            assert str(error)  # noqa: PT017 - either outcome is right


def json_of(value: object) -> bytes:
    return json.dumps(value).encode()
