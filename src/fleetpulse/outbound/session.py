"""The one door to the outside: one session, limits on size and time, no redirects, no cookies."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from ssl import SSLContext, SSLError, create_default_context
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from fleetpulse import clock
from fleetpulse.outbound.answer import Answer, retry_after_s
from fleetpulse.outbound.connection import Connection, watching
from fleetpulse.outbound.errors import OutboundError, TimedOut, TooLarge, Unreachable
from fleetpulse.outbound.trouble import told
from fleetpulse.outbound.unpacking import Body
from fleetpulse.secrets import Redactor

MAX_BYTES = 16 * 1024 * 1024  # the largest page seen is 0.5 MB; whatever is beyond this is no page
MAX_LINE_BYTES = 1024 * 1024
_CONNECT_S = 10.0  # a host that is there takes a connection at once; the rest of the time belongs to its work
_KEEPALIVE_S = 15.0  # shorter than common servers' own, and than the spacing of an account that bans (3/m)
_CONNECTIONS = 100
_OK = 200
_CONNECTIONS_A_HOST = 16


class Outbound:
    """Sends requests and brings back whole answers. One object serves the process; use it as a context manager."""

    def __init__(self, *, version: str, redactor: Redactor) -> None:
        self.redactor = redactor
        self._version = version
        self._session: aiohttp.ClientSession | None = None
        self._trust: dict[Path, tuple[int, SSLContext]] = {}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=_CONNECTIONS, limit_per_host=_CONNECTIONS_A_HOST, keepalive_timeout=_KEEPALIVE_S
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # aiohttp knows no limit on the whole; Body does
            headers={"User-Agent": f"fleetpulse/{self._version}", "Accept-Encoding": "gzip"},
            trace_configs=[watching()],
            trust_env=False,  # it would also read ~/.netrc and send what it finds there
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int = MAX_BYTES,
        proxy: str | None = None,
        ssl_ca: Path | None = None,
    ) -> Answer:
        """Send once and wait for the whole answer, whatever its status; a redirect is an answer like any other.

        Nothing is retried, but for a read that met a kept connection just closed by the server: see `Connection`.

        Units: `timeout_s` covers everything from connecting to the last byte; `max_bytes` counts the unpacked body.
        `ssl_ca` replaces the system's authorities by those of a PEM file.
        Errors: Unreachable (TimedOut is one), TooLarge, BadEncoding; their texts hold no path, query or header.
        Cancellation: safe; the connection is dropped.
        """
        began = clock.monotonic()
        # no limit on the time between two reads: heavy pages take their time before the first byte,
        # and a stalled body ends with the total
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(_CONNECT_S, timeout_s))
        late = f"gave no whole answer within {timeout_s:g} s"
        async with self._answered(
            method, url, headers=headers, body=body, proxy=proxy, ssl_ca=ssl_ca, timeout=timeout, late=late
        ) as response:
            return await _answer(response, began=began, max_bytes=max_bytes)

    async def lines(
        self,
        method: str,
        url: str,
        *,
        silence_s: float,
        refused: Callable[[Answer], Exception],
        headers: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Send once and give the answer line by line as it comes, for as long as it goes on; empty lines are left out.

        Units: `silence_s` is the longest time between two reads; a line has `MAX_LINE_BYTES` at most.
        Errors: as `request`, also between lines; for an answer that is no 200, what `refused` makes of it.
        Cancellation: safe; closing it drops the connection.
        """
        began = clock.monotonic()
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=min(_CONNECT_S, silence_s), sock_read=silence_s)
        async with self._answered(
            method,
            url,
            headers={**(headers or {}), "Accept-Encoding": "identity"},
            timeout=timeout,
            late=f"was silent for {silence_s:g} s",
        ) as response:
            if response.status != _OK:
                raise refused(await _answer(response, began=began, max_bytes=MAX_LINE_BYTES))
            async for line in _lines(response):
                yield line

    @asynccontextmanager
    async def _answered(
        self,
        method: str,
        url: str,
        *,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own, with more than one limit
        late: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        proxy: str | None = None,
        ssl_ca: Path | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer whose body is still to come; what goes wrong with either is one of our own errors."""
        if self._session is None:
            msg = "Outbound sends only while it is entered"
            raise RuntimeError(msg)
        connection = Connection()
        try:
            async with self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                allow_redirects=False,
                proxy=proxy,
                ssl=True if ssl_ca is None else self._trusting(ssl_ca),
                timeout=timeout,
                middlewares=(connection.send,),
                trace_request_ctx=connection,
            ) as response:
                yield response
        except TimeoutError as error:  # before OSError, of which it is one
            raise self._placed(TimedOut(late), url) from error
        except OutboundError as error:
            raise self._placed(error, url) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: a URL that names no place
            raise self._placed(told(error), url) from None  # aiohttp's own may hold the path and the headers

    def _trusting(self, ssl_ca: Path) -> SSLContext:
        """What trusts a file of authorities; made again when the file changes."""
        try:
            changed = ssl_ca.stat().st_mtime_ns
            made, context = self._trust.get(ssl_ca, (None, None))
            if context is None or made != changed:
                context = create_default_context(cafile=ssl_ca)
                self._trust[ssl_ca] = (changed, context)
        except SSLError as error:
            msg = f"was not asked: {ssl_ca} holds no certificates"
            raise Unreachable(msg) from error
        except OSError as error:
            msg = f"was not asked: cannot read {ssl_ca}: {error.strerror}"
            raise Unreachable(msg) from error
        return context

    def _placed(self, error: OutboundError, url: str) -> OutboundError:
        return type(error)(self.redactor.redact(f"{place(url)} {error}"))


def place(url: str) -> str:
    """`scheme://host[:port]` of a URL: all of it that may be shown, for paths and queries may be secrets."""
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return "a URL that names no host"
    if not parts.hostname:
        return "a URL that names no host"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}"


async def _answer(response: aiohttp.ClientResponse, *, began: float, max_bytes: int) -> Answer:
    return Answer(
        status=response.status,
        headers=response.headers,
        body=await _whole(response, max_bytes),
        seconds=clock.monotonic() - began,
        retry_after_s=retry_after_s(response.headers.get("Retry-After"), now=clock.now()),
    )


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The lines of a body; what stands behind the last line break is none, for it may be cut short."""
    rest = b""
    async for piece in response.content.iter_any():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line:
                yield line
        if len(rest) > MAX_LINE_BYTES:
            msg = f"sent a line of more than {MAX_LINE_BYTES} bytes"
            raise TooLarge(msg)


async def _whole(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    body = Body(encoding=response.headers.get("Content-Encoding", ""), max_bytes=max_bytes)
    if (response.content_length or 0) > max_bytes:
        msg = f"announced more than {max_bytes} bytes"
        raise TooLarge(msg)
    async for piece in response.content.iter_any():
        body.add(piece)
    return body.whole()
