"""What an HTTP answer, or none, means for a delivery: one table for every receiver."""

from collections.abc import Mapping
from typing import Final

from fleetpulse.outbound import Answer, OutboundError, TimedOut, Unreachable
from fleetpulse.receivers.contract import Delivered, Outcome, Refused, RefusedReason, Retry, RetryReason
from fleetpulse.secrets import Redactor

_EXCERPT: Final = 200  # characters of an answer that a person needs to see what spoke

# Statuses that differ from their class. Anything else in 3xx and 4xx is refused for good: the same bytes would meet
# the same answer. Everything outside 2xx, 3xx and 4xx is tried again.
_RETRIED: Final[Mapping[int, RetryReason]] = {
    302: "server_error",  # a login or maintenance page in the way is temporary, as these three statuses say
    303: "server_error",
    307: "server_error",
    408: "timeout",
    425: "server_error",
    429: "rate_limited",
}
_REFUSED: Final[Mapping[int, RefusedReason]] = {
    401: "unauthorized",
    403: "unauthorized",
    407: "unauthorized",
    410: "gone",
}
_CURES: Final = {
    301: "it has moved for good: set the new URL",
    308: "it has moved for good: set the new URL",
    302: "redirects are not followed",
    303: "redirects are not followed",
    307: "redirects are not followed",
}


def answered(answer: Answer, *, host: str, redactor: Redactor) -> Outcome:
    """The outcome by the status alone; where it is no success, the text quotes the beginning of the body."""
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own classes
        return Delivered(status)
    detail = told(host, status, _CURES.get(status) or excerpt(answer, redactor=redactor))
    if 300 <= status < 500 and status not in _RETRIED:  # noqa: PLR2004 - likewise
        return Refused(_REFUSED.get(status, "client_error"), detail)
    return Retry(_RETRIED.get(status, "server_error"), detail, retry_after_s=answer.retry_after_s)


def unanswered(error: OutboundError) -> Retry:
    """The outcome of a request that brought no answer; outbound's texts hold no secret."""
    if isinstance(error, TimedOut):
        return Retry("timeout", str(error))
    return Retry("unreachable" if isinstance(error, Unreachable) else "server_error", str(error))


def told(host: str, status: int, what: str) -> str:
    """The sentence for people: who answered, with which status, and what it said."""
    return f"{host} answered {status}: {what}" if what else f"{host} answered {status}"


def excerpt(answer: Answer, *, redactor: Redactor) -> str:
    """The beginning of an answer's body on one line. Redacted first, since a secret cut in two is no longer found."""
    text = " ".join(redactor.redact(answer.body.decode(errors="replace")).split())
    return "".join(char if char.isprintable() else " " for char in text[:_EXCERPT])
