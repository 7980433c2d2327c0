"""Errors of the API as JSON: `{"error": text}` with the status that fits."""

from http import HTTPStatus
from typing import Any, Final, NoReturn

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

PREFIX: Final = "/api/"
_WORDS: Final = {
    HTTPStatus.NOT_FOUND: "there is nothing here; the API begins at /api/v1/",
    HTTPStatus.METHOD_NOT_ALLOWED: "this takes another method: {}",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is too large",
}


class AskedWronglyError(Exception):
    """What was asked can't be answered; `status` says in which way."""

    def __init__(self, text: str, *, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(text)
        self.status = status


def answer(document: Any, *, status: int = HTTPStatus.OK) -> web.Response:
    """A JSON answer. Texts must hold no lone surrogates; what people sent goes through `quoted` first."""
    return web.Response(status=status, body=msgspec.json.encode(document), content_type="application/json")


def quoted(text: str) -> str:
    """What somebody sent, fit for an answer: short, in quotes, without anything that could not be printed."""
    return ascii(text[:100])


def not_found(what: str) -> NoReturn:
    """Say that there is no such thing."""
    raise AskedWronglyError(what, status=HTTPStatus.NOT_FOUND)


@web.middleware
async def as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals of API requests into JSON; pages keep plain text."""
    if not request.path.startswith(PREFIX):
        return await handler(request)
    try:
        return await handler(request)
    except AskedWronglyError as error:
        return answer({"error": str(error)}, status=error.status)
    except web.HTTPException as refusal:
        told = answer({"error": _told(refusal)}, status=refusal.status)
        for name in (hdrs.ALLOW, hdrs.WWW_AUTHENTICATE):
            if name in refusal.headers:
                told.headers[name] = refusal.headers[name]
        return told


def crashed(request: web.Request) -> web.Response:
    """The answer to a request that met a mistake of ours."""
    if request.path.startswith(PREFIX):
        return answer({"error": "a mistake of fleetpulse; its log has more"}, status=HTTPStatus.INTERNAL_SERVER_ERROR)
    return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text="500: see the log of fleetpulse\n")


def _told(refusal: web.HTTPException) -> str:
    words = _WORDS.get(HTTPStatus(refusal.status))
    if words is None:
        return (refusal.text or refusal.reason).strip().removeprefix(f"{refusal.status}: ")
    return words.format(refusal.headers.get(hdrs.ALLOW, ""))
