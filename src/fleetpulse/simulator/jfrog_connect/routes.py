"""The read endpoints of the API (docs/vendors/jfrog-connect.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from fleetpulse.simulator.answers import json_answer, raw_json_answer
from fleetpulse.simulator.jfrog_connect import paging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetpulse.simulator.jfrog_connect.account import JFrogConnect
    from fleetpulse.simulator.jfrog_connect.deployments import Deployment
    from fleetpulse.simulator.jfrog_connect.devices import Device
    from fleetpulse.simulator.jfrog_connect.paging import Numbered, Window

PROJECT: Final = "/api/v2/{project_key}"
FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class Routes:
    """Answers requests about one account."""

    def __init__(self, account: JFrogConnect) -> None:
        """Answer for this account."""
        self._account = account

    def table(self) -> list[web.RouteDef]:
        """List the routes; each wants the token and the project's key, what no route takes is refused last."""
        reads = {
            "/devices": self._devices,
            "/devices/{device}": self._device,
            "/deployments": self._deployments,
            "/deployments/{dp}": self._deployment,
            "/deployments/{dp}/devices": self._progress,
            "/deployments/{dp}/devices/{device}": self._steps,
            "/port_tunnel": self._tunnels,
            "/port_tunnel/{tunnel}": self._tunnel,
            "/update-flows": self._flows,
            "/update-flows/{flow}": self._flow,
        }
        return self._account.table(PROJECT, reads, self._admit)

    def _admit(self, request: web.Request) -> None:
        account = self._account
        if account.refusal is not None:
            raise account.error(account.refusal, "The access token was revoked")
        if request.headers.get("Authorization") != f"Bearer {account.token}":
            raise account.error(401, "The access token is missing or not valid")
        if request.match_info["project_key"] != account.project_key:
            raise account.error(404, "There is no such project")

    # -- devices

    async def _devices(self, request: web.Request) -> web.Response:
        account = self._account
        asked = self._window(request)
        rows = account.fleet.select(request.query.get("group_name"), request.query.getall("tags", ()))
        if account.shown != "all":
            rows = rows[: account.shown_of(len(rows))]
        tags_form = account.tags_form if self._flag(request, "enrich_info") else "absent"
        live_at = account.now_s() if account.live() else None
        if account.endless and rows:
            page: Sequence[Device] = [rows[(asked.cursor + n) % len(rows)] for n in range(asked.limit)]
            info = self._endless_info(asked)
        else:
            page = paging.ascending(rows, asked)
            info = self._info(asked, rows, page)
        encoded = [
            account.fleet.listed(device, tags_form=tags_form, live_at=live_at, other_case=account.other_case)
            for device in page
        ]
        if account.endless == "fresh":
            encoded = [
                row.replace(device.uuid.encode(), b"d-%08x" % (asked.cursor + n))
                for n, (row, device) in enumerate(zip(encoded, page, strict=True))
            ]
        return raw_json_answer(self._envelope(encoded, info))

    def _envelope(self, rows: list[bytes], info: dict[str, Any]) -> bytes:
        """Wrap the list's rows (Q8)."""
        form = self._account.devices_envelope
        joined = b",".join(rows)
        if form == "single":
            return rows[0] if rows else b"{}"
        if form == "list":
            return b"[" + joined + b"]"
        return b'{"%s":[%s],"pagination_info":%s}' % (form.encode(), joined, msgspec.json.encode(info))

    async def _device(self, request: web.Request) -> web.Response:
        account = self._account
        uuid = request.match_info["device"]
        if uuid not in account.fleet:
            raise account.error(404, "There is no such device")
        enriched = self._flag(request, account.detail_flag)
        updates = account.deployments.updates_of(uuid) if enriched else None
        return raw_json_answer(
            account.fleet.detail(
                account.fleet[uuid], now_s=account.now_s(), updates=updates, other_case=account.other_case
            )
        )

    # -- deployments

    async def _deployments(self, request: web.Request) -> web.Response:
        account = self._account
        asked = self._window(request)
        if account.deployments_order == "newest":
            rows = account.deployments.newest_first()
            page = paging.descending(rows, asked)
        else:
            rows = account.deployments.oldest_first()
            page = paging.ascending(rows, asked)
        listed = [deployment.row(cve_nested=account.cve_nested) for deployment in page]
        return json_answer({"deployments": listed, "pagination_info": self._info(asked, rows, page)})

    async def _deployment(self, request: web.Request) -> web.Response:
        return json_answer(self._found(request).row(cve_nested=self._account.cve_nested))

    async def _progress(self, request: web.Request) -> web.Response:
        deployment = self._found(request)
        asked = self._window(request)
        page = paging.ascending(deployment.rows, asked)
        start = 0 if self._account.map_prefix else len("d-")
        by_device = {row.device[start:]: row.summary(other_case=self._account.other_case) for row in page}
        info = self._info(asked, deployment.rows, page)
        return json_answer({"deployment_by_device_uuid": by_device, "pagination_info": info})

    async def _steps(self, request: web.Request) -> web.Response:
        device = request.match_info["device"]
        progress = self._found(request).progress.get(device if device.startswith("d-") else f"d-{device}")
        if progress is None:
            raise self._account.error(404, "There is no such device in this deployment")
        return json_answer(progress.detail(wrapped=self._account.wrapped_steps, other_case=self._account.other_case))

    def _found(self, request: web.Request) -> Deployment:
        try:
            return self._account.deployments[request.match_info["dp"]]
        except LookupError:
            raise self._account.error(404, "There is no such deployment") from None

    # -- tunnels and flows

    async def _tunnels(self, _: web.Request) -> web.Response:
        return json_answer(self._account.tunnels.rows(self._account.tunnel_finish, other_case=self._account.other_case))

    async def _tunnel(self, request: web.Request) -> web.Response:
        try:
            tunnel = self._account.tunnels[request.match_info["tunnel"]]
        except LookupError:
            raise self._account.error(404, "There is no such port tunnel") from None
        return json_answer(tunnel.row(self._account.tunnel_finish, other_case=self._account.other_case))

    async def _flows(self, request: web.Request) -> web.Response:
        asked = self._window(request)
        rows = self._account.flows.rows
        page = paging.ascending(rows, asked)
        answer: dict[str, Any] = {"status": "success", "update_flows": [flow.row() for flow in page]}
        info = self._info(asked, rows, page)
        if self._account.flows_paging == "elsewhere":
            answer["next_cursor"] = info["after"]
        elif self._account.flows_paging:
            answer["pagination_info"] = info
        return json_answer(answer)

    async def _flow(self, request: web.Request) -> web.Response:
        flow = self._account.flows.with_uuid(request.match_info["flow"])
        if flow is None or flow.yaml is None:
            raise self._account.error(404, "There is no YAML for this update flow")
        return web.Response(text=flow.yaml, content_type="application/yaml")

    # -- paging

    def _window(self, request: web.Request) -> Window:
        try:
            return paging.window(request.query)
        except ValueError as error:
            raise self._account.error(400, str(error)) from error

    def _flag(self, request: web.Request, name: str) -> bool:
        value = request.query.get(name, "false").lower()
        if value not in FLAGS:
            raise self._account.error(400, f"{name} must be true or false")
        return FLAGS[value]

    def _info(self, asked: Window, rows: Sequence[Numbered], page: Sequence[Numbered]) -> dict[str, Any]:
        """Word `pagination_info`; there is a token past the last row too (Q14), but none on an empty page."""
        account = self._account
        after = None
        if account.repeat_token and rows:
            after = paging.token(rows[min(asked.limit, len(rows)) - 1].serial, asked.limit)
        elif page and (account.last_token or page[-1] is not rows[-1]):
            after = paging.token(page[-1].serial, asked.limit)
        return self._totalled(after, len(rows), len(page))

    def _endless_info(self, asked: Window) -> dict[str, Any]:
        after = paging.token(asked.cursor + asked.limit, asked.limit)
        return self._totalled(after, asked.cursor + 2 * asked.limit, asked.limit)

    def _totalled(self, after: str | None, everything: int, on_page: int) -> dict[str, Any]:
        match self._account.total_mode:
            case "all":
                return {"after": after, "total": everything}
            case "page":
                return {"after": after, "total": on_page}
            case "absent":
                return {"after": after}
