"""What can go wrong on purpose: the list of faults that a party will play, in order of registration.

This module only keeps the list; `breakage` plays a fault on a connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

NEVER_S = 3600.0
HTML = b"<html><body><h1>Down for maintenance</h1></body></html>"

FaultKind = Literal["fail", "hang", "stall", "reset", "truncate", "garble"]
CONTROLS = frozenset(
    {"fail_next", "hang_next", "stall_next", "reset_next", "truncate_next", "garble_next", "slow", "always", "clear"},
)


@dataclass(slots=True)
class Fault:
    """One registered fault; `left` is None for one that never wears off."""

    kind: FaultKind
    left: int | None
    path: str
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = NEVER_S

    def spend(self) -> bool:
        """Count one use; true when none is left."""
        if self.left is None:
            return False
        self.left -= 1
        return self.left <= 0


class Faults:
    """The faults of one party.

    A `path` is a part of the request path that must match; "" matches any. Where several registered faults
    match, the oldest plays first. Bodies may be given as text.
    """

    def __init__(self) -> None:
        """Start without any fault."""
        self.latency_s = 0.0
        self._pending: list[Fault] = []

    def __len__(self) -> int:
        """Tell how many registered faults are not used up (one for each call, whatever its `n`)."""
        return len(self._pending)

    def fail_next(
        self,
        n: int = 1,
        status: int = 500,
        body: bytes | str = b"",
        headers: Mapping[str, str] | None = None,
        path: str = "",
    ) -> None:
        """Answer the next `n` requests with this status, body and headers instead of the truth."""
        self._add(Fault("fail", n, path, status=status, body=_octets(body), headers=dict(headers or {})))

    def always(
        self,
        status: int = 500,
        body: bytes | str = b"",
        headers: Mapping[str, str] | None = None,
        path: str = "",
    ) -> None:
        """Answer every request so, until `clear`."""
        self._add(Fault("fail", None, path, status=status, body=_octets(body), headers=dict(headers or {})))

    def hang_next(self, n: int = 1, seconds: float = NEVER_S, path: str = "") -> None:
        """Take the next `n` requests and never answer; the connection breaks after `seconds`."""
        self._add(Fault("hang", n, path, seconds=seconds))

    def stall_next(self, n: int = 1, path: str = "") -> None:
        """Send the headers and half of the true body, then nothing more."""
        self._add(Fault("stall", n, path))

    def reset_next(self, n: int = 1, path: str = "") -> None:
        """Break the connection with a TCP reset, before the request has any effect."""
        self._add(Fault("reset", n, path))

    def truncate_next(self, n: int = 1, path: str = "") -> None:
        """Answer the first half of the true body as if it were whole (its Content-Length is right)."""
        self._add(Fault("truncate", n, path))

    def garble_next(
        self,
        n: int = 1,
        body: bytes | str = HTML,
        content_type: str = "text/html",
        path: str = "",
    ) -> None:
        """Answer 200 with a body that isn't what was asked for, as proxies and login pages do."""
        headers = {"Content-Type": content_type}
        self._add(Fault("garble", n, path, body=_octets(body), headers=headers))

    def slow(self, seconds: float) -> None:
        """Delay each answer, after the request has had its effect; 0 ends it."""
        self.latency_s = seconds

    def clear(self) -> None:
        """Forget all faults, the latency too. Requests that already hang go on hanging."""
        self._pending.clear()
        self.latency_s = 0.0

    def take(self, path: str) -> Fault | None:
        """Use the oldest fault that matches this request path; None when the request is to be answered truly."""
        for index, fault in enumerate(self._pending):
            if fault.path in path:
                if fault.spend():
                    del self._pending[index]
                return fault
        return None

    def _add(self, fault: Fault) -> None:
        if fault.left is None or fault.left > 0:
            self._pending.append(fault)


def _octets(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else body
