"""What all simulated vendors share: their clock, their ceiling on requests, and the writes they refuse."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import hdrs

from fleetpulse.simulator.party import Party
from fleetpulse.simulator.rates import Ceiling, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp import web

    from fleetpulse.simulator.answers import RefusedError

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
    `rude` counts the requests refused for coming too fast.
    """

    controls: ClassVar[frozenset[str]] = Party.controls | {"switch"}
    switches: ClassVar[Mapping[str, tuple[Any, ...] | None]] = {"limit_per_s": None, "retry_after": None}
    limits: ClassVar[Mapping[str, Any]] = {}

    limit_per_s: float | None = None  # None: no ceiling
    retry_after: str = "seconds"  # see rates.retry_after

    def __init__(self, *, now: Callable[[], datetime] | None = None, **switches: Any) -> None:
        """Set the clock (it gives aware UTC) and turn switches."""
        super().__init__()
        self.now = now or _utc_now
        self.switch(**switches)
        self.rude = 0
        self.writes: list[Write] = []
        self._ceiling = Ceiling()

    @abstractmethod
    def uuids(self, status: str | None = None) -> list[str]:
        """List the ids of the devices, all or those of a status."""

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

    def state(self) -> dict[str, Any]:
        """Add what only vendors count."""
        return super().state() | {"rude": self.rude, "writes": len(self.writes)}

    async def elsewhere(self, request: web.Request) -> web.Response:
        """Answer what no route takes: a write is recorded and refused, a read finds nothing."""
        if request.method in READS:
            raise self.error(404, f"{request.path} was not found")
        self.writes.append(Write(request.method, request.path, await request.read()))
        raise self.error(405, f"{request.method} is not allowed in this simulation", {"Allow": "GET, HEAD"})


def _utc_now() -> datetime:
    return datetime.now(UTC)
