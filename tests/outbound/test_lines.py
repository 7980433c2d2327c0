"""An answer that goes on, read line by line."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import pytest
from aiohttp import web

from fleetpulse.outbound import Answer, Outbound, TimedOut, TooLarge, Unreachable
from fleetpulse.outbound.session import MAX_LINE_BYTES

Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


class RefusedError(Exception):
    pass


def refused(answer: Answer) -> Exception:
    return RefusedError(f"{answer.status} {answer.body.decode()}")


async def streamed(request: web.Request, *pieces: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece)
        await asyncio.sleep(0)
    return response


def streaming(*pieces: bytes) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await streamed(request, *pieces)

    return answer


async def read(outbound: Outbound, url: str, *, silence_s: float = 5.0) -> list[bytes]:
    async with aclosing(outbound.lines("POST", url, silence_s=silence_s, refused=refused)) as lines:
        return [line async for line in lines]


async def test_lines_come_whole_however_the_wire_cuts_them(outbound: Outbound, http_server: Http) -> None:
    url = await http_server(streaming(b"a", b"b\nc\n\n", b"\nd", b"e\n"))

    assert await read(outbound, url) == [b"ab", b"c", b"de"]


async def test_what_has_no_end_of_line_is_no_line(outbound: Outbound, http_server: Http) -> None:
    url = await http_server(streaming(b"whole\ncut sho"))

    assert await read(outbound, url) == [b"whole"]


async def test_a_line_comes_before_the_next_one_is_there(outbound: Outbound, http_server: Http) -> None:
    more = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await streamed(request, b"first\n")
        await more.wait()
        await response.write(b"second\n")
        return response

    url = await http_server(answer)

    async with aclosing(outbound.lines("POST", url, silence_s=5, refused=refused)) as lines:
        first = await anext(lines)
        more.set()
        assert (first, await anext(lines)) == (b"first", b"second")


async def test_an_endless_line_is_refused(outbound: Outbound, http_server: Http) -> None:
    url = await http_server(streaming(*[b"x" * 65_536] * (MAX_LINE_BYTES // 65_536 + 2)))

    with pytest.raises(TooLarge):
        await read(outbound, url)


async def test_silence_ends_it(outbound: Outbound, http_server: Http) -> None:
    over = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await streamed(request, b"first\n")
        await over.wait()
        return response

    url = await http_server(answer)

    with pytest.raises(TimedOut, match=r"was silent for 0\.1 s"):
        await read(outbound, url, silence_s=0.1)
    over.set()


async def test_a_refusal_is_the_callers_own_error(outbound: Outbound, http_server: Http) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=409, text="one at a time")

    url = await http_server(answer)

    with pytest.raises(RefusedError, match="409 one at a time"):
        await read(outbound, url)


async def test_nobody_there_is_told_without_the_path(outbound: Outbound) -> None:
    with pytest.raises(Unreachable, match="takes no connection") as error:
        await read(outbound, "http://127.0.0.1:9/s3cr3t")

    assert "s3cr3t" not in str(error.value)


async def test_who_reads_no_further_leaves_the_connection(outbound: Outbound, http_server: Http) -> None:
    left = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await streamed(request, b"first\n")
        try:
            while True:
                await response.write(b"more\n")
                await asyncio.sleep(0.01)
        except ConnectionResetError:
            left.set()
        return response

    url = await http_server(answer)
    async with aclosing(outbound.lines("POST", url, silence_s=5, refused=refused)) as lines:
        await anext(lines)

    async with asyncio.timeout(5):
        await left.wait()
