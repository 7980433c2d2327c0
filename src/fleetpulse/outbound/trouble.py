"""What went wrong on the way, in a few words without the URL: aiohttp's own texts carry it whole."""

import errno
import os
from ssl import SSLCertVerificationError

import aiohttp

from fleetpulse.outbound.connection import BrokenConnection
from fleetpulse.outbound.errors import BadEncoding, NobodyListens, OutboundError, Unreachable


def told(error: Exception) -> OutboundError:
    """The error of our closed set for one of aiohttp's or of the operating system's. First fitting row wins."""
    cause = error.__cause__ if isinstance(error, BrokenConnection) else error
    if (
        type(cause) is aiohttp.ClientConnectorError and cause.errno == errno.ECONNREFUSED
    ):  # of a proxy it is another one
        return NobodyListens(f"takes no connection: {_why(cause)}")
    for kind, ours, text in _ROWS:
        if isinstance(cause, kind):
            return ours(text.format(why=_why(cause)))
    return Unreachable(f"gave no answer ({type(cause).__name__})")


_ROWS: tuple[tuple[type[BaseException], type[OutboundError], str], ...] = (
    (aiohttp.ClientHttpProxyError, Unreachable, "was not reached: the proxy answered {why}"),
    (aiohttp.ClientProxyConnectionError, Unreachable, "was not reached: the proxy does not answer: {why}"),
    (aiohttp.ClientConnectorDNSError, Unreachable, "has no address: the name was not found"),
    (aiohttp.ClientConnectorCertificateError, Unreachable, "has a certificate that is not trusted: {why}"),
    (aiohttp.ClientSSLError, Unreachable, "does not agree on TLS: {why}"),
    (aiohttp.ClientConnectorError, Unreachable, "takes no connection: {why}"),
    (aiohttp.ServerDisconnectedError, Unreachable, "closed the connection without an answer"),
    (aiohttp.ClientOSError, Unreachable, "broke the connection: {why}"),
    (aiohttp.ClientPayloadError, Unreachable, "broke off in the middle of its answer"),
    (aiohttp.InvalidURL, Unreachable, "was not asked: the URL cannot be used"),
    (aiohttp.NonHttpUrlClientError, Unreachable, "was not asked: only http and https can be used"),
    (aiohttp.ClientResponseError, BadEncoding, "did not answer in HTTP"),
    (OSError, Unreachable, "broke the connection: {why}"),
    (ValueError, Unreachable, "was not asked: the URL cannot be used"),
)


def _why(error: BaseException | None) -> str:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return str(error.status)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        verdict = error.certificate_error
        return verdict.verify_message if isinstance(verdict, SSLCertVerificationError) else type(verdict).__name__
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return str(getattr(error.os_error, "reason", "")).replace("_", " ").lower() or type(error).__name__
    number = getattr(error, "errno", None)
    return os.strerror(number) if isinstance(number, int) and number > 0 else type(error).__name__
