"""Where the server listens: `host:port`, `[::]:port`, `:port`."""

import errno
import re
import socket
from typing import Final

import msgspec

BACKLOG: Final = 128

_LISTEN = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^\[\]:/\s]*)):(?P<port>\d{1,5})")
_HIGHEST_PORT: Final = 65535


class ListenError(Exception):
    """The server can't listen there; the text names the address, why, and the cure."""


class Address(msgspec.Struct, frozen=True):
    """Host and port; an empty host means every address of the machine, port 0 any free port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> Address:
    """Read `127.0.0.1:9720`, `[::1]:9720`, `:9720`.

    Errors: ValueError with the cure in its text.
    """
    match = _LISTEN.fullmatch(text.strip())
    if match is None or int(match["port"]) > _HIGHEST_PORT:
        raise ValueError("must be an address and a port, like 127.0.0.1:9720, [::1]:9720 or :9720")
    return Address(match["six"] or match["host"] or "", int(match["port"]))


def bind(address: Address) -> socket.socket:
    """A listening socket. Every address means IPv4 and IPv6 where the machine has both, as in Prometheus' own servers.

    Errors: ListenError.
    """
    try:
        return _bound(address)
    except OSError as error:
        raise ListenError(told(address, error, setting="[http] listen")) from error


def told(address: Address, error: OSError, *, setting: str) -> str:
    """The address, why it cannot be listened on, and the cure; `setting` is what people gave it by."""
    if isinstance(error, socket.gaierror):
        return f"{address} cannot be listened on: the host is not known; set {setting}"
    if error.errno == errno.EADDRINUSE:
        return f"{address} is taken by another process: stop that one, or set another {setting}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address} is no address of this machine: set {setting} to one it has"
    if error.errno == errno.EACCES:
        return f"{address} needs rights this process lacks: set {setting} to a port above 1023"
    return f"{address} cannot be listened on: {error.strerror or error}"


def _bound(address: Address) -> socket.socket:
    if address.host in {"", "::"}:
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both or address.host == "::" else socket.AF_INET
        return socket.create_server(("", address.port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, where = min(found, key=lambda one: one[0] is not socket.AF_INET)  # `localhost` means IPv4 to most
    return socket.create_server(where, family=family, backlog=BACKLOG)
