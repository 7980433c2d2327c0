"""One account at one vendor's host: requests take their turn, are sent, and teach the budget what they met."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from fleetpulse import clock
from fleetpulse.outbound.answer import Answer
from fleetpulse.outbound.budget import Budget
from fleetpulse.outbound.errors import OutboundError
from fleetpulse.outbound.session import MAX_BYTES, Outbound
from fleetpulse.outbound.turns import Priority

_TOO_MANY_REQUESTS = 429
_TIMEOUT_S = 30.0


class Account:
    """Reads from one account. There is no way to write through it.

    `observe` is told of every request: the status, or a word (`timeout`, `unreachable`, `too_large`, `bad_encoding`),
    and the seconds it took without the wait for its turn. `lowest`: no request is served before those of this priority,
    whatever it asks for.
    """

    def __init__(
        self,
        *,
        outbound: Outbound,
        budget: Budget,
        base_url: str,
        observe: Callable[[int | str, float], None],
        ca_file: Path | None = None,
        proxy: str | None = None,
        timeout_s: float = _TIMEOUT_S,
        max_bytes: int = MAX_BYTES,
        lowest: Priority = Priority.STATE,
    ) -> None:
        self.budget = budget
        self.host = urlsplit(base_url).netloc
        self._outbound = outbound
        self._base_url = base_url.rstrip("/")
        self._observe = observe
        self._ca_file = ca_file
        self._proxy = proxy
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._lowest = lowest
        if proxy is not None and (password := urlsplit(proxy).password):
            outbound.redactor.learn(password)

    async def get(
        self,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        priority: Priority = Priority.STATE,
        quiet_s: float | None = None,
    ) -> Answer:
        """Send one GET in its turn; `path` begins with a slash and is already quoted.

        `quiet_s` is how long to stay silent after a 429 that names no time itself.
        Errors: those of `Outbound.request`. Any status is an answer, 429 too: the budget has then slowed down.
        Cancellation: safe at any time.
        """
        self._conceal(headers or {})
        url = self._base_url + path + (f"?{urlencode(params, quote_via=quote)}" if params else "")
        async with self.budget.turn(max(priority, self._lowest)):
            answer = await self._send(url, headers=headers, body=body)
            if answer.status == _TOO_MANY_REQUESTS:  # while the turn is held, so that none is granted in between
                self.budget.slow_down(quiet_s if answer.retry_after_s is None else answer.retry_after_s)
            elif answer.status // 100 == 2:  # noqa: PLR2004 - 2xx
                self.budget.speed_up()
            return answer

    def redact(self, text: str) -> str:
        """The text without secrets: for what a vendor said and people will read."""
        return self._outbound.redactor.redact(text)

    async def _send(self, url: str, *, headers: Mapping[str, str] | None, body: bytes | None) -> Answer:
        began = clock.monotonic()
        try:
            answer = await self._outbound.request(
                "GET",
                url,
                headers=headers,
                body=body,
                timeout_s=self._timeout_s,
                max_bytes=self._max_bytes,
                proxy=self._proxy,
                ssl_ca=self._ca_file,
            )
        except OutboundError as error:
            self._observe(error.reason, clock.monotonic() - began)
            raise
        self._observe(answer.status, answer.seconds)
        return answer

    def _conceal(self, headers: Mapping[str, str]) -> None:
        """Learn the form a credential takes in its header: Basic wraps it, and a vendor may echo it in an error."""
        scheme_and_credential = headers.get("Authorization", "").split(" ", 1)
        self._outbound.redactor.learn(scheme_and_credential[-1])
