"""The read endpoints of the API (docs/vendors/jfrog-connect-v1.md). Each takes its question from the body of a GET."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from fleetpulse.simulator.jfrog_connect_v1.devices import position

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from fleetpulse.simulator.jfrog_connect_v1.account import JFrogConnectV1
    from fleetpulse.simulator.jfrog_connect_v1.devices import Device

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 50

Asked = dict[str, Any]


class Routes:
    """Answers requests about one account."""

    def __init__(self, account: JFrogConnectV1) -> None:
        """Answer for this account."""
        self._account = account

    def table(self) -> list[web.RouteDef]:
        """List the routes; each wants the token in its body, what no route takes is refused last."""
        reads = {
            "/v1/get_device_state": self._state,
            "/v1/get_devices_state": self._states,
            "/v1/devices_details": self._details,
        }
        routes = [web.get(path, self._admitted(read)) for path, read in reads.items()]
        return [*routes, web.route("*", "/{path:.*}", self._account.elsewhere)]

    def _admitted(self, read: Callable[[Asked], bytes]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def admitted(request: web.Request) -> web.Response:
            account = self._account
            if account.refusal is not None:
                raise account.error(account.refusal, "The user_token was revoked")
            try:
                asked = json.loads(await request.read())
            except ValueError:
                asked = None
            if not isinstance(asked, dict) or "user_token" not in asked:
                raise account.error(400, "user_token is missing")
            if asked["user_token"] != account.user_token:
                raise account.error(400, "user_token is not valid")
            return web.Response(body=read(asked), content_type=account.content_type, charset="utf-8")

        return admitted

    # -- one device

    def _state(self, asked: Mapping[str, Any]) -> bytes:
        account = self._account
        device = account.fleet.find(asked.get("device_id"))
        if device is None or not device.served():
            raise account.error(400, "The device was not found")
        forms: dict[str, dict[str, Any]] = {
            "device_id": {"device_id": device.uuid},
            "device_uuid": {"device_uuid": device.uuid},
            "number": {"device_id": device.number},
            "device_token": {"device_token": f"dt-{device.number:08x}"},
            "absent": {},
        }
        status = device.word(capital=account.capital_words)
        return json.dumps({"message": {"device_status": status, **forms[account.lone_id]}}).encode()

    # -- lists

    def _states(self, asked: Mapping[str, Any]) -> bytes:
        account = self._account
        rows, _ = self._page(asked)
        encoded = [device.state(account.state_ids, capital=account.capital_words) for device in rows]
        if account.lone_object and len(encoded) == 1:
            return b'{"message":%s}' % encoded[0]
        return b'{"message":[%s]}' % b",".join(encoded)

    def _details(self, asked: Mapping[str, Any]) -> bytes:
        account = self._account
        rows, more = self._page(asked)
        now_s = account.now_s()
        encoded = b",".join(device.details(now_s=now_s, names=account.update_names) for device in rows)
        if not account.more_flag:
            return b'{"message":[%s]}' % encoded
        return b'{"more":%s,"message":[%s]}' % (b"true" if more else b"false", encoded)

    def _page(self, asked: Mapping[str, Any]) -> tuple[Sequence[Device], bool]:
        """Cut the page that is asked for, and tell whether there are rows behind it."""
        account = self._account
        project, group = self._name(asked, "project_name"), self._name(asked, "group_name")
        rows = account.fleet.select(project, group if project is not None else None)
        limit = self._limit(asked)
        end = account.shown_of(len(rows))
        start = 0 if account.stuck_pages else self._start(asked.get("offset"), rows, end)
        stop = min(start + limit, end)
        return rows[start:stop], stop < end

    def _start(self, offset: object, rows: Sequence[Device], end: int) -> int:
        account = self._account
        if offset is None:
            return 0
        device = account.fleet.find(offset)
        if device is not None:
            return position(rows, device.number, inclusive=account.inclusive_offset)
        if account.unknown_offset == "refused":
            raise account.error(400, "offset: the device was not found")
        return end if account.unknown_offset == "empty" else 0

    def _limit(self, asked: Mapping[str, Any]) -> int:
        limit = asked.get("limit", DEFAULT_LIMIT)
        if type(limit) is not int or not 1 <= limit <= MAX_LIMIT:
            raise self._account.error(400, f"limit must be an integer from 1 to {MAX_LIMIT}")
        return DEFAULT_LIMIT if self._account.limit_ignored else limit

    def _name(self, asked: Mapping[str, Any], key: str) -> str | None:
        name = asked.get(key)
        if name is not None and not isinstance(name, str):
            raise self._account.error(400, f"{key} must be a string")
        return name
