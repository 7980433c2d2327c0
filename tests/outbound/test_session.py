"""One request out, one whole answer back, and nothing that should not travel."""

import asyncio
import gzip
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from fleetpulse.outbound import BadEncoding, Outbound, OutboundError, TimedOut, TooLarge, Unreachable

Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
Bytes = Callable[[Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]], Awaitable[str]]
SECRET_PATH = "/hook/s3cr3t-path?key=s3cr3t-query"


def told(error: pytest.ExceptionInfo[OutboundError]) -> str:
    text = str(error.value)
    assert "s3cr3t" not in text
    assert "hidden-word" not in text
    return text


async def test_a_whole_answer_comes_back_with_its_status_headers_and_time(
    outbound: Outbound, http_server: Http
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=207, body=await request.read(), headers={"X-Thing": request.headers["User-Agent"]})

    url = await http_server(answer)

    got = await outbound.request("POST", url + "/a", timeout_s=5, body=b"bytes", headers={"X-A": "1"})

    assert (got.status, got.body, got.headers["x-thing"]) == (207, b"bytes", "fleetpulse/0.0.0")
    assert got.seconds > 0
    assert got.retry_after_s is None


async def test_a_get_may_carry_a_body(outbound: Outbound, http_server: Http) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    url = await http_server(answer)

    got = await outbound.request("GET", url, timeout_s=5, body=b'{"a":1}')

    assert got.body == b'{"a":1}'


async def test_a_redirect_is_an_answer_and_never_followed(outbound: Outbound, http_server: Http) -> None:
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    other = await http_server(elsewhere)

    async def answer(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(other + "/steal")

    url = await http_server(answer)

    got = await outbound.request("GET", url, timeout_s=5, headers={"Authorization": "Bearer x"})

    assert (got.status, got.headers["location"]) == (307, other + "/steal")
    assert asked == []


async def test_cookies_are_not_kept(outbound: Outbound, http_server: Http) -> None:
    cookies: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        cookies.append(request.headers.get("Cookie"))
        response = web.Response()
        response.set_cookie("session", "1")
        return response

    url = await http_server(answer)

    await outbound.request("GET", url, timeout_s=5)
    await outbound.request("GET", url, timeout_s=5)

    assert cookies == [None, None]


async def test_proxies_of_the_environment_are_not_used(
    outbound: Outbound, http_server: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="direct")

    url = await http_server(answer)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    got = await outbound.request("GET", url, timeout_s=5)

    assert got.body == b"direct"


async def test_a_configured_proxy_is_used(outbound: Outbound, http_server: Http) -> None:
    async def relay(request: web.Request) -> web.Response:
        return web.Response(text=f"for {request.url.host} {request.headers.get('Proxy-Authorization')}")

    proxy = await http_server(relay)
    proxy = proxy.replace("http://", "http://ada:pw@")

    got = await outbound.request("GET", "http://vendor.invalid/x", timeout_s=5, proxy=proxy)

    assert got.body == b"for vendor.invalid Basic YWRhOnB3"


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (gzip.compress(b"a" * 1000, mtime=0), "gzip"),
        (gzip.compress(b"a" * 400, mtime=0) + gzip.compress(b"a" * 600, mtime=0), "GZIP"),
        (zlib.compress(b"a" * 1000), "deflate"),
        (b"a" * 1000, "identity"),
    ],
)
async def test_packed_bodies_are_unpacked(outbound: Outbound, http_server: Http, packed: bytes, encoding: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": encoding})

    url = await http_server(answer)

    got = await outbound.request("GET", url, timeout_s=5, max_bytes=1000)

    assert got.body == b"a" * 1000


async def test_a_gzip_bomb_is_cut_off_while_it_unpacks(outbound: Outbound, http_server: Http) -> None:
    bomb = gzip.compress(b"0" * 50_000_000, mtime=0)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    url = await http_server(answer)

    with pytest.raises(TooLarge) as error:
        await outbound.request("GET", url + SECRET_PATH, timeout_s=5, max_bytes=100_000)

    assert told(error).endswith("sent more than 100000 bytes")


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_beyond_the_limit_is_refused(outbound: Outbound, http_server: Http, *, announced: bool) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if announced:
            return web.Response(body=b"0" * 2001)
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"0" * 1000)
        except ConnectionError:
            return response

    url = await http_server(answer)

    with pytest.raises(TooLarge):
        await outbound.request("GET", url, timeout_s=5, max_bytes=2000)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"no gzip at all", "gzip"),
        (gzip.compress(b"a" * 1000, mtime=0)[:-12], "gzip"),
        (b"x", "br"),
    ],
)
async def test_broken_and_unknown_encodings_are_told_apart_from_silence(
    outbound: Outbound, http_server: Http, body: bytes, encoding: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Encoding": encoding})

    url = await http_server(answer)

    with pytest.raises(BadEncoding) as error:
        await outbound.request("GET", url + SECRET_PATH, timeout_s=5)

    assert told(error).startswith("http://127.0.0.1:")


async def test_an_empty_body_is_whole_whatever_its_encoding(outbound: Outbound, http_server: Http) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(headers={"Content-Encoding": "gzip"})

    url = await http_server(answer)

    got = await outbound.request("GET", url, timeout_s=5)

    assert got.body == b""


async def test_silence_ends_with_the_time_limit(outbound: Outbound, byte_server: Bytes) -> None:
    over = asyncio.Event()

    async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await over.wait()

    url = await byte_server(silent)

    with pytest.raises(TimedOut) as error:
        await outbound.request("GET", url + SECRET_PATH, timeout_s=0.05)
    over.set()

    assert told(error).endswith("gave no whole answer within 0.05 s")


async def test_a_body_that_stalls_ends_with_the_time_limit(outbound: Outbound, byte_server: Bytes) -> None:
    over = asyncio.Event()

    async def stalling(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        await over.wait()

    url = await byte_server(stalling)

    with pytest.raises(TimedOut):
        await outbound.request("GET", url, timeout_s=0.05)
    over.set()


async def test_a_cut_body_is_no_answer(outbound: Outbound, byte_server: Bytes) -> None:
    async def cutting(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")

    url = await byte_server(cutting)

    with pytest.raises(Unreachable) as error:
        await outbound.request("GET", url + SECRET_PATH, timeout_s=5)

    assert told(error).endswith("broke off in the middle of its answer")


async def test_what_is_not_http_is_told_so(outbound: Outbound, byte_server: Bytes) -> None:
    async def ssh(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    url = await byte_server(ssh)

    with pytest.raises(BadEncoding) as error:
        await outbound.request("GET", url + SECRET_PATH, timeout_s=5)

    assert told(error).endswith("did not answer in HTTP")


async def test_a_fresh_connection_that_breaks_is_not_tried_again(outbound: Outbound, byte_server: Bytes) -> None:
    times = 0

    async def resetting(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal times
        times += 1
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    url = await byte_server(resetting)

    with pytest.raises(Unreachable) as error:
        await outbound.request("GET", url + SECRET_PATH, timeout_s=5)

    assert told(error).startswith(url)
    assert times == 1


async def test_a_kept_connection_that_the_server_closed_costs_no_error(outbound: Outbound, byte_server: Bytes) -> None:
    connections = 0

    async def once_then_close_on_the_next(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.readuntil(b"\r\n\r\n")  # the next request arrives on the kept connection, which is then closed

    url = await byte_server(once_then_close_on_the_next)
    await outbound.request("GET", url, timeout_s=5)

    got = await outbound.request("GET", url, timeout_s=5)

    assert got.body == b"ok"
    assert connections == 2


async def test_a_post_is_never_sent_twice(outbound: Outbound, byte_server: Bytes) -> None:
    requests = 0

    async def once_then_close_on_the_next(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        requests += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.readuntil(b"\r\n\r\n")
        requests += 1

    url = await byte_server(once_then_close_on_the_next)
    await outbound.request("POST", url, timeout_s=5)

    with pytest.raises(Unreachable):
        await outbound.request("POST", url, timeout_s=5)

    assert requests == 2


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://127.0.0.1:1", "http://127.0.0.1:1 takes no connection: Connection refused"),
        ("http://[::1]:1", "http://[::1]:1 takes no connection: "),
        ("http://nowhere.invalid", "http://nowhere.invalid has no address: the name was not found"),
        ("ftp://127.0.0.1", "ftp://127.0.0.1 was not asked: only http and https can be used"),
        ("http://ada:s3cr3t@127.0.0.1:1", "http://127.0.0.1:1 takes no connection: Connection refused"),
        ("http://[::1", "a URL that names no host was not asked: the URL cannot be used"),
        ("http://" + "a" * 300, "has no address"),
        ("no url", "a URL that names no host was not asked: the URL cannot be used"),
    ],
)
async def test_what_cannot_be_reached_is_named_without_its_path(outbound: Outbound, url: str, text: str) -> None:
    with pytest.raises(Unreachable) as error:
        await outbound.request("GET", url + SECRET_PATH, timeout_s=5)

    assert text in told(error) or url.startswith("http://aaa")


async def test_tls_trouble_names_its_kind(outbound: Outbound, http_server: Http) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    url = await http_server(answer)

    with pytest.raises(Unreachable, match="does not agree on TLS"):
        await outbound.request("GET", url.replace("http", "https"), timeout_s=5)


async def test_a_refusing_proxy_is_named_with_its_status(outbound: Outbound, byte_server: Bytes) -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    proxy = await byte_server(refuse)

    with pytest.raises(Unreachable) as error:
        await outbound.request("GET", "https://vendor.invalid" + SECRET_PATH, timeout_s=5, proxy=proxy)

    assert told(error) == "https://vendor.invalid was not reached: the proxy answered 407"


@pytest.mark.parametrize(("content", "text"), [(None, "cannot read"), ("not a certificate", "holds no certificates")])
async def test_a_useless_ca_file_is_named(outbound: Outbound, tmp_path: Path, content: str | None, text: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)

    with pytest.raises(Unreachable, match=text):
        await outbound.request("GET", "https://127.0.0.1:1", timeout_s=5, ssl_ca=file)


async def test_a_cancelled_request_leaves_nothing_behind(outbound: Outbound, byte_server: Bytes) -> None:
    arrived, over = asyncio.Event(), asyncio.Event()

    async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        arrived.set()
        await over.wait()

    url = await byte_server(silent)
    request = asyncio.create_task(outbound.request("GET", url, timeout_s=5), name="request")
    await arrived.wait()

    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    over.set()
