"""A look-alike of Slack's incoming webhooks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from aiohttp import web

from fleetpulse.simulator import blocks
from fleetpulse.simulator.mailbox import Mailbox
from fleetpulse.simulator.party import Party

if TYPE_CHECKING:
    from collections.abc import Mapping

# What Slack says when it refuses for reasons that aren't the message's, with the status it uses.
REFUSALS: Final[Mapping[str, int]] = {
    "action_prohibited": 403,
    "channel_is_archived": 410,
    "channel_not_found": 404,
    "invalid_token": 403,
    "no_service": 404,
    "no_team": 404,
    "posting_to_general_channel_denied": 403,
    "rate_limited": 429,
    "rollup_error": 500,
    "team_disabled": 403,
    "user_not_found": 400,
}


class Message(NamedTuple):
    """A message that was taken: when (the event loop's clock, seconds), at which path, and what it said."""

    at: float
    path: str
    body: dict[str, Any]


class SlackReceiver(Party):
    """Takes messages as an incoming webhook does and refuses what Slack would refuse.

    `messages` holds the newest 100,000 that were taken, `refused` the word of each refusal that a message itself
    earned. With `enforce_pace`, a webhook that posts more than one message a second, past a burst of `burst`,
    gets 429; `rude` counts these.
    """

    kind = "slack"
    controls: ClassVar[frozenset[str]] = Party.controls | {"refuse_next", "set_pace", "forget_messages"}

    def __init__(self, *, enforce_pace: bool = False, burst: int = 5) -> None:
        """Start with nothing received."""
        super().__init__()
        self.enforce_pace = enforce_pace
        self.burst = burst
        self.rude = 0
        self.messages: Mailbox[Message] = Mailbox()
        self.refused: Mailbox[str] = Mailbox()
        self._allowances: dict[str, tuple[float, float]] = {}

    def routes(self) -> list[web.RouteDef]:
        """List the webhook's route; any path under /services/ is a webhook of its own."""
        return [web.post("/services/{anything:.*}", self._post)]

    def refuse_next(self, error: str, n: int = 1, path: str = "") -> None:
        """Refuse the next `n` messages with one of Slack's words, and the status it uses for it.

        Errors: LookupError for a word that isn't in REFUSALS.
        """
        if error not in REFUSALS:
            message = f"no refusal {error!r}; there are {', '.join(REFUSALS)}"
            raise LookupError(message)
        headers = {"Retry-After": "1"} if error == "rate_limited" else {}
        self.faults.fail_next(n, REFUSALS[error], error, headers, path)

    def set_pace(self, on: bool = True, burst: int | None = None) -> None:
        """Enforce Slack's pace from now on, or no longer."""
        self.enforce_pace = on
        self.burst = self.burst if burst is None else burst
        self._allowances.clear()

    def forget_messages(self) -> None:
        """Start with nothing received again."""
        self.messages.empty()
        self.refused.empty()

    def mail(self, after: int) -> dict[str, Any]:
        """List the messages past the first `after`."""
        listed = [{"number": number, **message._asdict()} for number, message in self.messages.past(after)]
        return {"total": self.messages.total, "messages": listed}

    def state(self) -> dict[str, Any]:
        """Add what was received and refused."""
        counted = {"received": self.messages.total, "refused": self.refused.total, "rude": self.rude}
        return super().state() | counted

    async def _post(self, request: web.Request) -> web.Response:
        raw = await request.read()
        at = asyncio.get_running_loop().time()
        if self.enforce_pace and not self._in_time(request.path, at):
            self.rude += 1
            return web.Response(status=429, text="rate_limited", headers={"Retry-After": "1"})
        message = blocks.decode(raw)
        word = "invalid_payload" if message is None else blocks.refusal(message)
        if message is None or word is not None:
            self.refused.put(word or "")
            return web.Response(status=400, text=word)
        self.messages.put(Message(at, request.path, message))
        return web.Response(text="ok")

    def _in_time(self, path: str, at: float) -> bool:
        """Spend one of the path's allowance, which grows by one a second up to the burst."""
        left, then = self._allowances.get(path, (float(self.burst), at))
        left = min(float(self.burst), left + at - then)
        in_time = left >= 1
        self._allowances[path] = (left - 1 if in_time else left, at)
        return in_time
