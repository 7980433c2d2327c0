"""Who may ask what: bearer tokens from files, and the requests that need one."""

import hashlib
import hmac
from pathlib import Path
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from fleetpulse.secrets import Redactor, Secret, SecretUnreadableError

READS: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
PROBES: Final = frozenset({"/-/healthy", "/-/ready"})  # a kubelet has no token, and they tell nothing
ALIVE: Final = "fleetpulse is alive\n"
"""What `/-/healthy` answers: by this a service is known, also behind a proxy that changes headers."""
_SCHEME: Final = "bearer "
_LONGEST: Final = 4096


class Token:
    """A token in a file, which is looked at again for each request: a rotated one counts at once, and its past no more.

    Errors: SecretUnreadableError at construction. Later on, a file that cannot be read leaves the last token in force.
    """

    def __init__(self, file: Path, *, redactor: Redactor) -> None:
        self._file = file
        self._mark = _mark(file)  # before it is read: what is written in between is read once more
        self._secret = Secret(file=file, redactor=redactor)
        self._unreadable = ""
        self._log = structlog.get_logger(__name__)

    def fits(self, given: str) -> bool:
        """Whether this is the token, told in a time that does not depend on how much of it is right."""
        self._look_again()
        return hmac.compare_digest(_digest(given), _digest(self._secret.reveal()))

    def _look_again(self) -> None:
        mark = _mark(self._file)
        if mark == self._mark:
            return
        try:
            self._secret.refresh()
        except SecretUnreadableError as error:
            self._tell(str(error))
        else:  # only now: no mark tells when a file becomes readable, so until then each request tries
            self._mark, self._unreadable = mark, ""

    def _tell(self, problem: str) -> None:
        if problem != self._unreadable:
            self._log.warning("the token's file cannot be read; the last token stays in force", error=problem)
        self._unreadable = problem


class Access:
    """Decides on requests: what changes anything or costs a vendor requests needs `write`, the rest `read` if given."""

    def __init__(self, *, write: Token, read: Token | None = None) -> None:
        self._write = write
        self._read = read

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Pass on what may be asked.

        Errors: HTTPUnauthorized.
        """
        wanted = self._wanted(request)
        if wanted and not _fits(request, wanted):
            given = "is not the one" if hdrs.AUTHORIZATION in request.headers else "is missing"
            raise web.HTTPUnauthorized(
                text=f"401: this needs a bearer token, and yours {given}\n",
                headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="fleetpulse"'},
            )
        return await handler(request)

    def _wanted(self, request: web.Request) -> tuple[Token, ...]:
        if request.match_info.http_exception is not None:  # no such path or method: that is told to anyone
            return ()
        if request.method not in READS:
            return (self._write,)
        if self._read is None or request.path in PROBES:
            return ()
        return self._read, self._write


def _fits(request: web.Request, wanted: tuple[Token, ...]) -> bool:
    header = request.headers.get(hdrs.AUTHORIZATION, "")
    if header[: len(_SCHEME)].lower() != _SCHEME or len(header) > _LONGEST:
        return False
    given = header[len(_SCHEME) :].strip()
    return any(token.fits(given) for token in wanted)


def _digest(text: str) -> bytes:
    """Of one length whatever the text's."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()


def _mark(file: Path) -> tuple[int, int, int] | None:
    """What differs when a file was written or replaced, a Kubernetes `..data` swap included."""
    try:
        stat = file.stat()
    except (OSError, ValueError):
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size
