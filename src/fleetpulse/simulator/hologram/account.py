"""One account in the simulated vendor's cloud, and the stories that can be told with it."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from aiohttp import web

from fleetpulse.simulator.answers import RefusedError
from fleetpulse.simulator.hologram.devices import Devices, Forms
from fleetpulse.simulator.hologram.oddities import ODDITIES
from fleetpulse.simulator.hologram.routes import BASE, Routes
from fleetpulse.simulator.hologram.work import FIRST_CHANGE, FIRST_JOB, Change, Job
from fleetpulse.simulator.vendor import Vendor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

TOO_MANY: Final = b'{"success":false,"error":"API rate limit exceeded"}'
USER_ID: Final = 501
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
        "add_device", "set_status", "set_sim", "use_data", "drop", "restore", "remove", "rename", "empty_list",
        "half_list", "set_row", "set_raw", "odd_rows", "even_rows", "uuids", "start_job", "set_job_status",
        "finish_job", "fail_job", "forget_job", "start_change", "set_change_state", "finish_change", "forget_change",
        "revoke", "set_key",
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
        "endless": (True, False, "fresh"),
    }

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
        super().__init__(now=now, **switches)
        self.api_key = api_key
        self.org_id = org_id
        self.user_id = USER_ID
        self.refusal: int | None = None
        self.shown: Literal["all", "half", "none"] = "all"
        self.jobs: dict[int, Job] = {}
        self.changes: list[Change] = []
        self._last_job = FIRST_JOB - 1
        self._last_change = FIRST_CHANGE - 1
        self._rng = Random(seed)  # noqa: S311 - it invents a fleet
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
        device.odd = dict(fields)
        if device.began_at is None:
            device.began_at = device.created_at
        self.set_status(str(device.number), status)
        return str(device.number)

    def set_status(self, uuid: str | Sequence[str], status: str) -> None:
        """Open a session of one device or several ("online"), end it ("offline"), or take it all back ("never")."""
        for device in [self.fleet[each] for each in _several(uuid)]:
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
        for device in [self.fleet[each] for each in _several(uuid)]:
            device.sim = state
            self.fleet.touch(device)

    def use_data(self, uuid: str, n_bytes: int) -> None:
        """Let a device use so many bytes more."""
        device = self.fleet[uuid]
        device.used_bytes += n_bytes
        self.fleet.touch(device)

    def drop(self, n: int) -> list[str]:
        """End the sessions of `n` online devices, chosen by the seed, and give their ids in list order."""
        online = self.uuids("online")
        if n > len(online):
            message = f"only {len(online)} devices are online"
            raise ValueError(message)
        chosen = set(self._rng.sample(online, n))
        dropped = [uuid for uuid in online if uuid in chosen]
        self.set_status(dropped, "offline")
        return dropped

    def restore(self, n: int | None = None) -> list[str]:
        """Bring the first `n` offline devices online again (None: all) and give their ids."""
        back = self.uuids("offline")[:n]
        self.set_status(back, "online")
        return back

    def remove(self, uuids: str | Sequence[str]) -> None:
        """Delete devices."""
        self.fleet.remove(_several(uuids))

    def rename(self, uuid: str, name: str) -> None:
        """Give a device another name."""
        device = self.fleet[uuid]
        device.name = name
        self.fleet.touch(device)

    def empty_list(self, on: bool = True) -> None:
        """Let the device list answer as if there were no device."""
        self.shown = "none" if on else "all"

    def half_list(self, on: bool = True) -> None:
        """Let the device list answer as if there were only its first half."""
        self.shown = "half" if on else "all"

    def set_row(self, uuid: str, without: Sequence[str] = (), **raw: Any) -> None:
        """Override fields of a device's row with any JSON value, and leave out the fields named in `without`."""
        device = self.fleet[uuid]
        device.odd = (device.odd or {}) | raw
        device.without = device.without.union(without)
        self.fleet.touch(device)

    def set_raw(self, uuid: str, body: bytes | str) -> None:
        """Put these bytes, JSON or not, where a device's row should be."""
        device = self.fleet[uuid]
        device.raw = body.encode() if isinstance(body, str) else body

    def odd_rows(self, n: int) -> list[str]:
        """Spoil the rows of `n` devices, each in another way while ways last; give their ids in list order."""
        chosen = sorted(self._rng.sample(self.fleet.rows, n), key=lambda device: -device.number)
        for number, device in enumerate(chosen):
            oddity = ODDITIES[number % len(ODDITIES)]
            device.odd, device.without, device.raw = dict(oddity.odd), oddity.without, oddity.raw
            self.fleet.touch(device)
        return [str(device.number) for device in chosen]

    def even_rows(self) -> None:
        """Undo all that `set_row`, `set_raw`, `odd_rows` and the fields of `add_device` did."""
        for device in self.fleet.rows:
            device.odd, device.without, device.raw = None, frozenset(), None
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

    def revoke(self, status: int = 401) -> None:
        """Refuse every key with this status, which may be 200, until `set_key`."""
        self.refusal = status

    def set_key(self, api_key: str) -> None:
        """Take this key, and no other, from now on."""
        self.api_key, self.refusal = api_key, None

    def now_s(self) -> float:
        """Tell the account's time in seconds since the epoch."""
        return self.now().timestamp()

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
        """Word a refusal in the error envelope."""
        return RefusedError(status, {"success": False, "error": message}, headers)

    def too_many(self, headers: Mapping[str, str]) -> web.Response:
        """Answer 429 as documented: a body, and no `Retry-After`."""
        del headers
        return web.Response(status=429, body=TOO_MANY, content_type="application/json")

    def state(self) -> dict[str, Any]:
        """Add how the fleet fares, and the jobs and changes by status."""
        told = {
            "devices": _counted(device.status for device in self.fleet.rows),
            "jobs": _counted(job.status for job in self.jobs.values()),
            "changes": _counted(change.state for change in self.changes if change.parent is None),
        }
        return super().state() | told


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words))


def _several(uuids: str | Sequence[str]) -> list[str]:
    return [uuids] if isinstance(uuids, str) else list(uuids)
