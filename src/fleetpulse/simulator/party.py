"""What all simulated parties share: faults, the record of requests, and what may be controlled from outside."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs

from fleetpulse.simulator import faults
from fleetpulse.simulator.milestones import Milestones

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

MAX_SEEN = 100_000  # a day's requests of a fast test; older ones are dropped so that a long demo stays small
UNROUTED = "*"


@dataclass(slots=True)
class Seen:
    """One request as it arrived.

    `query` is the raw query string; `status` is 0 until the answer is handed over, and stays 0 where there was
    none (hung, stalled, reset); `at` is the event loop's clock, in seconds.
    """

    method: str
    path: str
    query: str
    status: int
    at: float

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The query string's parameters, each with all its values."""
        return parse_qs(self.query, keep_blank_values=True)


class Party(ABC):
    """A vendor or receiver that `serve` can put on the network.

    `requests` holds the newest 100,000 requests in order of arrival, `counts` counts all of them by
    "METHOD path-template", `statuses` by the status of the answer.
    """

    kind: ClassVar[str]
    controls: ClassVar[frozenset[str]] = frozenset({"forget_requests"})

    def __init__(self) -> None:
        """Start with an empty record and no faults."""
        self.faults = faults.Faults()
        self.requests: deque[Seen] = deque(maxlen=MAX_SEEN)
        self.counts: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self._arrivals = Milestones()

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """List what this party answers."""

    def gate(self) -> web.Response | None:
        """Refuse a request at the door, before faults, credentials and routes; None lets it in."""
        return None

    def note(self, request: web.Request) -> Seen:
        """Record an arriving request."""
        resource = request.match_info.route.resource
        self.counts[f"{request.method} {resource.canonical if resource else UNROUTED}"] += 1
        seen = Seen(request.method, request.path, request.query_string, 0, asyncio.get_running_loop().time())
        self.requests.append(seen)
        self._arrivals.reached(self.counts.total())
        return seen

    async def arrived(self, n: int) -> None:
        """Wait until `n` requests have come in (since `forget_requests`), answered or not."""
        if self.counts.total() < n:
            await self._arrivals.wait(n)

    def forget_requests(self) -> None:
        """Start counting anew."""
        self.requests.clear()
        self.counts.clear()
        self.statuses.clear()

    def state(self) -> dict[str, Any]:
        """Summarise this party for `GET /_control/state`."""
        return {
            "kind": self.kind,
            "requests": self.counts.total(),
            "counts": dict(self.counts),
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "faults": len(self.faults),
        }

    def mail(self, after: int) -> dict[str, Any] | None:
        """List what was received past the first `after`; None where nothing is ever received."""
        del after
        return None

    def control(self, name: str) -> Callable[..., Any] | None:
        """Find the method that may be called from outside under this name; None when there is none."""
        if name in faults.CONTROLS:
            owner: object = self.faults
        elif name in self.controls:
            owner = self
        else:
            return None
        method: Callable[..., Any] = getattr(owner, name)
        return method
