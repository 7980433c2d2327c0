"""One account in the simulated vendor's cloud, and the stories that can be told with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from aiohttp import web

from fleetpulse.simulator.answers import RefusedError
from fleetpulse.simulator.jfrog_connect_v1.devices import Devices, StateIds
from fleetpulse.simulator.jfrog_connect_v1.oddities import ODDITIES
from fleetpulse.simulator.jfrog_connect_v1.routes import Routes
from fleetpulse.simulator.jfrog_connect_v1.updates import FAILED, FINAL, SUCCESS, Deployment, FieldNames, Install
from fleetpulse.simulator.oddity import Oddity
from fleetpulse.simulator.rates import Ceiling
from fleetpulse.simulator.vendor import Vendor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from fleetpulse.simulator.jfrog_connect_v1.devices import Device

ON_OFF = (True, False)
MINUTE_S = 60.0
CALLS_A_MINUTE = 3
LoneId = Literal["device_id", "device_uuid", "number", "device_token", "absent"]
UnknownOffset = Literal["refused", "empty", "first"]


class JFrogConnectV1(Vendor):
    """A look-alike of JFrog Connect's REST API v1 with one account.

    A new fleet is online, in one project, spread over `groups` in turn, and the same for the same seed. Story methods
    may be called between requests at any time; those named in `controls` also over HTTP. Switches are attributes,
    taken as keyword arguments too; each that speaks of a quirk has its number. `limit_per_s` is counted by the minute,
    as the vendor words it: 0.05 lets three calls in, whenever they come in it. Its answer never carries `Retry-After`,
    whatever the `retry_after` switch says. Of what `set_row` overrides, the states show their own fields.
    Errors: LookupError for a device or deployment that isn't there; ValueError for an impossible wish.
    Source: docs/vendors/jfrog-connect-v1.md.
    """

    kind = "jfrog-connect-v1"
    controls: ClassVar[frozenset[str]] = Vendor.controls | {
        "add_device", "set_status", "move", "upgrade", "set_token", "unban", "deploy", "update", "advance", "settle",
        "forget_deployment",
    }  # fmt: skip
    switches: ClassVar[Mapping[str, tuple[Any, ...] | None]] = {
        **Vendor.switches,
        "content_type": None,
        "lone_object": ON_OFF,
        "state_ids": ("uuid", "number", "both", "uuid as device_id"),
        "lone_id": ("device_id", "device_uuid", "number", "device_token", "absent"),
        "update_names": ("example", "field list"),
        "more_flag": ON_OFF,
        "inclusive_offset": ON_OFF,
        "unknown_offset": ("refused", "empty", "first"),
        "stuck_pages": ON_OFF,
        "limit_ignored": ON_OFF,
        "bans_after": None,
        "capital_words": ON_OFF,
    }
    oddities: ClassVar[Sequence[Oddity]] = ODDITIES
    fleet: Devices
    limits: ClassVar[Mapping[str, Any]] = {"limit_per_s": CALLS_A_MINUTE / MINUTE_S}

    content_type: str = "text/html"  # what real answers say, though their bodies are JSON
    lone_object: bool = False  # Q1: a list of states with one row is that row alone
    state_ids: StateIds = "uuid"  # Q2
    lone_id: LoneId = "device_id"  # Q3: how the state of one device names it
    update_names: FieldNames = "example"  # Q4
    more_flag: bool = True  # False leaves `more` out of the details
    inclusive_offset: bool = False  # the page begins with the device of the offset
    unknown_offset: UnknownOffset = "refused"  # what an offset gets that is no device's; nobody documents it
    stuck_pages: bool = False  # every page is the first, as if `offset` were unknown
    limit_ignored: bool = False  # every page has 20 rows, as if `limit` were unknown
    capital_words: bool = False  # Online and Offline, as the prose has them
    bans_after: int | None = None  # so many requests too many, and nothing is answered any more until `unban`

    def __init__(  # noqa: PLR0917 - the ways a test may set up an account; all have defaults
        self,
        devices: int = 0,
        project: str = "yard",
        user_token: str = "demo-token",  # noqa: S107 - invented, for an invented account
        groups: Sequence[str] = ("Lyon", "Nantes", "Porto"),
        seed: int = 1,
        now: Callable[[], datetime] | None = None,
        **switches: Any,
    ) -> None:
        """Open the account with this many devices and no deployment."""
        super().__init__(seed=seed, now=now, **switches)
        self.project = project
        self.user_token = user_token
        self.groups = tuple(groups)
        self.banned = False
        self._ceiling = Ceiling(MINUTE_S)
        self.fleet = Devices(self._rng)
        self._deployments: dict[str, Deployment] = {}
        self._started = 0
        now_s = self.now_s()
        for number in range(devices):
            self.fleet.invent(project=project, group=self.groups[number % len(self.groups)], now_s=now_s)

    # -- devices

    def uuids(self, status: str | None = None, group: str | None = None) -> list[str]:
        """List the uuids of the devices this API serves in order of creation, all or those of a status or group."""
        rows = self.fleet.select(None, group)
        return [device.uuid for device in rows if status is None or device.status == status]

    def add_device(
        self,
        name: str | None = None,
        group: str | None = None,
        tags: Sequence[str] | None = None,
        status: str = "online",
        uuid: str | None = None,
        *,
        project: str | None = None,
        **fields: Any,
    ) -> str:
        """Add a device and give its uuid; what isn't said is invented, `fields` override its rows' fields."""
        group = group if group is not None else self.groups[len(self.fleet) % len(self.groups)]
        project = self.project if project is None else project
        device = self.fleet.invent(project=project, group=group, now_s=self.now_s(), status=status, uuid=uuid)
        if name is not None:
            device.name = name
        if tags is not None:
            device.tags = tuple(tags)
        if fields:
            device.oddity = Oddity(fields)
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

    def upgrade(self, uuid: str, version: str = "7.0") -> None:
        """Give a device another agent; from 7.0 on, this API serves it no more."""
        device = self.fleet[uuid]
        device.version = version
        self.fleet.touch(device)

    # -- deployments

    def deploy(
        self,
        devices: int | Sequence[str],
        comment: str = "",
        flow: str = "nightly",
        apps: Mapping[str, str] | None = None,
        kind: str = "manual",
    ) -> str:
        """Start a rollout of a flow on these devices, or on `n` chosen by the seed; give a handle for the stories.

        It is pending everywhere. `apps` are the versions it brings. The API itself has no id for it.
        """
        apps = {"default_app": f"v2.{self._started}"} if apps is None else dict(apps)
        return self._start(devices, comment=comment, flow=flow, kind=kind, apps=apps, version=None)

    def update(self, devices: int | Sequence[str], version: str = "v2.0", comment: str = "") -> str:
        """Start an update of the older kind, which has a number and a version; give a handle for the stories."""
        return self._start(devices, comment=comment, flow="", kind="", apps={}, version=version)

    def advance(self, dp: str, device: str, status: str, comment: str | None = None, installs: bool = True) -> None:
        """Move a deployment on one device to a status (pending, in_progress, success, failed, aborted, any word).

        A success changes what the device reports unless `installs` is off: then the vendor is mistaken.
        """
        install = self._deployment(dp).installs.get(device)
        if install is None:
            message = f"deployment {dp} has no device {device!r}"
            raise LookupError(message)
        install.advance(status, self.now_s())
        if comment is not None:
            install.comment = comment
        if status == SUCCESS and installs:
            self.fleet[device].install(install.deployment.apps)

    def settle(self, dp: str, failed: int = 3, output: str = "sh: 1: /usr/bin/python: not found") -> list[str]:
        """Finish a deployment: `failed` of its unfinished devices fail with `output`, the others succeed.

        Gives the uuids of those that failed, in the deployment's order.
        """
        unfinished = [each.device for each in self._deployment(dp).installs.values() if each.status not in FINAL]
        if failed > len(unfinished):
            message = f"only {len(unfinished)} devices have not finished"
            raise ValueError(message)
        losers = set(self._rng.sample(unfinished, failed))
        for uuid in unfinished:
            if uuid in losers:
                self.advance(dp, uuid, FAILED, comment=output)
            else:
                self.advance(dp, uuid, SUCCESS)
        return [uuid for uuid in unfinished if uuid in losers]

    def forget_deployment(self, dp: str) -> None:
        """Let a deployment vanish from its devices' last updates, as five newer ones would."""
        deployment = self._deployments.pop(self._deployment(dp).id)
        for device in self.fleet.rows:
            if device.uuid in deployment.installs:
                device.updates = [each for each in device.updates if each.deployment is not deployment]

    def _start(
        self,
        devices: int | Sequence[str],
        *,
        comment: str,
        flow: str,
        kind: str,
        apps: dict[str, str],
        version: str | None,
    ) -> str:
        chosen: list[Device]
        if isinstance(devices, int):
            chosen = sorted(self._rng.sample(self.fleet.rows, devices), key=lambda device: device.number)
        else:
            chosen = self.each(devices)
        self._started += 1
        id_ = f"rollout-{self._started}"
        deployment = Deployment(id_, 1200 + self._started, flow, kind, comment, self.now_s(), apps, version)
        for device in chosen:
            install = Install(deployment, device.uuid, comment)
            deployment.installs[device.uuid] = install
            device.updates.append(install)
        self._deployments[id_] = deployment
        return id_

    def _deployment(self, dp: str) -> Deployment:
        try:
            return self._deployments[dp]
        except KeyError:
            message = f"no deployment {dp!r}"
            raise LookupError(message) from None

    # -- the account

    def revoke(self, status: int = 400) -> None:
        """Refuse every token with this status, until `set_token`; 400 is what is documented."""
        super().revoke(status)

    def set_token(self, token: str) -> None:
        """Take this token, and no other, from now on."""
        self.user_token, self.refusal = token, None

    def unban(self) -> None:
        """Let a banned client in again, and forget how rude it was."""
        self.banned, self.rude = False, 0

    def settings(self, url: str) -> dict[str, str]:
        """Tell what a config has to say; see `Vendor.settings`."""
        return {"base_url": url, "user_token": self.user_token}

    def routes(self) -> list[web.RouteDef]:
        """List the API's routes."""
        return Routes(self).table()

    def gate(self) -> web.Response | None:
        """Refuse who was banned; ban who comes too fast too often. What a ban looks like is not documented."""
        if self.banned:
            return self.error(403, "API calls are banned").answer()
        refusal = super().gate()
        if refusal is not None and self.bans_after is not None and self.rude >= self.bans_after:
            self.banned = True
        return refusal

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> RefusedError:
        """Word a refusal; of the statuses but 400 and 429 no form is documented, so this is a guess there."""
        return _TextRefusedError(status, {"error_message": message}, headers, content_type=self.content_type)

    def too_many(self, headers: Mapping[str, str]) -> web.Response:
        """Answer 429 as documented: an empty object, and no `Retry-After`."""
        del headers
        return web.Response(status=429, body=b"{}", content_type=self.content_type, charset="utf-8")

    def state(self) -> dict[str, Any]:
        """Add what else there is."""
        return super().state() | {"deployments": len(self._deployments), "banned": self.banned}


class _TextRefusedError(RefusedError):
    """A refusal that names the same content type as every other answer."""

    def __init__(self, status: int, payload: Any, headers: Mapping[str, str] | None, *, content_type: str) -> None:
        super().__init__(status, payload, headers)
        self._content_type = content_type

    def answer(self) -> web.Response:
        """Build the answer."""
        answer = super().answer()
        answer.content_type, answer.charset = self._content_type, "utf-8"
        return answer
