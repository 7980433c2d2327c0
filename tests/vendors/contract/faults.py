"""What may come instead of an answer, and what each means; the exceptions are rows of their own."""

import asyncio
import gzip
import json
import re
import socket
import struct
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

from aiohttp import web

from vendors.contract.cases import CASES, HOLOGRAM, NAME
from vendors.contract.spoiling import Spoil, Truth, never

FINE: Final = "fine"
HUGE_BYTES: Final = 100_000_000
_PIECE: Final = b" " * 65536
_BOMB: Final = 5 * gzip.compress(b" " * (HUGE_BYTES // 5), compresslevel=1, mtime=0)
_DEEP: Final = 100_000


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to spoil an answer, and the meaning it has wherever no exemption says otherwise.

    `retry_after_s` is what a refused rate asks for, as far as it is to be obeyed. `silent`: the answer never ends.
    """

    name: str
    spoil: Spoil
    means: str
    retry_after_s: float | None = None
    silent: bool = False


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """Endpoints, by vendor and name, where faults have another meaning.

    `faults` names them; where it names none, all are meant that mean `instead_of`.
    """

    where: Collection[tuple[str, str]]
    faults: Collection[str] = ()
    instead_of: str
    means: str

    def fits(self, fault: Fault, vendor: str, endpoint: str) -> bool:
        """Whether this is about that fault there."""
        named = fault.name in self.faults if self.faults else fault.means == self.instead_of
        return named and (vendor, endpoint) in self.where


def meaning(fault: Fault, vendor: str, endpoint: str) -> str:
    """The reason of the error that a fault is at an endpoint, or `FINE`."""
    fitting = (each.means for each in EXEMPTIONS if each.fits(fault, vendor, endpoint))
    return next(fitting, fault.means)


def _status(status: int, body: bytes = b'{"message":"no"}', **headers: str) -> Spoil:
    async def spoil(_: web.Request, __: Truth) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers={"Content-Type": "application/json"} | named)

    return spoil


def _body(change: Callable[[bytes], bytes], **headers: str) -> Spoil:
    async def spoil(_: web.Request, truth: Truth) -> web.StreamResponse:
        answer = truth.answer(change(truth.body))
        answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        return answer

    return spoil


def _json(change: Callable[[Any], Any]) -> Spoil:
    return _body(lambda body: json.dumps(change(json.loads(body))).encode())


async def _limited_until_a_date(_: web.Request, __: Truth) -> web.StreamResponse:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=3000), usegmt=True)
    return web.Response(status=429, body=b"{}", headers={"Retry-After": later})


async def _hang(_: web.Request, __: Truth) -> web.StreamResponse:
    await never()
    raise AssertionError


async def _stall(request: web.Request, truth: Truth) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": truth.content_type, "Content-Length": str(len(truth.body))})
    await response.prepare(request)
    await response.write(truth.body[: len(truth.body) // 2])
    await never()
    return response


async def _break_off(request: web.Request, truth: Truth) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": truth.content_type, "Content-Length": str(len(truth.body))})
    await response.prepare(request)
    await response.write(truth.body[: len(truth.body) // 2])
    assert request.transport is not None
    request.transport.close()
    return response


async def _reset(request: web.Request, _: Truth) -> web.StreamResponse:
    assert request.transport is not None
    linger = struct.pack("ii", 1, 0)  # close() discards what is unsent and sends RST instead of FIN
    request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    request.transport.abort()
    return web.Response()


class Pour:
    """A hundred megabytes without an end announced; who listens on is the client's choice."""

    def __init__(self) -> None:
        self.most_bytes = 0

    async def spoil(self, request: web.Request, _: Truth) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        poured = 0
        try:
            while poured < HUGE_BYTES:
                await response.write(_PIECE)
                poured += len(_PIECE)
        finally:
            self.most_bytes = max(self.most_bytes, poured)
        return response


async def _announced(request: web.Request, _: Truth) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(HUGE_BYTES)})
    await response.prepare(request)
    await response.write(b"[")
    await never()
    return response


async def _no_http(request: web.Request, _: Truth) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"220 mail.example ESMTP ready\r\n\r\n")
    await asyncio.sleep(0)
    request.transport.close()
    return web.Response()


async def _echo(status: int, request: web.Request, dress: Callable[[str], bytes]) -> web.StreamResponse:
    asked = (await request.read()).decode(errors="replace")
    said = f"cannot serve {request.path} {request.raw_path} {request.headers.get('Authorization', '')} {asked}"
    return web.Response(status=status, body=dress(said), headers={"Content-Type": "text/html"})


def _echoing(status: int, dress: Callable[[str], bytes]) -> Spoil:
    async def spoil(request: web.Request, _: Truth) -> web.StreamResponse:
        return await _echo(status, request, dress)

    return spoil


# -- bodies


def _in_a_name(value: bytes) -> Callable[[bytes], bytes]:
    """Put this JSON, or what is none, where a name stands, and beside the first field, where every answer has one."""

    def change(body: bytes) -> bytes:
        named = body.replace(json.dumps(NAME).encode(), value)
        return re.sub(rb'\{(?=\s*")', lambda _: b'{"note":' + value + b",", named, count=1)

    return change


def _other_types(value: Any) -> Any:
    """Every value as one of another type; what holds values stays what it is."""
    if isinstance(value, dict):
        return {key: _other_types(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_other_types(each) for each in value]
    return {"of": "another type"} if isinstance(value, str) else [value]


def _rows_in(document: Any) -> Sequence[Any]:
    """The rows of an answer: its first list of objects, searched from the outside to the inside; empty for none."""
    level = [document]
    while level:
        for value in level:
            if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
                return value
        level = [
            inner
            for value in level
            if isinstance(value, (dict, list))
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    return ()


def _first_row_of_other_types(document: Any) -> Any:
    """The document with its first row of other types in every field."""
    first = next(iter(_rows_in(document)), None)
    if first is not None:
        first.update(_other_types(first))
    return document


def _foreign_links(document: Any, url: str) -> Any:
    links = {"next": url, "links": {"next": url, "self": url}, "next_page": url, "@odata.nextLink": url}
    return document | links if isinstance(document, dict) else document


def foreign_links(url: str) -> Spoil:
    """Links to another host wherever an interface may have them."""
    return _json(lambda document: _foreign_links(document, url))


def foreign_cursor(url: str) -> Spoil:
    """A URL of another host where the cursor of the next page stands."""

    def change(document: Any) -> Any:
        if isinstance(document, dict):
            document |= {"pagination_info": {"after": url, "total": 10**6}, "continues": True, "lastid": url}
            document |= {"next_cursor": url, "more": True}
        return document

    return _json(change)


def ending_in(words: str, status: int = 500) -> Spoil:
    """A fault that the vendor tells of in these words."""
    return _status(status, json.dumps({"message": words}).encode())


def redirect(url: str) -> Spoil:
    """A redirect to another host."""
    return _status(302, Location=url)


BOMB: Final = _body(lambda _: _BOMB, Content_Encoding="gzip")
one_row_of_other_types: Final = _json(_first_row_of_other_types)

# -- the tables

_REJECTED, _LIMITED, _UNAVAILABLE = "credentials_rejected", "rate_limited", "resource_unavailable"
_UNREACHABLE, _INVALID, _CURSOR = "unreachable", "answer_invalid", "cursor_refused"

FAULTS: Final[Sequence[Fault]] = (
    Fault(name="400", spoil=_status(400, b'{"message":"what?"}'), means=_INVALID),
    Fault(name="401", spoil=_status(401), means=_REJECTED),
    Fault(name="401 with a page", spoil=_status(401, b"<html><title>Sign in</title>"), means=_REJECTED),
    Fault(name="403", spoil=_status(403), means=_UNAVAILABLE),
    Fault(name="404", spoil=_status(404), means=_UNAVAILABLE),
    Fault(name="408", spoil=_status(408), means=_UNREACHABLE),
    Fault(name="429", spoil=_status(429), means=_LIMITED),
    Fault(name="429 for seconds", spoil=_status(429, Retry_After="7"), means=_LIMITED, retry_after_s=7),
    Fault(name="429 until a date", spoil=_limited_until_a_date, means=_LIMITED, retry_after_s=3000),
    Fault(name="429 for ten years", spoil=_status(429, Retry_After="315360000"), means=_LIMITED),
    Fault(name="429 for less than nothing", spoil=_status(429, Retry_After="-7"), means=_LIMITED),
    Fault(name="500", spoil=_status(500), means=_UNREACHABLE),
    Fault(name="502 with a page", spoil=_status(502, b"<html><title>Bad gateway</title>"), means=_UNREACHABLE),
    Fault(name="503", spoil=_status(503, Retry_After="nan"), means=_UNREACHABLE),
    Fault(name="no answer", spoil=_hang, means=_UNREACHABLE, silent=True),
    Fault(name="stall half-way", spoil=_stall, means=_UNREACHABLE, silent=True),
    Fault(name="end half-way", spoil=_break_off, means=_UNREACHABLE),
    Fault(name="reset", spoil=_reset, means=_UNREACHABLE),
    Fault(name="no HTTP", spoil=_no_http, means=_INVALID),
    Fault(
        name="a page", spoil=_body(lambda _: b"<html><title>Sign in</title>", Content_Type="text/html"), means=_INVALID
    ),
    Fault(name="empty body", spoil=_body(lambda _: b""), means=_INVALID),
    Fault(name="no content", spoil=_status(204, b""), means=_INVALID),
    Fault(name="a word", spoil=_body(lambda _: b'"a"'), means=_INVALID),
    Fault(name="a number", spoil=_body(lambda _: b"17"), means=_INVALID),
    Fault(name="null", spoil=_body(lambda _: b"null"), means=_INVALID),
    Fault(name="not a number", spoil=_body(lambda _: b"NaN"), means=_INVALID),
    Fault(name="no text", spoil=_body(lambda _: b"\xff\xfe\x00"), means=_INVALID),
    Fault(name="empty list", spoil=_body(lambda _: b"[]"), means=FINE),
    Fault(name="empty object", spoil=_body(lambda _: b"{}"), means=_INVALID),
    Fault(name="truncated", spoil=_body(lambda body: body[: len(body) // 2]), means=_INVALID),
    Fault(name="other content type", spoil=_body(bytes, Content_Type="application/octet-stream"), means=FINE),
    Fault(name="other types", spoil=_json(_other_types), means=_INVALID),
    Fault(name="one row of other types", spoil=one_row_of_other_types, means=FINE),
    Fault(name="bad UTF-8", spoil=_body(_in_a_name(b'"gate \xff\xfe 7"')), means=FINE),
    Fault(name="lone surrogates", spoil=_body(_in_a_name(rb'"gate \ud83d 7"')), means=FINE),
    Fault(name="NaN in a row", spoil=_body(_in_a_name(b"NaN")), means=FINE),
    Fault(name="Infinity in a row", spoil=_body(_in_a_name(b"-Infinity")), means=FINE),
    Fault(name="an absurd number in a row", spoil=_body(_in_a_name(b"9" * 400)), means=FINE),
    Fault(name="deep nesting", spoil=_body(lambda _: b"[" * _DEEP), means=_INVALID),
    Fault(name="deep nesting in a row", spoil=_body(_in_a_name(b"[" * _DEEP + b"]" * _DEEP)), means=_INVALID),
    Fault(name="100 MB announced", spoil=_announced, means=_INVALID),
    Fault(name="no gzip", spoil=_body(bytes, Content_Encoding="gzip"), means=_INVALID),
    Fault(name="unknown encoding", spoil=_body(bytes, Content_Encoding="br"), means=_INVALID),
    Fault(name="a byte order mark", spoil=_body(lambda body: b"\xef\xbb\xbf" + body), means=FINE),
    Fault(
        name="500 with our request",
        spoil=_echoing(500, lambda said: json.dumps({"message": said}).encode()),
        means=_UNREACHABLE,
    ),
    Fault(name="503 with our request", spoil=_echoing(503, str.encode), means=_UNREACHABLE),
    Fault(
        name="a page with our request",
        spoil=_echoing(200, lambda said: f"<html><title>{said}</title>".encode()),
        means=_INVALID,
    ),
    Fault(
        name="our request", spoil=_echoing(200, lambda said: json.dumps({"errors": [said]}).encode()), means=_INVALID
    ),
)

_CENSUSES: Final = {(case.name, case.census) for case in CASES}
_NOT_A_LIST: Final = {  # what answers with one thing, or in an envelope, has no bare list
    *(("jfrog-connect", name) for name in ("device", "deployment", "its devices", "its device's steps", "tunnel")),
    ("jfrog-connect-v1", "get_device_state"),
    *(("hologram", endpoint.name) for endpoint in HOLOGRAM.endpoints),
    *(("scalepad", name) for name in ("device", "summary")),
}
EXEMPTIONS: Final[Sequence[Exemption]] = (
    # a key that may not read the census is good for nothing
    Exemption(where=_CENSUSES, faults={"403"}, instead_of=_UNAVAILABLE, means=_REJECTED),
    # without the list of open sessions, or a connection's own answer, a device is as its row tells it
    Exemption(where={("hologram", "opensessions"), ("iomote", "status")}, instead_of=_UNAVAILABLE, means=FINE),
    Exemption(where={("iomote", "status")}, instead_of=_INVALID, means=FINE),
    Exemption(where=_NOT_A_LIST, faults={"empty list"}, instead_of=FINE, means=_INVALID),
    Exemption(
        where={("iomote", "device"), ("iomote", "stat")}, faults={"empty list"}, instead_of=FINE, means=_UNAVAILABLE
    ),
    # a list of one device, which is then that of another
    Exemption(where={("iomote", "device")}, faults={"one row of other types"}, instead_of=FINE, means=_INVALID),
    # ids stay readable, for they are the names of fields or need not be told; what is said of them is unknown
    Exemption(
        where={
            ("jfrog-connect", "its devices"),
            ("jfrog-connect", "its device's steps"),
            ("jfrog-connect-v1", "get_device_state"),
        },
        faults={"other types"},
        instead_of=_INVALID,
        means=FINE,
    ),
)
