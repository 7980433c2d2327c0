"""The read endpoints of the API (docs/vendors/scalepad.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from fleetpulse.simulator.answers import json_answer, raw_json_answer
from fleetpulse.simulator.scalepad import paging
from fleetpulse.simulator.scalepad.dates import iso
from fleetpulse.simulator.scalepad.devices import MARKED
from fleetpulse.simulator.scalepad.enrolments import STATUSES as ENROLMENT_STATUSES
from fleetpulse.simulator.scalepad.orders import BY_HEARTBEAT, SORTS, Filters, key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fleetpulse.simulator.scalepad.account import ScalePad
    from fleetpulse.simulator.scalepad.devices import Device
    from fleetpulse.simulator.scalepad.orders import Key

BASE: Final = "/v2"
CLIENT: Final = BASE + "/clients/{client_id}"
STATUSES: Final = ("active", "inactive", "pending")


class Routes:
    """Answers requests about one account."""

    def __init__(self, account: ScalePad) -> None:
        """Answer for this account."""
        self._account = account

    def table(self) -> list[web.RouteDef]:
        """List the routes, the summary before the device that could be called so; the rest is refused."""
        reads = {
            "/devices": self._devices,
            "/devices/summary": self._summary,
            "/devices/{device_id}": self._device,
            "/devices/{device_id}/deployments": self._enrolments,
        }
        return self._account.table(CLIENT, reads, self._admit)

    def _admit(self, request: web.Request) -> None:
        account = self._account
        if account.refusal is not None:
            raise account.error(account.refusal, "The token was revoked")
        if request.headers.get("Authorization") != f"Bearer {account.token}":
            raise account.error(401, "Authentication required")
        client = request.match_info["client_id"]
        if not paging.is_uuid(client):
            raise account.error(400, "client_id must be a UUID")
        if client == account.foreign_client:
            raise account.error(403, "Insufficient permissions for this client")
        if client != account.client_id:
            raise account.error(404, "Client not found")

    # -- the list

    async def _devices(self, request: web.Request) -> web.Response:
        account, query = self._account, request.query
        sort_by = self._choice(query.get("sort_by", BY_HEARTBEAT), SORTS, "sort_by")
        order = self._choice(query.get("sort_order", "desc"), ("asc", "desc"), "sort_order")
        filters = self._filters(request)
        limit = self._size(request)
        question = f"{sort_by} {order} {msgspec.json.encode(filters).decode()}"
        tick = account.tick()
        rows = account.orders.rows(sort_by, filters, tick=tick, nulls=account.nulls, folded=account.os_any_case)
        if account.shown != "all":
            rows = rows[: account.shown_of(len(rows))]

        def placed(device: Device) -> Key:
            return key(device, sort_by, tick=tick, nulls=account.nulls)

        page = self._cut(request, rows, question=question, limit=limit, descending=order == "desc", placed=placed)
        cursor = None
        if page.more or account.repeat_cursor:
            # one that is repeated leads back to the page after the first
            last = rows[min(limit, len(rows)) - 1] if account.repeat_cursor else page.rows[-1]
            cursor = paging.cursor(last, placed(last), of=question, made=account.cursors)
        return raw_json_answer(self._envelope(page.rows, len(rows), cursor, tick))

    def _cut(
        self,
        request: web.Request,
        rows: Sequence[Device],
        *,
        question: str,
        limit: int,
        descending: bool,
        placed: Callable[[Device], Key],
    ) -> paging.Page:
        text = request.query.get("cursor")
        try:
            after = None if text is None else paging.opened(text, of=question, made=self._account.cursors)
            return paging.page(rows, after=after, limit=limit, descending=descending, key=placed)
        except ValueError as error:
            raise self._account.error(400, str(error)) from error
        except TypeError as error:  # a forged cursor: a time where a name should be
            raise self._account.error(400, paging.NOT_VALID) from error

    def _envelope(self, rows: Sequence[Device], total: int, cursor: str | None, tick: float) -> bytes:
        fleet = self._account.fleet
        joined = b",".join([fleet.encoded(device) for device in rows])
        data = joined.replace(MARKED, msgspec.json.encode(iso(tick)))
        if cursor is None and self._account.last_cursor == "absent":
            return b'{"data":[%b],"total_count":%d}' % (data, total)
        return b'{"data":[%b],"total_count":%d,"next_cursor":%b}' % (data, total, msgspec.json.encode(cursor))

    # -- one device, and the count of all

    async def _device(self, request: web.Request) -> web.Response:
        account = self._account
        row = account.fleet.encoded(self._found(request))
        return raw_json_answer(row.replace(MARKED, msgspec.json.encode(iso(account.tick()))))

    async def _summary(self, _: web.Request) -> web.Response:
        account = self._account
        versions = sorted(version for version, devices in account.fleet.agents.items() if devices)
        return json_answer(
            {
                "total_devices": len(account.fleet),
                "agent_versions": {"distinct_count": len(versions), "versions": versions},
                "deployment_errors": account.enrolments.errors(),
            },
        )

    async def _enrolments(self, request: web.Request) -> web.Response:
        status = request.query.get("status")
        if status is not None:
            self._choice(status, ENROLMENT_STATUSES, "status")
        limit = self._size(request)
        listed = [each for each in self._account.enrolments.of(self._found(request)) if status in {None, each.status}]
        start = self._offset(request)
        cursor = f"o{start + limit}" if start + limit < len(listed) else None
        answer: dict[str, Any] = {
            "data": [each.row() for each in listed[start : start + limit]],
            "total_count": len(listed),
        }
        if cursor is not None or self._account.last_cursor == "null":
            answer["next_cursor"] = cursor
        return json_answer(answer)

    # -- what was asked

    def _found(self, request: web.Request) -> Device:
        uuid = request.match_info["device_id"]
        if not paging.is_uuid(uuid):
            raise self._account.error(400, "device_id must be a UUID")
        try:
            return self._account.fleet[uuid]
        except LookupError:
            raise self._account.error(404, "Device not found") from None

    def _filters(self, request: web.Request) -> Filters:
        query = request.query
        user_id, status = query.get("user_id"), query.get("status")
        if user_id is not None and not paging.is_uuid(user_id):
            raise self._account.error(400, "user_id must be a UUID")
        if status is not None:
            self._choice(status, STATUSES, "status")
        return Filters(query.get("q"), user_id, status, query.get("os_name"))

    def _size(self, request: web.Request) -> int:
        try:
            return paging.size(request.query.get("page_size"), clamped=self._account.clamps)
        except ValueError as error:
            raise self._account.error(400, str(error)) from error

    def _offset(self, request: web.Request) -> int:
        text = request.query.get("cursor", "o0")
        if not (text[:1] == "o" and text[1:].isascii() and text[1:].isdigit() and len(text) < 10):  # noqa: PLR2004 - a sane number
            raise self._account.error(400, paging.NOT_VALID)
        return int(text[1:])

    def _choice(self, value: str, choices: Sequence[str], name: str) -> str:
        if value not in choices:
            raise self._account.error(400, f"{name} must be one of {', '.join(choices)}")
        return value
