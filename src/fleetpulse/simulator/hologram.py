"""A look-alike of Hologram's REST API v1: bulk state change jobs, and the account.

Source: docs/vendors/hologram.md. The words of `action`, `status` and `source`, and how the jobs are paged, are
documented nowhere; the defaults here are guesses.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from aiohttp import web

from fleetpulse.simulator.answers import RefusedError, json_answer
from fleetpulse.simulator.vendor import Vendor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

TOO_MANY: Final = b'{"success":false,"error":"API rate limit exceeded"}'
ZERO_TIME: Final = "0000-00-00 00:00:00"
FIRST_JOB: Final = 41


@dataclass(slots=True)
class Job:
    """A bulk state change; times in seconds since the epoch."""

    number: int
    action: str
    devices: int
    source: str
    status: str
    started_at: float
    ended_at: float | None = None


class Hologram(Vendor):
    """A look-alike of Hologram's REST API v1 with one organisation.

    Jobs are listed newest first. Story methods may be called between requests at any time; those named in
    `controls` also over HTTP. Switches are attributes, taken as keyword arguments too. The rate's answer never
    carries `Retry-After`, whatever the `retry_after` switch says.
    Errors: LookupError for a job that isn't there.
    Source: docs/vendors/hologram.md.
    """

    kind = "hologram"
    controls: ClassVar[frozenset[str]] = Vendor.controls | {
        "start_job", "set_job_status", "finish_job", "fail_job", "forget_job", "revoke", "set_key",
    }  # fmt: skip
    switches: ClassVar[Mapping[str, tuple[Any, ...] | None]] = {
        **Vendor.switches,
        "page_size": None,
        "times": ("iso", "naive"),
        "ids": ("int", "str"),
        "unset_end": ("null", "absent", "zeros"),
        "start_after_ids": ("following", "each"),
        "stuck_pages": (True, False),
        "no_plan": (True, False),
    }

    page_size: int = 100
    times: Literal["iso", "naive"] = "iso"
    ids: Literal["int", "str"] = "int"
    unset_end: Literal["null", "absent", "zeros"] = "null"
    # one cursor for each page after the first, or one for each page (the first one's too)
    start_after_ids: Literal["following", "each"] = "following"
    stuck_pages: bool = False  # every page is the first, as if `startafter` were unknown
    no_plan: bool = False  # the organisation's plan lacks the activity history

    def __init__(
        self,
        api_key: str = "demo-key",
        org_id: int = 9001,
        now: Callable[[], datetime] | None = None,
        **switches: Any,
    ) -> None:
        """Open the account, without any job."""
        super().__init__(now=now, **switches)
        self.api_key = api_key
        self.org_id = org_id
        self.revoked = False
        self._jobs: dict[int, Job] = {}
        self._last_job = FIRST_JOB - 1

    # -- stories

    def start_job(
        self,
        action: str = "pause",
        devices: int = 120,
        source: str = "api",
        status: str = "in_progress",
    ) -> int:
        """Start a bulk job and give its id."""
        self._last_job += 1
        job = Job(self._last_job, action, devices, source, status, self.now().timestamp())
        self._jobs[job.number] = job
        return job.number

    def set_job_status(self, job_id: int, status: str) -> None:
        """Give a job a status, any word, without ending it."""
        self._job(job_id).status = status

    def finish_job(self, job_id: int, status: str = "complete") -> None:
        """End a job."""
        job = self._job(job_id)
        job.status, job.ended_at = status, self.now().timestamp()

    def fail_job(self, job_id: int, status: str = "error") -> None:
        """End a job badly."""
        self.finish_job(job_id, status)

    def forget_job(self, job_id: int) -> None:
        """Let a job vanish from the list, finished or not."""
        del self._jobs[self._job(job_id).number]

    def revoke(self) -> None:
        """Refuse every key, until `set_key`."""
        self.revoked = True

    def set_key(self, api_key: str) -> None:
        """Take this key, and no other, from now on."""
        self.api_key, self.revoked = api_key, False

    def _job(self, job_id: int) -> Job:
        try:
            return self._jobs[int(job_id)]
        except KeyError:
            message = f"no job {job_id!r}"
            raise LookupError(message) from None

    # -- answers

    def routes(self) -> list[web.RouteDef]:
        """List the API's routes."""
        return [
            web.get("/api/1/users/me", self._admitted(self._me)),
            web.get("/api/1/devices", self._admitted(self._devices)),
            web.get("/api/1/devices/batch/state", self._admitted(self._batch)),
            web.route("*", "/{path:.*}", self.elsewhere),
        ]

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> RefusedError:
        """Word a refusal in the error envelope."""
        return RefusedError(status, {"success": False, "error": message}, headers)

    def too_many(self, headers: Mapping[str, str]) -> web.Response:
        """Answer 429 as documented: a body, and no `Retry-After`."""
        del headers
        return web.Response(status=429, body=TOO_MANY, content_type="application/json")

    def state(self) -> dict[str, Any]:
        """Add the jobs by status."""
        statuses: dict[str, int] = {}
        for job in self._jobs.values():
            statuses[job.status] = statuses.get(job.status, 0) + 1
        return super().state() | {"jobs": statuses}

    def _admitted(
        self,
        read: Callable[[web.Request], Awaitable[web.Response]],
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def admitted(request: web.Request) -> web.Response:
            # 401 and this text are what a refused key was seen to get; the documents name only the status
            if self.revoked or request.headers.get("Authorization") != self._credentials():
                raise self.error(401, "Not logged in")
            return await read(request)

        return admitted

    def _credentials(self) -> str:
        return "Basic " + base64.b64encode(f"apikey:{self.api_key}".encode()).decode()

    async def _me(self, _: web.Request) -> web.Response:
        me = {"id": 501, "first": "Ada", "last": "Yard", "email": "ada@example.com", "orgid": self.org_id}
        return json_answer({"success": True, "data": me})

    async def _devices(self, request: web.Request) -> web.Response:
        """Answer the envelope without a device; devices have their place here, but no story yet."""
        self._check_org(request)
        limit = self._number(request, "limit") or 100
        return json_answer(
            {
                "success": True,
                "limit": limit,
                "size": 0,
                "links": {"path": "/api/1/devices", "base": "dashboard.hologram.io"},
                "data": [],
            },
        )

    async def _batch(self, request: web.Request) -> web.Response:
        mine = self._check_org(request)
        if self.no_plan:
            raise self.error(403, "The plan of this organization has no activity history")
        jobs = list(reversed(self._jobs.values())) if mine else []
        start_after = self._number(request, "startafter")
        shown = jobs
        if start_after is not None and not self.stuck_pages:
            shown = [job for job in jobs if job.number < start_after]
        pages = max(1, -(-len(jobs) // self.page_size))
        return json_answer(
            {
                "success": True,
                "data": {
                    "tasks": [self._task(job) for job in shown[: self.page_size]],
                    "startAfterIds": self._start_after_ids(jobs),
                    "totalPages": pages,
                    "totalTasks": len(jobs),
                },
            },
        )

    def _start_after_ids(self, jobs: list[Job]) -> list[int | str]:
        if len(jobs) <= self.page_size:
            return []
        ends = [job.number for job in jobs[self.page_size - 1 : -1 : self.page_size]]
        if self.start_after_ids == "each":
            ends.insert(0, jobs[0].number + 1)
        return [self._id(number) for number in ends]

    def _task(self, job: Job) -> dict[str, Any]:
        task: dict[str, Any] = {
            "job_id": self._id(job.number),
            "requester_org_name": "Yard",
            "requester_first_name": "Ada",
            "requester_last_name": "Yard",
            "timestamp_start": self._time(job.started_at),
            "device_count": job.devices,
            "action": job.action,
            "status": job.status,
            "source": job.source,
        }
        if job.ended_at is not None:
            task["timestamp_end"] = self._time(job.ended_at)
        elif self.unset_end != "absent":
            task["timestamp_end"] = None if self.unset_end == "null" else ZERO_TIME
        return task

    def _id(self, number: int) -> int | str:
        return number if self.ids == "int" else str(number)

    def _time(self, epoch_s: float) -> str:
        form = "%Y-%m-%dT%H:%M:%SZ" if self.times == "iso" else "%Y-%m-%d %H:%M:%S"
        return datetime.fromtimestamp(epoch_s, UTC).strftime(form)

    def _check_org(self, request: web.Request) -> bool:
        """Tell whether the request is about the organisation; one that isn't there has nothing to list."""
        org_id = self._number(request, "orgid")
        return org_id is None or org_id == self.org_id

    def _number(self, request: web.Request, name: str) -> int | None:
        text = request.query.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit()):
            raise self.error(400, f"{name} must be an integer")
        return int(text)
