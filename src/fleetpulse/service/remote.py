"""The running service, as the command line asks it: where it is, with which token, and what its answers mean."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from fleetpulse.outbound import Answer, NobodyListens, Outbound, OutboundError, Unreachable
from fleetpulse.secrets import Redactor, Secret, SecretUnreadableError
from fleetpulse.service.config import ConfigError, find_config, load_plain
from fleetpulse.service.failures import DoneBadlyError, UsageError
from fleetpulse.service.settings import HttpSettings, Settings
from fleetpulse.service.tokens import token_file
from fleetpulse.service.version import VERSION
from fleetpulse.web.access import ALIVE
from fleetpulse.web.address import Address

URL: Final = "FLEETPULSE_URL"
TIMEOUT_S: Final = 30.0  # the service answers from memory, or after a write to its journal
SILENCE_S: Final = 60.0  # what waits for a vendor says something every ten seconds
_NOWHERE: Final = frozenset({"", "::", "0.0.0.0"})  # noqa: S104 - compared, not bound


class NobodyAnswersError(DoneBadlyError):
    """No service answers there."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a service is. `token_file` is where its token lies, as far as that is known.

    `named`: somebody gave the URL, so a service must be there; `token_wanted`: somebody gave that file, likewise.
    """

    url: str
    named: bool = False
    token_file: Path | None = None
    token_wanted: bool = False


def find_place(
    *,
    url: str | None,
    token_file_given: Path | None,
    config: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
) -> Place:
    """`--url`, else FLEETPULSE_URL, else `[http]` of the config, else where a service listens by default.

    The token that lies beside the journal goes to this machine alone, or to where the config itself says.
    Errors: ConfigError; UsageError for a URL that is none, or a port that only the service knows.
    """
    settings = _plain(config, environ, cwd)
    named = url or environ.get(URL)
    place = _checked(named) if named else _listening(settings.http)
    if token_file_given is not None:
        return Place(url=place, named=bool(named), token_file=token_file_given, token_wanted=True)
    own = token_file(settings) if not named or _is_here(place) else None
    return Place(url=place, named=bool(named), token_file=own)


class Remote:
    """One running service.

    Errors, from everything: DoneBadlyError in words for people; NobodyAnswersError where nothing listens; UsageError
    where the service takes what was asked for as a mistake.
    """

    def __init__(self, place: Place, *, outbound: Outbound) -> None:
        self.url = place.url
        self.named = place.named
        self._place = place
        self._outbound = outbound

    async def answers(self) -> bool:
        """Whether a service is there; nobody is where a connection is refused.

        Errors: DoneBadlyError where something else is, or where it cannot be known.
        """
        try:
            answer = await self._outbound.request("GET", f"{self.url}/-/healthy", timeout_s=10.0)
        except NobodyListens:
            return False
        except Unreachable as error:
            raise DoneBadlyError(
                f"{error}, so whether a service runs there cannot be known: "
                "name it with --url, or say with --alone that none runs anywhere"
            ) from error
        except OutboundError as error:
            raise DoneBadlyError(f"{error}; it is no fleetpulse, or one of another age") from error
        if answer.status != HTTPStatus.OK or answer.body != ALIVE.encode():
            raise DoneBadlyError(
                f"what answers at {self.url} is no fleetpulse, or one of another age; name the service with --url"
            )
        return True

    async def get(self, *path: str, **query: str | int | None) -> Any:
        """What stands at a path of the API; the parts are quoted here."""
        return await self._ask("GET", path, {name: str(value) for name, value in query.items() if value is not None})

    async def post(self, *path: str, body: Any = None) -> Any:
        """Have something done; what the service answers."""
        return await self._ask("POST", path, {}, body=body)

    async def ask(self, *path: str) -> Any:
        """Have something done that takes its time; what the service answers at last."""
        found = None
        async with aclosing(self.lines(*path)) as lines:
            async for line in lines:
                found = _document(line)
        if found is None:
            raise DoneBadlyError(f"{self.url} broke off, or is a fleetpulse of another age")
        return found

    async def lines(self, *path: str) -> AsyncGenerator[bytes, None]:
        """Have something done that tells line by line how it goes."""
        try:
            answer = self._outbound.lines(
                "POST",
                self._address(path, {}),
                silence_s=SILENCE_S,
                headers=self._headers(needed=True),
                refused=self._refusal,
            )
            async with aclosing(answer) as lines:
                async for line in lines:
                    if (text := _error(line)) is not None:
                        raise DoneBadlyError(self._outbound.redactor.redact(text))
                    yield line
        except OutboundError as error:
            raise self._unreached(error) from error

    async def _ask(self, method: str, path: tuple[str, ...], query: Mapping[str, str], *, body: Any = None) -> Any:
        try:
            answer = await self._outbound.request(
                method,
                self._address(path, query),
                timeout_s=TIMEOUT_S,
                headers=self._headers(needed=method != "GET"),
                body=None if body is None else msgspec.json.encode(body),
            )
        except OutboundError as error:
            raise self._unreached(error) from error
        if answer.status != HTTPStatus.OK:
            raise self._refusal(answer)
        found = _document(answer.body)
        if found is None:
            raise DoneBadlyError(f"what answers at {self.url} is no fleetpulse, or one of another age")
        return found

    def _address(self, path: tuple[str, ...], query: Mapping[str, str]) -> str:
        words = "/".join(quote(part, safe="") for part in path)
        return f"{self.url}/api/v1/{words}" + (f"?{urlencode(query)}" if query else "")

    def _headers(self, *, needed: bool) -> dict[str, str]:
        """With the token, where it can be read; reading may do without.

        Errors: DoneBadlyError.
        """
        file = self._place.token_file
        if file is None:
            return {}
        try:
            secret = Secret(file=file, redactor=self._outbound.redactor)
        except SecretUnreadableError as error:
            if needed or self._place.token_wanted:
                raise DoneBadlyError(
                    f"{error}; run this as the service's user, or name a file with --token-file"
                ) from error
            return {}
        return {"Authorization": f"Bearer {secret.reveal()}"}

    def _refusal(self, answer: Answer) -> DoneBadlyError | UsageError:
        if answer.status == HTTPStatus.UNAUTHORIZED:
            file = self._place.token_file
            if file is None or not self._headers(needed=False):
                return DoneBadlyError(f"{self.url} wants its token: name the token's file with --token-file")
            return DoneBadlyError(
                f"{self.url} does not take the token in {file}: name the right file with --token-file"
            )
        text = _error(answer.body)
        if text is None:
            return DoneBadlyError(f"what answers at {self.url} is no fleetpulse, or one of another age")
        told = self._outbound.redactor.redact(text)
        return UsageError(told) if answer.status == HTTPStatus.BAD_REQUEST else DoneBadlyError(told)

    def _unreached(self, error: OutboundError) -> DoneBadlyError:
        if isinstance(error, Unreachable):
            return NobodyAnswersError(f"{error}: is the service running there? Name another one with --url")
        return DoneBadlyError(str(error))


@asynccontextmanager
async def connected(place: Place) -> AsyncIterator[Remote]:
    """The service at a place, for as long as a command asks it."""
    async with Outbound(version=VERSION, redactor=Redactor()) as outbound:
        yield Remote(place, outbound=outbound)


def _plain(config: Path | None, environ: Mapping[str, str], cwd: Path) -> Settings:
    if config is None:
        try:
            config = find_config(environ, cwd)
        except ConfigError:
            return Settings()
    return load_plain(config, environ)


def _listening(http: HttpSettings) -> str:
    try:
        address = http.address
    except ValueError as error:
        raise UsageError(f"[http] listen {error}") from error
    if address.port == 0:
        raise UsageError("[http] listen takes any free port, so only the log of the service tells which: give --url")
    return f"http://{Address('127.0.0.1' if address.host in _NOWHERE else address.host, address.port)}"


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise UsageError("--url (or FLEETPULSE_URL) must be like https://fleetpulse.example.com")
    return url.rstrip("/")


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _error(raw: bytes) -> str | None:
    found = _document(raw)
    text = found.get("error") if isinstance(found, dict) else None
    return text if isinstance(text, str) else None


def _document(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
