"""A receiver of webhooks that remembers all it got, for tests of delivery."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from aiohttp import web

from fleetpulse.simulator.breakage import reset
from fleetpulse.simulator.mailbox import Mailbox
from fleetpulse.simulator.party import Party

if TYPE_CHECKING:
    from collections.abc import Iterator

ID_HEADER: Final = "webhook-id"


class Delivery(NamedTuple):
    """A body that arrived whole: when (the event loop's clock, seconds), its headers (names in lower case), itself."""

    at: float
    headers: dict[str, str]
    body: bytes


class WebhookReceiver(Party):
    """Takes any POST with `status`, and remembers the newest 100,000 in `received`.

    A body counts as received once it was read, whatever becomes of the answer (`hold`, `reset_after_read_next`,
    `faults.slow`); what a fault refuses is not received. `ids` counts arrivals by `webhook-id`.
    """

    kind = "webhook"
    controls: ClassVar[frozenset[str]] = Party.controls | {
        "hold", "release", "reset_after_read_next", "set_status", "forget_received",
    }  # fmt: skip

    def __init__(self, *, status: int = 200) -> None:
        """Start with nothing received."""
        super().__init__()
        self.status = status
        self.received: Mailbox[Delivery] = Mailbox()
        self.ids: Counter[str] = Counter()
        self._resets = 0
        self._released = asyncio.Event()
        self._released.set()

    def routes(self) -> list[web.RouteDef]:
        """List the one route, which takes any path."""
        return [web.post("/{path:.*}", self._post)]

    def unique(self) -> dict[str, bytes]:
        """Give the first body of each `webhook-id`, in order of arrival."""
        first: dict[str, bytes] = {}
        for delivery in self.received:
            if ID_HEADER in delivery.headers:
                first.setdefault(delivery.headers[ID_HEADER], delivery.body)
        return first

    def set_status(self, status: int) -> None:
        """Answer with this status from now on; what is answered so was received all the same."""
        self.status = status

    def reset_after_read_next(self, n: int = 1) -> None:
        """Take the next `n` bodies, then reset the connection instead of answering."""
        self._resets += n

    def hold(self) -> None:
        """Take bodies from now on without answering, until `release`."""
        self._released.clear()

    def release(self) -> None:
        """Answer all that is held, and what comes."""
        self._released.set()

    def forget_received(self) -> None:
        """Start with nothing received again."""
        self.received.empty()
        self.ids.clear()

    def mail(self, after: int) -> dict[str, Any]:
        """List the deliveries past the first `after`, their bodies as text."""
        return {"total": self.received.total, "messages": list(self._listed(after))}

    def state(self) -> dict[str, Any]:
        """Add what was received."""
        counted = {"received": self.received.total, "unique": len(self.ids), "held": not self._released.is_set()}
        return super().state() | counted

    def _listed(self, after: int) -> Iterator[dict[str, Any]]:
        for number, (at, headers, body) in self.received.past(after):
            yield {"number": number, "at": at, "headers": headers, "body": body.decode(errors="replace")}

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.put(Delivery(asyncio.get_running_loop().time(), headers, body))
        if ID_HEADER in headers:
            self.ids[headers[ID_HEADER]] += 1
        if self._resets > 0:
            self._resets -= 1
            return reset(request)
        await self._released.wait()
        return web.Response(status=self.status)
