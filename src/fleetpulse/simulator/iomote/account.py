"""One account in the simulated vendor's cloud, and the stories that can be told with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from aiohttp import web

from fleetpulse.simulator.answers import RefusedError, json_answer, raw_json_answer
from fleetpulse.simulator.iomote.devices import Device, Devices, Forms, statistics, word
from fleetpulse.simulator.iomote.oddities import ODDITIES
from fleetpulse.simulator.oddity import Oddity
from fleetpulse.simulator.vendor import Vendor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

ON_OFF = (True, False)
ACCOUNT = "/api/user/{user}/{key}"


class Iomote(Vendor):
    """A look-alike of Iomote MyMote's REST API with one account.

    A new fleet is online, spread over `groups` in turn, and the same for the same seed. Story methods may be called
    between requests at any time; those named in `controls` also over HTTP. A device is named by its `device_id`, a
    group by its name. Switches are attributes, taken as keyword arguments too. No rate limit is documented, so there is
    none unless `limit_per_s` sets one. A refused key gets the status of `error_status`, whatever `revoke` is told. Of
    what `set_row` overrides, `status` is the one beside the device.
    Errors: LookupError for a device or group that isn't there; ValueError for an impossible wish.
    Source: docs/vendors/iomote.md.
    """

    kind = "iomote"
    controls: ClassVar[frozenset[str]] = Vendor.controls | {
        "add_device", "set_status", "move", "send", "add_group", "rename_group", "set_key",
    }  # fmt: skip
    switches: ClassVar[Mapping[str, tuple[Any, ...] | None]] = {
        **Vendor.switches,
        "error_dress": ("object", "word", "json_word"),
        "error_status": None,
        "error_text": None,
        "missing": ("error", "empty", "not_found"),
        "no_groups": None,
        "one_device": ("list", "object"),
        "path_id": ("device_id", "id", "both"),
        "words": ("azure", "lower", "line", "number", "boolean"),
        "unset": ("", None),
        "ids": ("str", "int"),
        "numbers_as_text": ON_OFF,
    }

    oddities: ClassVar[Sequence[Oddity]] = ODDITIES
    fleet: Devices

    error_dress: Literal["object", "word", "json_word"] = "object"
    error_status: int = 200  # which status goes with an ERROR is not documented
    error_text: str | None = None  # None: a text that tells what is wrong
    missing: Literal["error", "empty", "not_found"] = "error"  # how a device that isn't there is answered
    no_groups: int | None = None  # the status with which the group list is refused
    one_device: Literal["list", "object"] = "list"
    path_id: Literal["device_id", "id", "both"] = "device_id"
    words: Literal["azure", "lower", "line", "number", "boolean"] = "azure"
    unset: str | None = ""  # what an unset field holds
    ids: Literal["str", "int"] = "str"  # of `id` in the device rows
    numbers_as_text: bool = False  # the counts of the statistics

    def __init__(  # noqa: PLR0917 - the ways a test may set up an account; all have defaults
        self,
        devices: int = 0,
        user_id: str = "u-1",
        api_key: str = "demo-key",
        groups: Sequence[str] = ("Lyon", "Nantes", "Porto"),
        seed: int = 1,
        now: Callable[[], datetime] | None = None,
        **switches: Any,
    ) -> None:
        """Open the account with this many devices."""
        super().__init__(seed=seed, now=now, **switches)
        self.fleet = Devices(user_id, self._rng)
        self.user_id = user_id
        self.api_key = api_key
        self.groups: dict[str, str] = {}
        for name in groups:
            self.add_group(name)
        for _ in range(devices):
            self.add_device()

    # -- devices

    def uuids(self, status: str | None = None, group: str | None = None) -> list[str]:
        """List the devices' ids in order of creation, all or those of a status or group."""
        group_id = None if group is None else self._group_id(group)
        return [
            device.device_id
            for device in self.fleet.rows
            if (status is None or device.status == status) and (group_id is None or device.group_id == group_id)
        ]

    def add_device(
        self,
        name: str | None = None,
        group: str | None = None,
        status: str = "online",
        uuid: str | None = None,
        **fields: Any,
    ) -> str:
        """Add a device and give its id; what isn't said is invented, `fields` override its rows' fields.

        The group "" is none.
        """
        ids = list(self.groups)
        group_id = (ids[len(self.fleet) % len(ids)] if ids else "") if group is None else self._group_id(group)
        device = self.fleet.invent(group_id=group_id, status=status, device_id=uuid)
        if name is not None:
            device.name = name
        if fields:
            device.oddity = Oddity(fields)
        self.fleet.touch(device)
        return device.uuid

    def set_status(self, uuid: str | Sequence[str], status: str) -> None:
        """Give one device or several a status: "online", "offline", or any word, which is told as it is."""
        for device in self.each(uuid):
            device.status = status
            self.fleet.touch(device)

    def move(self, uuid: str, group: str) -> None:
        """Put a device into another group; "" is none."""
        device = self.fleet[uuid]
        device.group_id = self._group_id(group)
        self.fleet.touch(device)

    def send(self, uuid: str, messages: int = 1) -> None:
        """Let a device send messages, which its statistics count."""
        self.fleet[uuid].messages += messages

    # -- groups

    def add_group(self, name: str) -> str:
        """Add a group and give its id."""
        group_id = f"g-{len(self.groups) + 1}"
        self.groups[group_id] = name
        return group_id

    def rename_group(self, group: str, name: str) -> None:
        """Give a group another name; its devices keep its id."""
        self.groups[self._group_id(group)] = name

    # -- the account

    def set_key(self, api_key: str) -> None:
        """Take this key, and no other, from now on."""
        self.api_key, self.refusal = api_key, None

    def state(self) -> dict[str, Any]:
        """Add what else there is."""
        return super().state() | {"groups": len(self.groups)}

    def settings(self, url: str) -> dict[str, str]:
        """Tell what a config has to say; see `Vendor.settings`."""
        return {"base_url": url, "user_id": self.user_id, "api_key": self.api_key}

    # -- answers

    def routes(self) -> list[web.RouteDef]:
        """List the API's routes; what none of them takes is refused last."""
        reads = {
            "/devices": self._devices,
            "/devices/group/{group}": self._group_devices,
            "/devices/{device}": self._device,
            "/devices/{device}/status": self._status,
            "/devices/{device}/stat": self._stat,
            "/groups": self._groups,
        }
        routes = [web.get(ACCOUNT + path, self._admitted(read)) for path, read in reads.items()]
        return [*routes, web.route("*", "/{path:.*}", self.elsewhere)]

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> RefusedError:
        """Word a refusal that comes from the web server and not from the application."""
        return RefusedError(status, {"Message": message}, headers)

    def too_many(self, headers: Mapping[str, str]) -> web.Response:
        """Answer 429; the vendor documents none."""
        return json_answer({"error": "Too many requests"}, status=429, headers=headers)

    def _admitted(
        self, read: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def admitted(request: web.Request) -> web.Response:
            given = (request.match_info["user"], request.match_info["key"])
            if self.refusal is not None or given != (self.user_id, self.api_key):
                return self._error("The user id or the API key is not valid")
            return await read(request)

        return admitted

    def _error(self, text: str) -> web.Response:
        """Answer ERROR in the dress and with the status that the switches say."""
        match self.error_dress:
            case "object":
                text = text if self.error_text is None else self.error_text
                return json_answer({"error": text}, status=self.error_status)
            case "word":
                return web.Response(text="ERROR", status=self.error_status)
            case "json_word":
                return json_answer("ERROR", status=self.error_status)

    async def _devices(self, _: web.Request) -> web.Response:
        return raw_json_answer(self.fleet.first(self.shown_of(len(self.fleet)), self._forms))

    async def _device(self, request: web.Request) -> web.Response:
        device = self._named(request)
        if device is None:
            return raw_json_answer(b"[]") if self.missing == "empty" else self._absent()
        stated = self.fleet.stated(device, self._forms)
        return raw_json_answer(stated if self.one_device == "object" else b"[" + stated + b"]")

    async def _status(self, request: web.Request) -> web.Response:
        device = self._named(request)
        if device is None:
            return self._absent()
        return json_answer({"connectionState": word(device.status, self._forms)})

    async def _stat(self, request: web.Request) -> web.Response:
        device = self._named(request)
        return self._absent() if device is None else json_answer(statistics(device, as_text=self.numbers_as_text))

    async def _groups(self, _: web.Request) -> web.Response:
        if self.no_groups is not None:
            raise self.error(self.no_groups, "There are no groups here")
        return json_answer(
            [
                {
                    "id": group_id,
                    "group_of_user_id": self.user_id,
                    "name": name,
                    "client_name": "Ada Yard",
                    "email": "ada@example.com",
                    "telephone": "",
                }
                for group_id, name in self.groups.items()
            ]
        )

    async def _group_devices(self, request: web.Request) -> web.Response:
        group_id = request.match_info["group"]
        if group_id not in self.groups:
            return self._error("Group not found")
        return raw_json_answer(self.fleet.group(group_id, self._forms))

    @property
    def _forms(self) -> Forms:
        return Forms(self.words, self.unset, self.ids)

    def _named(self, request: web.Request) -> Device | None:
        return self.fleet.with_path_id(request.match_info["device"], self.path_id)

    def _absent(self) -> web.Response:
        if self.missing == "not_found":
            raise self.error(404, "No HTTP resource was found")
        return self._error("Device not found")

    def _group_id(self, name: str) -> str:
        if not name:
            return ""
        found = next((group_id for group_id, each in self.groups.items() if each == name), None)
        if found is None:
            message = f"no group {name!r}"
            raise LookupError(message)
        return found
