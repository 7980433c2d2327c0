"""The closed set of what can go wrong between sending a request and holding its whole answer.

Texts name `scheme://host` and a short reason, never a path, a query or a header: any of these may be a secret.
"""


class OutboundError(Exception):
    """A request brought no answer. `reason` is one of a small set, for metrics."""

    reason = "error"


class Unreachable(OutboundError):  # noqa: N818 - a noun of the field reads better than its Error
    """No answer, or one that broke off: refused, reset, no such name, TLS, a proxy that says no."""

    reason = "unreachable"


class NobodyListens(Unreachable):
    """The host is there, and takes no connection at this port."""


class TimedOut(Unreachable):
    """The whole answer was not there in time."""

    reason = "timeout"


class TooLarge(OutboundError):  # noqa: N818
    """The body, unpacked, is larger than allowed; the rest was not read."""

    reason = "too_large"


class BadEncoding(OutboundError):  # noqa: N818
    """The bytes are not the HTTP they claim to be: head, chunking or compression."""

    reason = "bad_encoding"
