"""What a receiver offers to the dispatcher.

A receiver makes a message of a notification once (its bytes are stored before anything is sent) and sends those bytes
as often as it is told to. It retries nothing and paces nothing: the dispatcher does.
"""

from typing import Literal, Protocol

import msgspec

from fleetpulse.alerting.notification import Notification
from fleetpulse.durations import Rate

RetryReason = Literal["timeout", "unreachable", "rate_limited", "server_error", "misconfigured", "error"]
"""Why a try failed that may succeed later; `misconfigured` by what a file holds, `error` by a mistake of our own."""
RefusedReason = Literal["client_error", "gone", "unauthorized"]
"""Why no try will ever succeed."""


class Delivered(msgspec.Struct, frozen=True):
    """The receiver has it: a 2xx that means yes."""

    status: int = 200


class Retry(msgspec.Struct, frozen=True):
    """It did not arrive, and may if tried again. `retry_after_s` where the receiver asked for a pause.

    `reason` is for metrics, `detail` for people, redacted.
    """

    reason: RetryReason
    detail: str = ""
    retry_after_s: float | None = None


class Refused(msgspec.Struct, frozen=True):
    """It will never be taken: a terminal refusal such as 410, a revoked webhook or an archived channel."""

    reason: RefusedReason
    detail: str = ""


Outcome = Delivered | Retry | Refused


class Receiver(Protocol):
    """One configured destination."""

    name: str
    rate: Rate | None
    """Messages at most in a period; None: as fast as it answers."""
    dedupes: bool
    """Whether the destination can tell a second delivery of the same id."""

    def message(self, notification: Notification) -> bytes:
        """The finished payload, within the destination's documented limits. Pure."""
        ...

    async def send(self, delivery_id: str, payload: bytes) -> Outcome:
        """Try once to deliver. Never raises but for cancellation; leaks no secret into the outcome."""
        ...
