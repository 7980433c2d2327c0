"""Small HTTP: one request on one connection, and waiting for what is asked to become true."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

TIMEOUT_S: Final = 10.0
_PAUSE_S: Final = 0.02

Found = TypeVar("Found")


class Answer(NamedTuple):
    """A status, and the body as text."""

    status: int
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


def ask(url: str, *, arguments: Mapping[str, Any] | None = None) -> Answer:
    """GET, or POST where there are arguments, which go as JSON.

    Errors: OSError when nobody answers.
    """
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
    try:
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        if arguments is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, body=json.dumps(arguments), headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read().decode())
    finally:
        connection.close()


def until(holds: Callable[[], Found], what: str, *, within_s: float, tell: Callable[[], str] = str) -> Found:
    """Wait for a true answer and give it. `tell` adds to the failure what helps to understand it."""
    due = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < due, f"not within {within_s:g} s: {what}; it was {found!r}\n{tell()}"
        time.sleep(_PAUSE_S)
    return found
