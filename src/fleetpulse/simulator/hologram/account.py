"""One account in the simulated vendor's cloud, and the stories that can be told with it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from aiohttp import web

from fleetpulse.simulator.answers import PlainRefusedError, RefusedError
from fleetpulse.simulator.hologram.devices import Devices, Forms
from fleetpulse.simulator.hologram.oddities import ODDITIES
from fleetpulse.simulator.hologram.routes import BASE, Routes
from fleetpulse.simulator.hologram.work import FIRST_CHANGE, FIRST_JOB, Change, Job
from fleetpulse.simulator.oddity import Oddity
from fleetpulse.simulator.vendor import Vendor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

TOO_MANY: Final = b'{"success":false,"error":"API rate limit exceeded"}'
USER_ID: Final = 501
SIGN_IN: Final = "<html><title>Sign in</title></html>"
ON_OFF: Final = (True, False)


class Hologram(Vendor):
    """A look-alike of Hologram's REST API v1 with one organisation.

    A new fleet is a mix of SIM states and sessions, mostly online, and the same for the same seed. Devices, jobs and
    changes are listed newest first, and so are the ids that stories give. The words of a job's `action`, `status` and
    `source`, and how jobs are paged, are documented nowhere; the defaults here are guesses. Story methods may be
    called between requests at any time; those named in `controls` also over HTTP. Switches are attributes, taken as
    keyword arguments too. The rate's answer never carries `Retry-After`, whatever the `retry_after` switch says.
    Errors: LookupError for a device, job or change that isn't there; ValueError for an impossible wish.
    Source: docs/vendors/hologram.md.
    """

    kind = "hologram"
    controls: ClassVar[frozenset[str]] = Vendor.controls | {
        "add_device", "set_status", "set_sim", "use_data", "start_job", "set_job_status", "finish_job", "fail_job",
        "forget_job", "start_change", "set_change_state", "finish_change", "forget_change", "set_key",
    }  # fmt: skip
    switches: ClassVar[Mapping[str, tuple[Any, ...] | None]] = {
        **Vendor.switches,
        "page_size": None,
        "most_rows": None,
        "times": ("iso", "naive"),
        "ids": ("int", "str"),
        "numbers": ("int", "str"),
        "unset_end": ("null", "absent", "zeros"),
        "start_after_ids": ("following", "each"),
        "stuck_pages": ON_OFF,
        "no_plan": ON_OFF,
        "no_changes": ON_OFF,
        "no_open_sessions": ON_OFF,
        "tags_form": ("objects", "names"),
        "open_session": ("both", "flag", "zeros"),
        "no_session": ("null", "absent", "object", "list"),
        "sessions": ("told", "left_out"),
        "data_form": ("list", "object"),
        "links_form": ("object", "array"),
        "last_page": ("absent", "false"),
        "lastid": ("told", "absent"),
        "foreign_next": ON_OFF,
        "size_form": ("int", "text"),
        "error_bodies": ("envelope", "html", "none"),
        "endless": (True, False, "fresh"),
    }

    oddities: ClassVar[Sequence[Oddity]] = ODDITIES
    fleet: Devices
    lists_newest_first: ClassVar[bool] = True

    page_size: int = 100  # of jobs
    most_rows: int = 1000  # of other lists, whatever `limit` says; the real one is documented nowhere
    times: Literal["iso", "naive"] = "iso"  # of jobs; all else is naive
    ids: Literal["int", "str"] = "int"
    numbers: Literal["int", "str"] = "int"  # counts and bytes
    unset_end: Literal["null", "absent", "zeros"] = "null"
    # one cursor for each page after the first, or one for each page (the first one's too)
    start_after_ids: Literal["following", "each"] = "following"
    stuck_pages: bool = False  # every page is the first, as if `startafter` were unknown
    no_plan: bool = False  # the organisation's plan lacks the activity history
    no_changes: bool = False  # 403 on change requests
    no_open_sessions: bool = False  # 403 on open sessions
    tags_form: Literal["objects", "names"] = "objects"
    open_session: Literal["both", "flag", "zeros"] = "both"  # what tells it: `active`, the zero end, or both
    no_session: Literal["null", "absent", "object", "list"] = "null"  # of a device that never connected
    sessions: Literal["told", "left_out"] = "told"  # left_out: no row has `lastsession`
    data_form: Literal["list", "object"] = "list"  # object: rows under their ids
    links_form: Literal["object", "array"] = "object"  # of the envelope
    last_page: Literal["absent", "false"] = "absent"  # false: `continues` is told false, beside `lastid` and `next`
    lastid: Literal["told", "absent"] = "told"
    size_form: Literal["int", "text"] = "int"  # text: "2s", as one example has it
    error_bodies: Literal["envelope", "html", "none"] = "envelope"  # of all refusals but 429
    foreign_next: bool = False  # `links.next` names another host
    endless: bool | Literal["fresh"] = False  # the device list never ends: rows come again, or ("fresh") ever new ones

    def __init__(
        self,
        devices: int = 0,
        api_key: str = "demo-key",
        org_id: int = 9001,
        seed: int = 1,
        now: Callable[[], datetime] | None = None,
        **switches: Any,
    ) -> None:
        """Open the account with this many devices, and without any job or change."""
        super().__init__(seed=seed, now=now, **switches)
        self.api_key = api_key
        self.org_id = org_id
        self.user_id = USER_ID
        self.jobs: dict[int, Job] = {}
        self.changes: list[Change] = []
        self._last_job = FIRST_JOB - 1
        self._last_change = FIRST_CHANGE - 1
        self.fleet = Devices(org_id, self._rng)
        now_s = self.now_s()
        for _ in range(devices):
            self.fleet.invent(now_s=now_s)

    # -- devices

    def uuids(self, status: str | None = None) -> list[str]:
        """List the devices' ids as text in list order, all or those "online" or "offline"."""
        rows = reversed(self.fleet.rows)
        return [str(device.number) for device in rows if status is None or device.status == status]

    def add_device(
        self,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        status: str = "online",
        sim: str = "LIVE",
        **fields: Any,
    ) -> str:
        """Add a device and give its id; what isn't said is invented, `fields` override its row's fields.

        `status` is "online", "offline" or "never": it never connected.
        """
        device = self.fleet.invent(now_s=self.now_s())
        device.sim = sim
        if name is not None:
            device.name = name
        if tags is not None:
            device.tags = tuple(tags)
        if fields:
            device.oddity = Oddity(fields)
        if device.began_at is None:
            device.began_at = device.created_at
        self.set_status(str(device.number), status)
        return str(device.number)

    def set_status(self, uuid: str | Sequence[str], status: str) -> None:
        """Open a session of one device or several ("online"), end it ("offline"), or take it all back ("never")."""
        for device in self.each(uuid):
            match status:
                case "online":
                    self.fleet.connect(device, self.now_s())
                case "offline":
                    self.fleet.disconnect(device, self.now_s())
                case "never":
                    device.began_at = device.ended_at = None
                    self.fleet.disconnect(device, self.now_s())
                case _:
                    message = f"a device is online, offline or never was, not {status!r}"
                    raise ValueError(message)

    def set_sim(self, uuid: str | Sequence[str], state: str) -> None:
        """Give the SIM of one device or several a state, any word; a session that is open goes on."""
        for device in self.each(uuid):
            device.sim = state
            self.fleet.touch(device)

    def use_data(self, uuid: str, n_bytes: int) -> None:
        """Let a device use so many bytes more."""
        device = self.fleet[uuid]
        device.used_bytes += n_bytes
        self.fleet.touch(device)

    # -- jobs

    def start_job(
        self,
        action: str = "pause",
        devices: int = 120,
        source: str = "api",
        status: str = "in_progress",
    ) -> int:
        """Start a bulk job and give its id."""
        self._last_job += 1
        job = Job(self._last_job, action, devices, source, status, self.now_s())
        self.jobs[job.number] = job
        return job.number

    def set_job_status(self, job_id: int, status: str) -> None:
        """Give a job a status, any word, without ending it."""
        self._job(job_id).status = status

    def finish_job(self, job_id: int, status: str = "complete") -> None:
        """End a job."""
        job = self._job(job_id)
        job.status, job.ended_at = status, self.now_s()

    def fail_job(self, job_id: int, status: str = "error") -> None:
        """End a job badly."""
        self.finish_job(job_id, status)

    def forget_job(self, job_id: int) -> None:
        """Let a job vanish from the list, finished or not."""
        del self.jobs[self._job(job_id).number]

    def _job(self, job_id: int) -> Job:
        try:
            return self.jobs[int(job_id)]
        except KeyError:
            message = f"no job {job_id!r}"
            raise LookupError(message) from None

    # -- changes

    def start_change(
        self,
        request_type: str = "sim_state_pause",
        devices: int = 3,
        state: str = "in_progress",
    ) -> int:
        """Make a change request and give its id; one of several devices has a part for each, listed as well."""
        whole = self._change(request_type, state)
        if devices > 1:
            parts = [self._change(request_type, state, parent=whole.number) for _ in range(devices)]
            whole.parts = [part.number for part in parts]
        return whole.number

    def set_change_state(self, change_id: int, state: str) -> None:
        """Give a change request and its parts a state, any word."""
        for change in self._with_parts(change_id):
            change.state, change.updated_at = state, self.now_s()

    def finish_change(self, change_id: int, state: str = "complete") -> None:
        """End a change request and its parts."""
        self.set_change_state(change_id, state)

    def forget_change(self, change_id: int) -> None:
        """Let a change request and its parts vanish from the list."""
        gone = {change.number for change in self._with_parts(change_id)}
        self.changes = [change for change in self.changes if change.number not in gone]

    def _change(self, request_type: str, state: str, parent: int | None = None) -> Change:
        self._last_change += 1
        now_s = self.now_s()
        change = Change(self._last_change, request_type, state, now_s, now_s, parent)
        self.changes.append(change)
        return change

    def _with_parts(self, change_id: int) -> list[Change]:
        found = [change for change in self.changes if int(change_id) in {change.number, change.parent}]
        if not found:
            message = f"no change {change_id!r}"
            raise LookupError(message)
        return found

    # -- the account

    def set_key(self, api_key: str) -> None:
        """Take this key, and no other, from now on."""
        self.api_key, self.refusal = api_key, None

    def forms(self) -> Forms:
        """Tell how the rows of devices are worded now."""
        return Forms(self.ids, self.numbers, self.tags_form, self.open_session, self.no_session, self.sessions)

    def settings(self, url: str) -> dict[str, str]:
        """Tell what a config has to say; see `Vendor.settings`."""
        return {"base_url": f"{url}{BASE}", "api_key": self.api_key}

    def routes(self) -> list[web.RouteDef]:
        """List the API's routes."""
        return Routes(self).table()

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> RefusedError:
        """Word a refusal in the error envelope, or as `error_bodies` says."""
        if self.error_bodies == "envelope":
            return RefusedError(status, {"success": False, "error": message}, headers)
        return PlainRefusedError(status, SIGN_IN if self.error_bodies == "html" else "", headers)

    def too_many(self, headers: Mapping[str, str]) -> web.Response:
        """Answer 429 as documented: a body, and no `Retry-After`."""
        del headers
        return web.Response(status=429, body=TOO_MANY, content_type="application/json")

    def state(self) -> dict[str, Any]:
        """Add the jobs and changes by status."""
        told = {
            "jobs": _counted(job.status for job in self.jobs.values()),
            "changes": _counted(change.state for change in self.changes if change.parent is None),
        }
        return super().state() | told


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words))
