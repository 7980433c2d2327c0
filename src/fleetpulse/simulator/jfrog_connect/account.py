"""One project in the simulated vendor's cloud, and the stories that can be told with it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from fleetpulse.simulator.answers import RefusedError, json_answer
from fleetpulse.simulator.jfrog_connect.deployments import FAILED, FINAL, SUCCEEDED, Deployments, Step
from fleetpulse.simulator.jfrog_connect.devices import MAX_LIVE, Devices, TagsForm
from fleetpulse.simulator.jfrog_connect.flows import Flows
from fleetpulse.simulator.jfrog_connect.oddities import ODDITIES
from fleetpulse.simulator.jfrog_connect.routes import Routes
from fleetpulse.simulator.jfrog_connect.tunnels import Tunnels, UnsetTime
from fleetpulse.simulator.vendor import Vendor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from aiohttp import web

Envelope = Literal["devices", "data", "items", "list", "single"]
TotalMode = Literal["all", "page", "absent"]
ON_OFF = (True, False)


class JFrogConnect(Vendor):
    """A look-alike of JFrog Connect's REST API v2 with one project.

    A new fleet is online, spread over `groups` in turn, and the same for the same seed. Story methods may be
    called between requests at any time; those named in `controls` also over HTTP. Switches are attributes,
    taken as keyword arguments too; each that speaks of a quirk has its number.
    Errors: LookupError for a device, deployment, tunnel or flow that isn't there; ValueError for an impossible wish.
    Source: docs/vendors/jfrog-connect.md.
    """

    kind = "jfrog-connect"
    controls: ClassVar[frozenset[str]] = Vendor.controls | {
        "add_device", "set_status", "drop", "restore", "remove", "rename", "move", "empty_list", "half_list",
        "revoke", "set_token", "deploy", "advance", "settle", "forget_deployment", "open_tunnel", "close_tunnel",
        "set_row", "set_raw", "odd_rows", "even_rows", "uuids", "add_flow", "set_severity", "forget_tunnel",
    }  # fmt: skip
    switches: ClassVar[Mapping[str, tuple[Any, ...] | None]] = {
        **Vendor.switches,
        "devices_envelope": ("devices", "data", "items", "list", "single"),
        "total_mode": ("all", "page", "absent"),
        "tags_form": ("list", "object", "names", "null", "absent"),
        "tunnel_finish": ("null", "empty", "absent"),
        "deployments_order": ("newest", "oldest"),
        "endless": (True, False, "fresh"),
        "live_keepalive": (None, True, False),
        "detail_flag": None,
        "map_prefix": ON_OFF,
        "wrapped_steps": ON_OFF,
        "cve_nested": ON_OFF,
        "flows_paging": ON_OFF,
        "last_token": ON_OFF,
        "repeat_token": ON_OFF,
    }

    devices_envelope: Envelope = "devices"  # Q8
    total_mode: TotalMode = "all"  # what pagination_info.total counts: all rows, this page's, or it is left out
    tags_form: TagsForm = "object"  # Q9, of the enriched list; a device alone has a plain list
    tunnel_finish: UnsetTime = "null"
    deployments_order: Literal["newest", "oldest"] = "newest"
    endless: bool | Literal["fresh"] = False  # the device list never ends: rows come again, or ("fresh") ever new ones
    live_keepalive: bool | None = None  # None: up to 5,000 devices
    detail_flag: str = "enrich_info"  # the query flag that enriches a device's detail; its name is not documented
    map_prefix: bool = False  # Q13: True keys a deployment's devices with `d-`
    wrapped_steps: bool = False  # Q11
    cve_nested: bool = False  # Q10
    flows_paging: bool = False  # True adds pagination_info to the update flows
    last_token: bool = True  # Q14: a token on the last page too
    repeat_token: bool = False  # every page carries the first page's token

    def __init__(  # noqa: PLR0917 - the ways a test may set up an account; all have defaults
        self,
        devices: int = 0,
        project_key: str = "yard",
        token: str = "demo-token",  # noqa: S107 - invented, for an invented account
        groups: Sequence[str] = ("Lyon", "Nantes", "Porto"),
        seed: int = 1,
        now: Callable[[], datetime] | None = None,
        **switches: Any,
    ) -> None:
        """Open the account with this many devices, two update flows and no deployment."""
        super().__init__(now=now, **switches)
        self.project_key = project_key
        self.token = token
        self.groups = tuple(groups)
        self.refusal: int | None = None
        self.shown: Literal["all", "half", "none"] = "all"
        self._rng = Random(seed)  # noqa: S311 - it invents a fleet
        self.fleet = Devices(project_key, self._rng)
        self.deployments = Deployments(self._rng)
        self.tunnels = Tunnels(self._rng)
        self.flows = Flows(self._rng)
        now_s = self.now_s()
        for number in range(devices):
            self.fleet.invent(group=self.groups[number % len(self.groups)], now_s=now_s)
        self.flows.add("nightly", now_s=now_s, severity="High")
        self.flows.add("hotfix", now_s=now_s, from_yaml=False)

    # -- devices

    def uuids(self, status: str | None = None, group: str | None = None) -> list[str]:
        """List the devices' uuids in order of creation, all or those of a status or group."""
        rows = self.fleet.select(group, ())
        return [device.uuid for device in rows if status is None or device.status == status]

    def add_device(
        self,
        name: str | None = None,
        group: str | None = None,
        tags: Sequence[str] | None = None,
        status: str = "online",
        uuid: str | None = None,
        **fields: Any,
    ) -> str:
        """Add a device and give its uuid; what isn't said is invented, `fields` override its rows' fields."""
        group = group if group is not None else self.groups[len(self.fleet) % len(self.groups)]
        device = self.fleet.invent(group=group, now_s=self.now_s(), status=status, uuid=uuid)
        if name is not None:
            device.name = name
        if tags is not None:
            device.tags = tuple(tags)
        device.odd.update(fields)
        self.fleet.touch(device)
        return device.uuid

    def set_status(self, uuid: str | Sequence[str], status: str) -> None:
        """Give one device or several a status, any word."""
        for device in [self.fleet[each] for each in _several(uuid)]:
            self.fleet.set_status(device, status, self.now_s())

    def drop(self, n: int) -> list[str]:
        """Let `n` online devices go offline, chosen by the seed, and give their uuids in list order."""
        online = self.uuids("online")
        if n > len(online):
            message = f"only {len(online)} devices are online"
            raise ValueError(message)
        chosen = set(self._rng.sample(online, n))
        dropped = [uuid for uuid in online if uuid in chosen]
        self.set_status(dropped, "offline")
        return dropped

    def restore(self, n: int | None = None) -> list[str]:
        """Bring the first `n` offline devices online again (None: all) and give their uuids."""
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

    def move(self, uuid: str, group: str) -> None:
        """Put a device into another group."""
        device = self.fleet[uuid]
        device.group = group
        self.fleet.touch(device)

    def empty_list(self, on: bool = True) -> None:
        """Let the device list answer as if there were no device."""
        self.shown = "none" if on else "all"

    def half_list(self, on: bool = True) -> None:
        """Let the device list answer as if there were only its first half; `total` agrees with it."""
        self.shown = "half" if on else "all"

    def set_row(self, uuid: str, without: Sequence[str] = (), **raw: Any) -> None:
        """Override fields of a device's rows with any JSON value, and leave out the fields named in `without`."""
        device = self.fleet[uuid]
        device.odd.update(raw)
        device.without = device.without.union(without)
        self.fleet.touch(device)

    def set_raw(self, uuid: str, body: bytes | str) -> None:
        """Put these bytes, JSON or not, where a device's rows should be."""
        device = self.fleet[uuid]
        device.raw = body.encode() if isinstance(body, str) else body
        self.fleet.touch(device)

    def odd_rows(self, n: int) -> list[str]:
        """Spoil the rows of `n` devices, each in another way while ways last; give their uuids in list order."""
        chosen = sorted(self._rng.sample(self.fleet.rows, n), key=lambda device: device.serial)
        for number, device in enumerate(chosen):
            oddity = ODDITIES[number % len(ODDITIES)]
            device.odd, device.without, device.raw = dict(oddity.odd), oddity.without, oddity.raw
            self.fleet.touch(device)
        return [device.uuid for device in chosen]

    def even_rows(self) -> None:
        """Undo all that `set_row`, `set_raw`, `odd_rows` and the fields of `add_device` did."""
        for device in self.fleet.rows:
            if device.odd or device.without or device.raw is not None:
                device.odd, device.without, device.raw = {}, frozenset(), None
                self.fleet.touch(device)

    # -- deployments and tunnels

    def deploy(
        self,
        devices: int | Sequence[str],
        comment: str = "",
        flow: str = "nightly",
        cves: Mapping[str, int] | None = None,
    ) -> str:
        """Start a deployment on these devices, or on `n` chosen by the seed; give its uuid.

        It is Pending everywhere. `cves` counts findings by severity (Critical, High, Medium, Low).
        """
        if isinstance(devices, int):
            chosen = sorted(self._rng.sample(self.fleet.rows, devices), key=lambda device: device.serial)
        else:
            chosen = [self.fleet[with_prefix(uuid)] for uuid in _several(devices)]
        now_s = self.now_s()
        self.flows.add(flow, now_s=now_s)
        uuids = [device.uuid for device in chosen]
        return self.deployments.create(uuids, flow=flow, comment=comment, cves=dict(cves or {}), now_s=now_s).uuid

    def advance(  # noqa: PLR0917 - what a device reports
        self,
        dp: str,
        device: str,
        status: str,
        stdout: str = "",
        stderr: str = "",
        exit_code: int = 0,
        step: str = "install",
    ) -> None:
        """Move a deployment on one device to a status (Pending, In Progress, Succeeded, Failed, Aborted, any word).

        Past Pending the device reports one step; its exit code is 0 even when it fails (Q12) unless told otherwise.
        """
        uuid = with_prefix(device)
        progress = self.deployments[dp].progress.get(uuid)
        if progress is None:
            message = f"deployment {dp} has no device {device!r}"
            raise LookupError(message)
        progress.advance(status, self.now_s())
        if progress.started_at is not None:
            progress.record(Step(step, exit_code, stdout, stderr))

    def settle(self, dp: str, failed: int = 3, output: str = "sh: 1: /usr/bin/python: not found") -> list[str]:
        """Finish a deployment: `failed` of its unfinished devices fail with `output`, the others succeed.

        Gives the uuids of those that failed, in the deployment's order.
        """
        open_rows = [row for row in self.deployments[dp].rows if row.status not in FINAL]
        if failed > len(open_rows):
            message = f"only {len(open_rows)} devices have not finished"
            raise ValueError(message)
        losers = {row.device for row in self._rng.sample(open_rows, failed)}
        for row in open_rows:
            if row.device in losers:
                self.advance(dp, row.device, FAILED, stdout="The script ended with code 127", stderr=f"{output}\n")
            else:
                self.advance(dp, row.device, SUCCEEDED, stdout="done")
        return [row.device for row in open_rows if row.device in losers]

    def forget_deployment(self, dp: str) -> None:
        """Delete a deployment."""
        self.deployments.remove(dp)

    def open_tunnel(self, device: str, status: str = "opened") -> str:
        """Open a port tunnel to a device and give its id; `status` is any word, "pending" say."""
        return self.tunnels.open(self.fleet[with_prefix(device)].uuid, status=status, now_s=self.now_s()).uuid

    def close_tunnel(self, tunnel: str, status: str = "closed") -> None:
        """End a port tunnel: "closed" by its user, "terminated" by anything else, or any word."""
        ended = self.tunnels[tunnel]
        ended.status, ended.finished_at = status, self.now_s()

    def forget_tunnel(self, tunnel: str) -> None:
        """Let a port tunnel vanish from the list; its own page is gone too."""
        self.tunnels.remove(tunnel)

    def add_flow(self, name: str, severity: str | None = None) -> str:
        """Add an update flow, or find the one of this name, and give its uuid."""
        return self.flows.add(name, now_s=self.now_s(), severity=severity).uuid

    def set_severity(self, flow: str, severity: str | None) -> None:
        """Give the update flow of this name another worst severity, any word."""
        self.flows.set_severity(flow, severity)

    # -- the account

    def revoke(self, status: int = 401) -> None:
        """Refuse every token with this status, until `set_token`."""
        self.refusal = status

    def set_token(self, token: str) -> None:
        """Take this token, and no other, from now on."""
        self.token, self.refusal = token, None

    def now_s(self) -> float:
        """Tell the account's time in seconds since the epoch."""
        return self.now().timestamp()

    def live(self) -> bool:
        """Tell whether the list's `last_keepalive` follows each heartbeat."""
        return len(self.fleet) <= MAX_LIVE if self.live_keepalive is None else self.live_keepalive

    def settings(self, url: str) -> dict[str, str]:
        """Tell what a config has to say; see `Vendor.settings`."""
        return {"base_url": url, "project_key": self.project_key, "token": self.token}

    def routes(self) -> list[web.RouteDef]:
        """List the API's routes."""
        return Routes(self).table()

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> RefusedError:
        """Word a refusal; the vendor documents no error body, so this form is a guess."""
        return RefusedError(status, {"message": message}, headers)

    def too_many(self, headers: Mapping[str, str]) -> web.Response:
        """Answer 429; neither its body nor its headers are documented."""
        return json_answer({"message": "Too many requests"}, status=429, headers=headers)

    def state(self) -> dict[str, Any]:
        """Add how the fleet fares."""
        statuses: dict[str, int] = {}
        for device in self.fleet.rows:
            statuses[device.status] = statuses.get(device.status, 0) + 1
        told = {"devices": statuses, "deployments": len(self.deployments), "tunnels": len(self.tunnels)}
        return super().state() | told


def with_prefix(device: str) -> str:
    """Give a device's uuid as the list has it, however it was written (Q13)."""
    return device if device.startswith("d-") else f"d-{device}"


def _several(uuids: str | Sequence[str]) -> list[str]:
    return [uuids] if isinstance(uuids, str) else list(uuids)
