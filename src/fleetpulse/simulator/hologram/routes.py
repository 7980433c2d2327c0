"""The read endpoints of the API (docs/vendors/hologram.md)."""

from __future__ import annotations

import base64
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from fleetpulse.simulator.answers import json_answer, raw_json_answer
from fleetpulse.simulator.hologram import times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetpulse.simulator.hologram.account import Hologram
    from fleetpulse.simulator.hologram.devices import Device
    from fleetpulse.simulator.hologram.work import Change, Job

BASE: Final = "/api/1"
HOST: Final = "dashboard.hologram.io"
DEFAULT_LIMIT: Final = 100  # not documented
NUMBER_DIGITS: Final = 18  # no id is as long, and Python itself reads no more than 4,300


class Routes:
    """Answers requests about one account."""

    def __init__(self, account: Hologram) -> None:
        """Answer for this account."""
        self._account = account

    def table(self) -> list[web.RouteDef]:
        """List the routes; each wants the key, what no route takes is refused last."""
        reads = {
            "/users/me": self._me,
            "/devices": self._devices,
            "/devices/batch/state": self._batch,
            "/devices/opensessions": self._open_sessions,
            r"/devices/{device:\d+}": self._device,
            "/asyncchangerequests": self._changes,
        }
        return self._account.table(BASE, reads, self._admit)

    def _admit(self, request: web.Request) -> None:
        account = self._account
        # this text is what a refused key was seen to get; the documents name only the status
        if account.refusal is not None:
            raise account.error(account.refusal, "Not logged in")
        key = base64.b64encode(f"apikey:{account.api_key}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {key}":
            raise account.error(401, "Not logged in")

    async def _me(self, request: web.Request) -> web.Response:
        self._takes(request)
        account = self._account
        user = {
            "id": account.user_id,
            "email": "ada@example.com",
            "first": "Ada",
            "last": "Yard",
            "role": "admin",
            "registered": "2023-03-15 10:30:00",
            "personal_org": account.org_id,
        }
        return json_answer({"success": True, "data": user})

    # -- devices

    async def _devices(self, request: web.Request) -> web.Response:
        account = self._account
        self._takes(request, "orgid", "limit", "startafter")
        mine = self._is_mine(request)
        limit, after = self._window(request)
        shown = account.shown_of(len(account.fleet)) if mine else 0
        if account.endless and shown:
            page, rows = self._endless(after, limit, shown)
            last: int | None = page[-1]
            more = True
        else:
            found = account.fleet.newest_first(None if account.stuck_pages else after, limit, shown)
            page, rows = [device.number for device in found], self._encoded(found)
            last = page[-1] if page else None
            more = bool(page) and page[-1] > account.fleet.rows[len(account.fleet) - shown].number
        if account.data_form == "object":
            listed = b"{%s}" % b",".join(b'"%d":%s' % pair for pair in zip(page, rows, strict=True))
        else:
            listed = b"[%s]" % b",".join(rows)
        head = self._head(request, limit=limit, size=len(rows), more=more, last=last)
        return raw_json_answer(b'%s,"data":%s}' % (msgspec.json.encode(head)[:-1], listed))

    def _encoded(self, devices: Sequence[Device]) -> list[bytes]:
        forms = self._account.forms()
        return [self._account.fleet.encoded(device, forms) for device in devices]

    def _endless(self, after: int | None, limit: int, shown: int) -> tuple[list[int], list[bytes]]:
        """Cut a page of a list without end: the rows come again, or ever new ones, all alike but for their ids."""
        fleet = self._account.fleet
        if self._account.endless == "fresh":
            top = fleet.rows[-1].number + 1 if after is None else after
            numbers = list(range(top - 1, max(top - 1 - limit, 0), -1))
            device = fleet.rows[-1]
            (row,) = self._encoded([device])
            return numbers, [row.replace(b"%d" % device.number, b"%d" % number, 1) for number in numbers]
        at = 0 if after is None else len(fleet) - bisect_left(fleet.rows, after, key=lambda row: row.number)
        page = [fleet.rows[-1 - (at + n) % shown] for n in range(limit)]
        return [device.number for device in page], self._encoded(page)

    async def _device(self, request: web.Request) -> web.Response:
        self._takes(request)
        try:
            device = self._account.fleet[request.match_info["device"]]
        except LookupError:
            raise self._account.error(404, "Device not found") from None
        return raw_json_answer(b'{"success":true,"data":%s}' % self._encoded([device])[0])

    async def _open_sessions(self, request: web.Request) -> web.Response:
        self._takes(request, "orgid")
        if self._account.no_open_sessions:
            raise self._account.error(403, "Forbidden")
        ids = self._account.fleet.open_sessions(self._account.ids) if self._is_mine(request) else b"[]"
        return raw_json_answer(b'{"success":true,"data":{"deviceids":%s}}' % ids)

    # -- jobs and changes

    async def _batch(self, request: web.Request) -> web.Response:
        account = self._account
        self._takes(request, "orgid", "startafter")
        mine = self._is_mine(request)
        if account.no_plan:
            raise account.error(403, "The plan of this organization has no activity history")
        jobs = list(reversed(account.jobs.values())) if mine else []
        start_after = self._number(request, "startafter")
        listed = jobs
        if start_after is not None and not account.stuck_pages:
            listed = [job for job in jobs if job.number < start_after]
        return json_answer(
            {
                "success": True,
                "data": {
                    "tasks": [self._task(job) for job in listed[: account.page_size]],
                    "startAfterIds": self._start_after_ids(jobs),
                    "totalPages": max(1, -(-len(jobs) // account.page_size)),
                    "totalTasks": len(jobs),
                },
            },
        )

    def _start_after_ids(self, jobs: list[Job]) -> list[int | str]:
        page_size = self._account.page_size
        if len(jobs) <= page_size:
            return []
        ends = [job.number for job in jobs[page_size - 1 : -1 : page_size]]
        if self._account.start_after_ids == "each":
            ends.insert(0, jobs[0].number + 1)
        return [self._id(number) for number in ends]

    def _task(self, job: Job) -> dict[str, Any]:
        account = self._account
        spelled = times.iso if account.times == "iso" else times.naive
        task: dict[str, Any] = {
            "job_id": self._id(job.number),
            "requester_org_name": "Yard",
            "requester_first_name": "Ada",
            "requester_last_name": "Yard",
            "timestamp_start": spelled(job.started_at),
            "device_count": job.devices if account.numbers == "int" else str(job.devices),
            "action": job.action,
            "status": job.status,
            "source": job.source,
        }
        if job.ended_at is not None:
            task["timestamp_end"] = spelled(job.ended_at)
        elif account.unset_end != "absent":
            task["timestamp_end"] = None if account.unset_end == "null" else times.ZERO
        return task

    async def _changes(self, request: web.Request) -> web.Response:
        account = self._account
        self._takes(request, "orgid", "limit", "startafter", "start_after")
        if account.no_changes:
            raise account.error(403, "Forbidden")
        limit, after = self._window(request)
        changes = account.changes if self._is_mine(request) else []
        end = len(changes)
        if after is not None and not account.stuck_pages:
            end = bisect_left(changes, after, key=lambda change: change.number)
        begin = self._first_since(request, changes)
        page = changes[max(begin, end - limit) : end][::-1]
        more = bool(page) and page[-1].number > changes[begin].number
        last = page[-1].number if page else None
        head = self._head(request, limit=limit, size=len(page), more=more, last=last)
        user_id, org_id = account.user_id, account.org_id
        rows = [change.row(ids=account.ids, org_id=org_id, user_id=user_id) for change in page]
        return json_answer(head | {"data": rows})

    def _first_since(self, request: web.Request, changes: Sequence[Change]) -> int:
        """Find the first change, in order of creation, that `start_after` lets in."""
        text = request.query.get("start_after")
        if text is None:
            return 0
        try:
            since = times.read(text)
        except ValueError as error:
            raise self._account.error(400, "start_after must be a timestamp or a date") from error
        return bisect_left(changes, since, key=lambda change: change.started_at)

    # -- lists

    def _head(self, request: web.Request, *, limit: int, size: int, more: bool, last: int | None) -> dict[str, Any]:
        """Word what stands beside the rows of a page; on the last one `continues`, `lastid` and `next` are absent."""
        account = self._account
        links: dict[str, Any] = {"path": request.path, "base": HOST}
        head: dict[str, Any] = {
            "success": True,
            "limit": limit,
            "size": size if account.size_form == "int" else f"{size}s",
        }
        if more or (account.last_page == "false" and last is not None):
            following = f"{request.path}?limit={limit}&startafter={last}"
            head["continues"] = more
            if account.lastid == "told" and last is not None:
                head["lastid"] = self._id(last)
            links["next"] = f"https://elsewhere.example{following}" if account.foreign_next else following
        head["links"] = links if account.links_form == "object" else [links]
        return head

    def _window(self, request: web.Request) -> tuple[int, int | None]:
        limit = self._number(request, "limit") or DEFAULT_LIMIT
        return min(limit, self._account.most_rows), self._number(request, "startafter")

    def _is_mine(self, request: web.Request) -> bool:
        """Tell whether the request is about the organisation; one that isn't there has nothing to list."""
        org_id = self._number(request, "orgid")
        return org_id is None or org_id == self._account.org_id

    def _takes(self, request: web.Request, *names: str) -> None:
        """Refuse parameters that are not simulated: the vendor may know more, but not from this client."""
        for name in request.query:
            if name not in names:
                raise self._account.error(400, f"{name} is no parameter of this simulation")

    def _id(self, number: int) -> int | str:
        return number if self._account.ids == "int" else str(number)

    def _number(self, request: web.Request, name: str) -> int | None:
        text = request.query.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS):
            raise self._account.error(400, f"{name} must be an integer")
        return int(text)
