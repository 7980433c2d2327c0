"""One project in the simulated vendor's cloud, and the stories that can be told with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from fleetpulse.simulator.answers import RefusedError, json_answer
from fleetpulse.simulator.jfrog_connect.deployments import FAILED, FINAL, SUCCEEDED, Deployments, Step
from fleetpulse.simulator.jfrog_connect.devices import MAX_LIVE, Devices, TagsForm
from fleetpulse.simulator.jfrog_connect.flows import Flows
from fleetpulse.simulator.jfrog_connect.oddities import ODDITIES
from fleetpulse.simulator.jfrog_connect.routes import Routes
from fleetpulse.simulator.jfrog_connect.tunnels import Tunnels, UnsetTime
from fleetpulse.simulator.oddity import Oddity
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
        "add_device", "set_status", "move", "set_token", "deploy", "advance", "settle", "forget_deployment",
        "open_tunnel", "close_tunnel", "forget_tunnel", "add_flow", "set_severity",
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
        "flows_paging": (True, False, "elsewhere"),
        "error_field": ("message", "error_message", "error", "detail", "errors"),
        "other_case": ON_OFF,
        "last_token": ON_OFF,
        "repeat_token": ON_OFF,
    }

    oddities: ClassVar[Sequence[Oddity]] = ODDITIES
    fleet: Devices

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
    # True adds pagination_info to the update flows; elsewhere: their cursor stands in a field that nobody documents
    flows_paging: bool | Literal["elsewhere"] = False
    error_field: str = "message"  # where an error's text stands; "errors" is a list of them
    other_case: bool = False  # status words as other endpoints write them: Online, in_progress, Closed
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
        super().__init__(seed=seed, now=now, **switches)
        self.project_key = project_key
        self.token = token
        self.groups = tuple(groups)
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
        if fields:
            device.oddity = Oddity(fields)
        self.fleet.touch(device)
        return device.uuid

    def set_status(self, uuid: str | Sequence[str], status: str) -> None:
        """Give one device or several a status, any word."""
        for device in self.each(uuid):
            self.fleet.set_status(device, status, self.now_s())

    def move(self, uuid: str, group: str) -> None:
        """Put a device into another group."""
        device = self.fleet[uuid]
        device.group = group
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
            chosen = [self.fleet[with_prefix(uuid)] for uuid in devices]
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

    def set_token(self, token: str) -> None:
        """Take this token, and no other, from now on."""
        self.token, self.refusal = token, None

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
        told: Any = [message] if self.error_field == "errors" else message
        return RefusedError(status, {self.error_field: told}, headers)

    def too_many(self, headers: Mapping[str, str]) -> web.Response:
        """Answer 429; neither its body nor its headers are documented."""
        return json_answer({"message": "Too many requests"}, status=429, headers=headers)

    def state(self) -> dict[str, Any]:
        """Add what else there is."""
        return super().state() | {"deployments": len(self.deployments), "tunnels": len(self.tunnels)}


def with_prefix(device: str) -> str:
    """Give a device's uuid as the list has it, however it was written (Q13)."""
    return device if device.startswith("d-") else f"d-{device}"
