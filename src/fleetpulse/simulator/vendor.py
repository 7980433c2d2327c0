"""What all simulated vendors share: clock, ceiling on requests, refused writes, and the stories of their devices."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from aiohttp import hdrs, web

from fleetpulse.simulator.oddity import EVEN
from fleetpulse.simulator.party import Party
from fleetpulse.simulator.rates import Ceiling, retry_after

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from fleetpulse.simulator.answers import RefusedError
    from fleetpulse.simulator.fleet import Fleet
    from fleetpulse.simulator.oddity import Oddity

READS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})


@dataclass(frozen=True, slots=True)
class Write:
    """A request that would have changed something; a monitor must never send one."""

    method: str
    path: str
    body: bytes


class Vendor(Party):
    """A vendor's cloud: read-only, with a ceiling on requests and a clock that tests may move.

    `switches` maps each switch, an attribute of the same name, to the values it takes; None takes any. `limits` are
    those of them that enforce what is documented of how fast the vendor may be asked.
    `rude` counts the requests refused for coming too fast. `refusal` is the status with which every credential is
    refused, None for none. `oddities` are the ways in which its rows may be spoiled, `living` and `sleeping` its words
    for a device that is there and one that is not.
    """

    controls: ClassVar[frozenset[str]] = Party.controls | {
        "switch", "revoke", "uuids", "drop", "restore", "remove", "rename", "empty_list", "half_list", "set_row",
        "set_raw", "odd_rows", "even_rows",
    }  # fmt: skip
    switches: ClassVar[Mapping[str, tuple[Any, ...] | None]] = {"limit_per_s": None, "retry_after": None}
    limits: ClassVar[Mapping[str, Any]] = {}
    oddities: ClassVar[Sequence[Oddity]]
    living: ClassVar[str] = "online"
    sleeping: ClassVar[str] = "offline"
    lists_newest_first: ClassVar[bool] = False
    fleet: Fleet[Any]

    limit_per_s: float | None = None  # None: no ceiling
    retry_after: str = "seconds"  # see rates.retry_after

    def __init__(self, *, seed: int, now: Callable[[], datetime] | None = None, **switches: Any) -> None:
        """Set the clock (it gives aware UTC) and turn switches; `seed` decides what is invented and chosen."""
        super().__init__()
        self.now = now or _utc_now
        self.refusal: int | None = None
        self.shown: Literal["all", "half", "none"] = "all"
        self._rng = Random(seed)  # noqa: S311 - it invents a fleet
        self.switch(**switches)
        self.rude = 0
        self.writes: list[Write] = []
        self._ceiling = Ceiling()

    @abstractmethod
    def uuids(self, status: str | None = None) -> list[str]:
        """List the ids of the devices, all or those of a status."""

    @abstractmethod
    def set_status(self, uuid: str | Sequence[str], status: str) -> None:
        """Give one device or several a status."""

    @abstractmethod
    def settings(self, url: str) -> dict[str, str]:
        """Tell what a config has to say to reach this account where it is served at `url`: a source's keys by name."""

    @abstractmethod
    def too_many(self, headers: Mapping[str, str]) -> web.Response:
        """Word the answer to a request that came too fast."""

    @abstractmethod
    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> RefusedError:
        """Word a refusal in the vendor's error envelope."""

    def gate(self) -> web.Response | None:
        """Refuse what comes faster than the ceiling allows, and count it."""
        if self.limit_per_s is None:
            return None
        wait_s = self._ceiling.wait_s(asyncio.get_running_loop().time(), self.limit_per_s)
        if wait_s <= 0:
            return None
        self.rude += 1
        return self.too_many(retry_after(self.retry_after, wait_s, self.now()))

    def switch(self, **values: Any) -> None:
        """Turn switches while the vendor runs.

        Errors: LookupError for an unknown switch, ValueError for a value it doesn't take; then none is turned.
        """
        for name, value in values.items():
            if name not in self.switches:
                message = f"no switch {name!r}; there are {', '.join(sorted(self.switches))}"
                raise LookupError(message)
            choices = self.switches[name]
            if choices is not None and value not in choices:
                message = f"{name} takes one of {', '.join(map(repr, choices))}, not {value!r}"
                raise ValueError(message)
        for name, value in values.items():
            setattr(self, name, value)

    def now_s(self) -> float:
        """Tell the account's time in seconds since the epoch."""
        return self.now().timestamp()

    def revoke(self, status: int = 401) -> None:
        """Refuse every credential with this status, until another one is set."""
        self.refusal = status

    # -- devices

    def each(self, uuids: str | Iterable[str]) -> list[Any]:
        """Find one device or several; LookupError where one of them is none."""
        return [self.fleet[uuid] for uuid in ([uuids] if isinstance(uuids, str) else uuids)]

    def drop(self, n: int) -> list[str]:
        """Let `n` living devices, chosen by the seed, be there no more, and give their ids in list order."""
        living = self.uuids(self.living)
        if n > len(living):
            message = f"only {len(living)} devices are {self.living}"
            raise ValueError(message)
        chosen = set(self._rng.sample(living, n))
        dropped = [uuid for uuid in living if uuid in chosen]
        self.set_status(dropped, self.sleeping)
        return dropped

    def restore(self, n: int | None = None) -> list[str]:
        """Bring the first `n` sleeping devices back (None: all) and give their ids."""
        back = self.uuids(self.sleeping)[:n]
        self.set_status(back, self.living)
        return back

    def remove(self, uuids: str | Sequence[str]) -> None:
        """Delete devices."""
        self.fleet.remove([uuids] if isinstance(uuids, str) else uuids)

    def rename(self, uuid: str, name: str) -> None:
        """Give a device another name."""
        device = self.fleet[uuid]
        device.name = name
        self.fleet.touch(device)

    def empty_list(self, on: bool = True) -> None:
        """Let the device list answer as if there were no device; what is told elsewhere knows better."""
        self.shown = "none" if on else "all"

    def half_list(self, on: bool = True) -> None:
        """Let the device list answer as if there were only its first half; a total beside it agrees with it."""
        self.shown = "half" if on else "all"

    def shown_of(self, rows: int) -> int:
        """Tell how many of so many rows the device list shows."""
        return {"all": rows, "half": rows // 2, "none": 0}[self.shown]

    def set_row(self, uuid: str, without: Sequence[str] = (), **raw: Any) -> None:
        """Override fields of a device's rows with any JSON value, and leave out the fields named in `without`."""
        oddity = self.fleet[uuid].oddity
        self._spoil(uuid, oddity._replace(odd={**oddity.odd, **raw}, without=oddity.without.union(without)))

    def set_raw(self, uuid: str, body: bytes | str) -> None:
        """Put these bytes, JSON or not, where a device's rows should be."""
        raw = body.encode() if isinstance(body, str) else body
        self._spoil(uuid, self.fleet[uuid].oddity._replace(raw=raw))

    def odd_rows(self, n: int) -> list[str]:
        """Spoil the rows of `n` devices, each in another way while ways last; give their ids in list order."""
        chosen = self._rng.sample(self.fleet.rows, n)
        chosen.sort(key=lambda device: device.serial, reverse=self.lists_newest_first)
        for number, device in enumerate(chosen):
            self._spoil(device.uuid, self.oddities[number % len(self.oddities)])
        return [device.uuid for device in chosen]

    def even_rows(self) -> None:
        """Undo all that `set_row`, `set_raw`, `odd_rows` and the fields of `add_device` did."""
        for device in self.fleet.rows:
            if device.oddity is not EVEN:
                self._spoil(device.uuid, EVEN)

    def _spoil(self, uuid: str, oddity: Oddity) -> None:
        device = self.fleet[uuid]
        device.oddity = oddity
        self.fleet.touch(device)

    # -- requests

    def state(self) -> dict[str, Any]:
        """Add what only vendors count, and how the fleet fares."""
        devices = dict(Counter(str(device.status) for device in self.fleet.rows))
        return super().state() | {"rude": self.rude, "writes": len(self.writes), "devices": devices}

    def table(
        self,
        base: str,
        reads: Mapping[str, Callable[[web.Request], Awaitable[web.Response]]],
        admit: Callable[[web.Request], None],
    ) -> list[web.RouteDef]:
        """List the routes of `reads` below `base`, each behind `admit`, which may raise; the rest is refused last."""

        def admitted(
            read: Callable[[web.Request], Awaitable[web.Response]],
        ) -> Callable[[web.Request], Awaitable[web.Response]]:
            async def answer(request: web.Request) -> web.Response:
                admit(request)
                return await read(request)

            return answer

        routes = [web.get(base + path, admitted(read)) for path, read in reads.items()]
        return [*routes, web.route("*", "/{path:.*}", self.elsewhere)]

    async def elsewhere(self, request: web.Request) -> web.Response:
        """Answer what no route takes: a write is recorded and refused, a read finds nothing."""
        if request.method in READS:
            raise self.error(404, f"{request.path} was not found")
        self.writes.append(Write(request.method, request.path, await request.read()))
        raise self.error(405, f"{request.method} is not allowed in this simulation", {"Allow": "GET, HEAD"})


def _utc_now() -> datetime:
    return datetime.now(UTC)
