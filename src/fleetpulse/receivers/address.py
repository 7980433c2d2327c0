"""Where a receiver lives: a URL that is itself a secret, for whoever has it can post."""

from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from fleetpulse.secrets import Redactor, Secret, SecretUnreadableError, looks_random, names_a_secret


class Address:
    """A receiver's URL, read again at each use where it is given by file.

    The redactor learns its secret parts too, for servers echo the path alone (`Cannot POST /services/T0/B0/x`). Parts
    that a person wrote are none: to blank `fleetpulse` or `edge-prod` would make logs and messages unreadable.
    """

    def __init__(self, secret: Secret, *, redactor: Redactor) -> None:
        self._secret = secret
        self._redactor = redactor
        self._learned = ""
        self._learn()

    def current(self) -> str:
        """The URL to send to now."""
        refresh(self._secret)
        self._learn()
        return self._secret.reveal()

    @property
    def host(self) -> str:
        """The part that people may read."""
        split = _split(self._secret.reveal())
        return (split.hostname or "") if split else ""

    def _learn(self) -> None:
        url = self._secret.reveal()
        split = _split(url)
        if split is None or url == self._learned:
            return
        self._learned = url
        for piece in _secret_pieces(split):
            self._redactor.learn(piece)


def refresh(secret: Secret) -> None:
    """Read a secret's file again. While that fails the last value holds: a swap may be half done, and people wait."""
    with suppress(SecretUnreadableError):
        secret.refresh()


def address_problem(url: str, *, https: bool) -> str:
    """Why nothing can be sent to this URL, with the cure; empty where it is fine. Never tells the URL itself.

    `https` demands it but on the loopback, where tests and look-alikes live.
    """
    split = _split(url)
    if split is None or not split.hostname or split.scheme not in {"http", "https"} or url.split() != [url]:
        return "is not a URL: write it like https://hooks.example.com/path"
    if https and split.scheme != "https" and not _loopback(split.hostname):
        return "is not https: the URL is a secret and would travel in the clear"
    return ""


def _secret_pieces(url: SplitResult) -> list[str]:
    """What of a URL is secret without the rest, and what holds it."""
    parts = [part for part in url.path.split("/") if looks_random(unquote(part))]
    values = [value for name, value in parse_qsl(url.query) if names_a_secret(name) or looks_random(value)]
    user = unquote(url.username or "")
    pieces = [unquote(url.password or ""), user if looks_random(user) else "", *parts, *map(unquote, parts), *values]
    if parts:
        pieces.append(url.path)
    if values:
        pieces.append(url.query)
    if parts or values:
        pieces.append(f"{url.path}?{url.query}")
    return pieces


def _split(url: str) -> SplitResult | None:
    try:
        split = urlsplit(url)
        _ = split.port  # read here because a wrong one raises only when asked for
    except ValueError:
        return None
    return split


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
