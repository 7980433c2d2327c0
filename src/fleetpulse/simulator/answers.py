"""How parties answer: JSON bodies, and the exception that ends a request with a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json"


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Encode `value` as the JSON body of an answer."""
    return raw_json_answer(msgspec.json.encode(value), status=status, headers=headers)


def raw_json_answer(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer a body that is JSON already."""
    return web.Response(body=body, status=status, headers=headers, content_type=JSON)


def body_of(answer: web.StreamResponse) -> bytes:
    """Tell the body of an answer that has not been sent yet; b"" where it has none."""
    body = answer.body if isinstance(answer, web.Response) else None
    return bytes(body) if isinstance(body, bytes | bytearray) else b""


class RefusedError(Exception):
    """Ends the handling of a request; `serve` turns it into the answer it describes."""

    def __init__(self, status: int, payload: Any, headers: Mapping[str, str] | None = None) -> None:
        """Describe the answer: its status, its JSON value and extra headers."""
        super().__init__(status)
        self.status = status
        self.payload = payload
        self.headers = dict(headers or {})

    def answer(self) -> web.Response:
        """Build the answer."""
        return json_answer(self.payload, status=self.status, headers=self.headers)


class PlainRefusedError(RefusedError):
    """A refusal whose body is text, a page of HTML, or nothing."""

    def answer(self) -> web.Response:
        """Build the answer."""
        html = self.payload.startswith("<")
        content_type = "text/html" if html else "text/plain"
        return web.Response(text=self.payload, status=self.status, headers=self.headers, content_type=content_type)
