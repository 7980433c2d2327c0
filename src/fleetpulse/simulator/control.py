"""The side door: `/_control/...` lets another process tell a party's story and read what it saw."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from fleetpulse.simulator.answers import RefusedError, json_answer

if TYPE_CHECKING:
    from fleetpulse.simulator.party import Party

PREFIX = "/_control/"


def control_routes(party: Party) -> list[web.RouteDef]:
    """List the control routes of a party; `serve` neither counts nor faults what goes there."""

    async def state(_: web.Request) -> web.Response:
        return json_answer(party.state())

    async def messages(request: web.Request) -> web.Response:
        after = request.query.get("after", "0")
        received = party.mail(int(after) if after.isdecimal() else 0)
        if received is None:
            raise RefusedError(404, {"error": f"a {party.kind} receives no messages"})
        return json_answer(received)

    async def call(request: web.Request) -> web.Response:
        return json_answer({"result": _call(party, request.match_info["name"], await request.read())})

    return [
        web.get(PREFIX + "state", state),
        web.get(PREFIX + "messages", messages),
        web.post(PREFIX + "{name}", call),
    ]


def _call(party: Party, name: str, body: bytes) -> Any:
    method = party.control(name)
    if method is None:
        raise RefusedError(404, {"error": f"a {party.kind} has no control {name!r}"})
    arguments = _arguments(body)
    try:
        inspect.signature(method).bind(**arguments)
    except TypeError as error:
        raise RefusedError(400, {"error": f"{name}: {error}"}) from error
    try:
        return method(**arguments)
    except (LookupError, TypeError, ValueError) as error:
        raise RefusedError(400, {"error": f"{name}: {error}"}) from error


def _arguments(body: bytes) -> dict[str, Any]:
    # the standard decoder, for it takes the odd values (NaN, lone surrogates) that set_row passes on
    try:
        arguments = json.loads(body or b"{}")
    except ValueError as error:
        raise RefusedError(400, {"error": "the body is no JSON"}) from error
    if not isinstance(arguments, dict):
        raise RefusedError(400, {"error": "the body is no JSON object"})
    return arguments
