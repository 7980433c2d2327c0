"""One client organisation in the simulated vendor's cloud, and the stories that can be told with it."""

from __future__ import annotations

import asyncio
from collections import deque
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from aiohttp import web

from fleetpulse.simulator.answers import RefusedError
from fleetpulse.simulator.rates import TOLERANCE, retry_after
from fleetpulse.simulator.scalepad.devices import HEARTBEAT_S, Device, Devices
from fleetpulse.simulator.scalepad.enrolments import Enrolments
from fleetpulse.simulator.scalepad.oddities import oddities
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


class RefusedPlainlyError(RefusedError):
    """A refusal whose body is text, or nothing: the vendor documents statuses only."""

    def answer(self) -> web.Response:
        """Build the answer."""
        return web.Response(text=self.payload, status=self.status, headers=self.headers)


class ScalePad(Vendor):
    """A look-alike of ScalePad AMM's REST API v2 with one client organisation.

    Every device of a new fleet is active and its heartbeats arrive. Story methods may be called between requests at
    any time; those named in `controls` also over HTTP. Switches are attributes, taken as keyword arguments too.
    Errors: LookupError for a device or enrolment that isn't there; ValueError for an impossible wish.
    Source: docs/vendors/scalepad.md.
    """

    kind = "scalepad"
    controls: ClassVar[frozenset[str]] = Vendor.controls | {
        "uuids", "add_device", "add_pending", "set_status", "set_last_seen", "drop", "restore", "remove", "rename",
        "empty_list", "half_list", "set_row", "set_raw", "odd_rows", "even_rows", "enrol", "set_enrolment",
        "expire_cursors", "revoke", "set_token",
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
        super().__init__(now=now, **switches)
        self.client_id = client_id
        self.token = token
        self.foreign_client = foreign_client
        self.refusal: int | None = None
        self.shown: Literal["all", "half", "none"] = "all"
        self.cursors = 0
        self._rng = Random(seed)  # noqa: S311 - it invents a fleet
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
            self.fleet.spoiling(device).odd.update(fields)
        return device.uuid

    def add_pending(self, uuid: str | None = None) -> str:
        """Add a device that was never enrolled (no name, system or heartbeat) and give its id."""
        return self.add_device(status=PENDING, uuid=uuid)

    def set_status(self, uuid: str | Sequence[str], status: str | None) -> None:
        """Give one device or several a status, any word or none.

        "active" lets its heartbeats arrive, and enrols it where it wasn't; with any other word they end now. A device
        that becomes "pending" was never enrolled.
        """
        for device in [self.fleet[each] for each in _several(uuid)]:
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
        for device in [self.fleet[each] for each in _several(uuid)]:
            self._silence(device, at)

    def drop(self, n: int, silent_s: float = 3600.0) -> list[str]:
        """Let `n` active devices, chosen by the seed, be inactive and silent so long; give their ids in list order."""
        living = self.uuids(LIVING)
        if n > len(living):
            message = f"only {len(living)} devices are active"
            raise ValueError(message)
        chosen = set(self._rng.sample(living, n))
        dropped = [uuid for uuid in living if uuid in chosen]
        self.set_status(dropped, SLEEPING)
        self.set_last_seen(dropped, silent_s)
        return dropped

    def restore(self, n: int | None = None) -> list[str]:
        """Bring the first `n` inactive devices back (None: all) and give their ids."""
        back = self.uuids(SLEEPING)[:n]
        self.set_status(back, LIVING)
        return back

    def remove(self, uuids: str | Sequence[str]) -> None:
        """Delete devices."""
        gone = _several(uuids)
        self.fleet.remove(gone)
        self.enrolments.forget(gone)

    def rename(self, uuid: str, name: str | None) -> None:
        """Give a device another name."""
        device = self.fleet[uuid]
        device.name = name
        self.fleet.touch(device, "name")

    def empty_list(self, on: bool = True) -> None:
        """Let the device list answer as if there were no device; the summary knows better."""
        self.shown = "none" if on else "all"

    def half_list(self, on: bool = True) -> None:
        """Let the device list answer as if there were only its first half; `total_count` agrees with it."""
        self.shown = "half" if on else "all"

    def set_row(self, uuid: str, without: Sequence[str] = (), **raw: Any) -> None:
        """Override fields of a device's row with any JSON value, and leave out the fields named in `without`."""
        spoiling = self.fleet.spoiling(self.fleet[uuid])
        spoiling.odd.update(raw)
        spoiling.without = spoiling.without.union(without)

    def set_raw(self, uuid: str, body: bytes | str) -> None:
        """Put these bytes, JSON or not, where a device's row should be."""
        self.fleet.spoiling(self.fleet[uuid]).raw = body.encode() if isinstance(body, str) else body

    def odd_rows(self, n: int) -> list[str]:
        """Spoil the rows of `n` devices, each in another way while ways last; give their ids in list order."""
        chosen = sorted(self._rng.sample(self.fleet.rows, n), key=lambda device: device.serial)
        ways = oddities()
        for number, device in enumerate(chosen):
            device.spoiling = ways[number % len(ways)]
            self.fleet.touch(device)
        return [device.uuid for device in chosen]

    def even_rows(self) -> None:
        """Undo all that `set_row`, `set_raw`, `odd_rows` and the fields of `add_device` did."""
        for device in self.fleet.rows:
            if device.spoiling is not None:
                device.spoiling = None
                self.fleet.touch(device)

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

    def revoke(self, status: int = 401) -> None:
        """Refuse every token with this status, until `set_token`."""
        self.refusal = status

    def set_token(self, token: str) -> None:
        """Take this token, and no other, from now on."""
        self.token, self.refusal = token, None

    def now_s(self) -> float:
        """Tell the account's time in seconds since the epoch."""
        return self.now().timestamp()

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
        return RefusedPlainlyError(status, message if self.error_bodies == "text" else "", headers)

    def too_many(self, headers: Mapping[str, str]) -> web.Response:
        """Answer 429 as the same company's other API does: in plain text."""
        return web.Response(text="Too Many Requests", status=429, headers=dict(headers))

    def state(self) -> dict[str, Any]:
        """Add how the fleet fares."""
        statuses: dict[str, int] = {}
        for device in self.fleet.rows:
            statuses[str(device.status)] = statuses.get(str(device.status), 0) + 1
        return super().state() | {"devices": statuses, "enrolment_errors": self.enrolments.errors()}


def _several(uuids: str | Sequence[str]) -> list[str]:
    return [uuids] if isinstance(uuids, str) else list(uuids)
