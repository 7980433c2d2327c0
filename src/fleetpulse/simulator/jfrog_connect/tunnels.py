"""Port tunnels: remote access to a device that somebody opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

from fleetpulse.simulator.jfrog_connect import dates

if TYPE_CHECKING:
    from random import Random

FIRST_PORT: Final = 30_000
PORTS: Final = 30_000

UnsetTime = Literal["null", "empty", "absent"]


@dataclass(slots=True)
class Tunnel:
    """One tunnel; times in seconds since the epoch."""

    uuid: str
    device: str
    port: int
    status: str
    created_at: float
    finished_at: float | None = None

    def row(self, unset: UnsetTime, *, other_case: bool = False) -> dict[str, Any]:
        """Word this; `unset` says how an open tunnel shows that it has no end."""
        row: dict[str, Any] = {
            "created_time": dates.rfc1123(self.created_at),
            "device_id": self.device,
            "port_tunnel_id": self.uuid,
            "remote_server_address": f"{self.device}-{self.uuid[:8]}.forwarding.example.net",
            "remote_server_port": self.port,
            "status": self.status.capitalize() if other_case else self.status,
            "user_source_ip": "192.0.2.50",
        }
        if self.finished_at is not None:
            row["finish_time"] = dates.rfc1123(self.finished_at)
        elif unset != "absent":
            row["finish_time"] = None if unset == "null" else ""
        return row


class Tunnels:
    """All tunnels of a project, closed ones included."""

    def __init__(self, rng: Random) -> None:
        """Start without any; `rng` gives them their ids."""
        self._rng = rng
        self._index: dict[str, Tunnel] = {}
        self._opened = 0

    def __len__(self) -> int:
        """Tell how many tunnels there are, open or not."""
        return len(self._index)

    def __getitem__(self, uuid: str) -> Tunnel:
        """Find a tunnel; LookupError when there is none."""
        try:
            return self._index[uuid]
        except KeyError:
            message = f"no port tunnel {uuid!r}"
            raise LookupError(message) from None

    def rows(self, unset: UnsetTime, *, other_case: bool = False) -> list[dict[str, Any]]:
        """Word all tunnels, the oldest first."""
        return [tunnel.row(unset, other_case=other_case) for tunnel in self._index.values()]

    def open(self, device: str, *, status: str, now_s: float) -> Tunnel:
        """Open a tunnel."""
        uuid = str(UUID(int=self._rng.getrandbits(128), version=4))
        self._opened += 1
        tunnel = Tunnel(uuid, device, FIRST_PORT + self._opened % PORTS, status, now_s)
        self._index[uuid] = tunnel
        return tunnel

    def remove(self, uuid: str) -> None:
        """Forget a tunnel."""
        del self._index[self[uuid].uuid]
