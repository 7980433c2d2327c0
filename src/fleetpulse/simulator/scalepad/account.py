"""One client organisation in the simulated vendor's cloud, and the stories that can be told with it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from aiohttp import web

from fleetpulse.simulator.answers import PlainRefusedError, RefusedError
from fleetpulse.simulator.oddity import Oddity
from fleetpulse.simulator.rates import TOLERANCE, retry_after
from fleetpulse.simulator.scalepad.devices import HEARTBEAT_S, Device, Devices
from fleetpulse.simulator.scalepad.enrolments import Enrolments
from fleetpulse.simulator.scalepad.oddities import ODDITIES
from fleetpulse.simulator.scalepad.orders import Nulls, Orders
from fleetpulse.simulator.scalepad.routes import BASE, Routes
from fleetpulse.simulator.vendor import Vendor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

CLIENT: Final = "0c1e7c1e-2b54-4d0e-9c51-5f3f8a1d2c10"
FOREIGN_CLIENT: Final = "0f0e7c1e-2b54-4d0e-9c51-5f3f8a1d2c10"
HOUSE_REQUESTS: Final = 50
HOUSE_WINDOW_S: Final = 5.0
LIVING: Final = "active"
SLEEPING: Final = "inactive"
PENDING: Final = "pending"
ON_OFF: Final = (True, False)


class ScalePad(Vendor):
    """A look-alike of ScalePad AMM's REST API v2 with one client organisation.

    Every device of a new fleet is active and its heartbeats arrive. Story methods may be called between requests at
    any time; those named in `controls` also over HTTP. Switches are attributes, taken as keyword arguments too.
    Errors: LookupError for a device or enrolment that isn't there; ValueError for an impossible wish.
    Source: docs/vendors/scalepad.md.
    """

    kind = "scalepad"
    controls: ClassVar[frozenset[str]] = Vendor.controls | {
        "add_device", "add_pending", "set_status", "set_last_seen", "enrol", "set_enrolment", "expire_cursors",
        "set_token",
    }  # fmt: skip
    switches: ClassVar[Mapping[str, tuple[Any, ...] | None]] = {
        **Vendor.switches,
        "last_cursor": ("null", "absent"),
        "nulls": ("first", "last"),
        "error_bodies": ("json", "text", "none"),
        "clamps": ON_OFF,
        "os_any_case": ON_OFF,
        "repeat_cursor": ON_OFF,
        "house_rule": ON_OFF,
    }
    limits: ClassVar[Mapping[str, Any]] = {"house_rule": True}
    oddities: ClassVar[Sequence[Oddity]] = ODDITIES
    fleet: Devices
    living: ClassVar[str] = LIVING
    sleeping: ClassVar[str] = SLEEPING

    last_cursor: Literal["null", "absent"] = "null"  # how the last page says so
    nulls: Nulls = "last"  # where rows without a value stand, ascending
    error_bodies: Literal["json", "text", "none"] = "json"
    clamps: bool = False  # a page_size over the most is cut instead of refused
    os_any_case: bool = False  # os_name matches in any case
    repeat_cursor: bool = False  # every page carries the first page's cursor
    house_rule: bool = False  # no more than 50 requests in 5 s, as at the same company's other API

    def __init__(  # noqa: PLR0917 - the ways a test may set up an account; all have defaults
        self,
        devices: int = 0,
        client_id: str = CLIENT,
        token: str = "demo-token",  # noqa: S107 - invented, for an invented account
        foreign_client: str = FOREIGN_CLIENT,
        seed: int = 1,
        now: Callable[[], datetime] | None = None,
        **switches: Any,
    ) -> None:
        """Open the account with this many devices; `foreign_client` exists too, but the token can't see it."""
        super().__init__(seed=seed, now=now, **switches)
        self.client_id = client_id
        self.token = token
        self.foreign_client = foreign_client
        self.cursors = 0
        self._admitted: deque[float] = deque()
        self.fleet = Devices(self._rng)
        self.orders = Orders(self.fleet)
        self.enrolments = Enrolments()
        now_s = self.now_s()
        for _ in range(devices):
            self.fleet.invent(now_s=now_s)

    # -- devices

    def uuids(self, status: str | None = None) -> list[str]:
        """List the devices' ids in order of creation, all or those of a status."""
        return [device.uuid for device in self.fleet.rows if status is None or device.status == status]

    def add_device(
        self,
        name: str | None = None,
        status: str | None = LIVING,
        os_name: str | None = None,
        uuid: str | None = None,
        **fields: Any,
    ) -> str:
        """Add a device and give its id; what isn't said is invented, `fields` override its row's fields."""
        device = self.fleet.invent(now_s=self.now_s(), uuid=uuid, os_name=os_name)
        if name is not None:
            device.name = name
        if status != LIVING:
            self.set_status(device.uuid, status)
        if fields:
            self.set_row(device.uuid, **fields)
        return device.uuid

    def add_pending(self, uuid: str | None = None) -> str:
        """Add a device that was never enrolled (no name, system or heartbeat) and give its id."""
        return self.add_device(status=PENDING, uuid=uuid)

    def set_status(self, uuid: str | Sequence[str], status: str | None) -> None:
        """Give one device or several a status, any word or none.

        "active" lets its heartbeats arrive, and enrols it where it wasn't; with any other word they end now. A device
        that becomes "pending" was never enrolled.
        """
        for device in self.each(uuid):
            device.status = status
            self.fleet.touch(device, "status")
            if status == LIVING:
                self.fleet.enrol(device, now_s=self.now_s())
                device.live = True
                self.fleet.touch(device, "last_seen_at")
            elif device.live:
                self._silence(device, self.tick())
            if status == PENDING:
                self.fleet.unenrol(device)

    def set_last_seen(self, uuid: str | Sequence[str], ago_s: float | None) -> None:
        """End the heartbeats of one device or several: the last came `ago_s` seconds ago, or (None) there was none.

        The status stays, so that both may say different things.
        """
        at = None if ago_s is None else self.now_s() - ago_s
        for device in self.each(uuid):
            self._silence(device, at)

    def drop(self, n: int, silent_s: float = 3600.0) -> list[str]:
        """Let `n` active devices, chosen by the seed, be inactive and silent so long; give their ids in list order."""
        dropped = super().drop(n)
        self.set_last_seen(dropped, silent_s)
        return dropped

    def remove(self, uuids: str | Sequence[str]) -> None:
        """Delete devices."""
        gone = [device.uuid for device in self.each(uuids)]
        super().remove(gone)
        self.enrolments.forget(gone)

    def rename(self, uuid: str, name: str | None) -> None:
        """Give a device another name."""
        device = self.fleet[uuid]
        device.name = name
        self.fleet.touch(device, "name")

    def _silence(self, device: Device, at: float | None) -> None:
        device.live, device.seen_at = False, at
        self.fleet.touch(device, "last_seen_at")

    # -- enrolments

    def enrol(self, device: str, status: str = "error", ago_s: float = 0.0) -> str:
        """Install a device's agent once more, with this outcome, and give the enrolment's id."""
        return self.enrolments.add(self.fleet[device], status, self.now_s() - ago_s).uuid

    def set_enrolment(self, enrolment: str, status: str) -> None:
        """Give an enrolment that `enrol` made another outcome."""
        self.enrolments.set_status(self.enrolments[enrolment], status)

    # -- the account

    def expire_cursors(self) -> None:
        """Take none of the cursors any more that were given so far."""
        self.cursors += 1

    def set_token(self, token: str) -> None:
        """Take this token, and no other, from now on."""
        self.token, self.refusal = token, None

    def tick(self) -> float:
        """Tell when heartbeats were last written down."""
        return float(self.now_s() // HEARTBEAT_S * HEARTBEAT_S)

    def settings(self, url: str) -> dict[str, str]:
        """Tell what a config has to say; see `Vendor.settings`."""
        return {"base_url": f"{url}{BASE}", "client_id": self.client_id, "token": self.token}

    def routes(self) -> list[web.RouteDef]:
        """List the API's routes."""
        return Routes(self).table()

    def gate(self) -> web.Response | None:
        """Keep the house rule too, where it is switched on."""
        refusal = super().gate()
        if refusal is not None or not self.house_rule:
            return refusal
        at, window_s = asyncio.get_running_loop().time(), HOUSE_WINDOW_S * TOLERANCE
        while self._admitted and at - self._admitted[0] >= window_s:
            self._admitted.popleft()
        if len(self._admitted) < HOUSE_REQUESTS:
            self._admitted.append(at)
            return None
        self.rude += 1
        return self.too_many(retry_after(self.retry_after, window_s - (at - self._admitted[0]), self.now()))

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> RefusedError:
        """Word a refusal; no body is documented, so any will do."""
        if self.error_bodies == "json":
            return RefusedError(status, {"message": message}, headers)
        return PlainRefusedError(status, message if self.error_bodies == "text" else "", headers)

    def too_many(self, headers: Mapping[str, str]) -> web.Response:
        """Answer 429 as the same company's other API does: in plain text."""
        return web.Response(text="Too Many Requests", status=429, headers=dict(headers))

    def state(self) -> dict[str, Any]:
        """Add what else is counted."""
        return super().state() | {"enrolment_errors": self.enrolments.errors()}
