"""What the vendor carries out in the background: bulk jobs, and asynchronous change requests with their parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from fleetpulse.simulator.hologram import times

FIRST_JOB: Final = 41
FIRST_CHANGE: Final = 7001
FIRST_REFERENCE: Final = 5_100_001


@dataclass(slots=True)
class Job:
    """A bulk state change; times in seconds since the epoch."""

    number: int
    action: str
    devices: int
    source: str
    status: str
    started_at: float
    ended_at: float | None = None


@dataclass(slots=True)
class Change:
    """A change request, or a part of one (then it has a parent); times in seconds since the epoch."""

    number: int
    request_type: str
    state: str
    started_at: float
    updated_at: float
    parent: int | None = None
    parts: list[int] = field(default_factory=list)

    def row(self, *, ids: str, org_id: int, user_id: int) -> dict[str, Any]:
        """Word this; `ids` says whether ids are numbers or text."""

        def spelled(number: int) -> int | str:
            return number if ids == "int" else str(number)

        return {
            "id": spelled(self.number),
            "parent_id": None if self.parent is None else spelled(self.parent),
            "orgid": spelled(org_id),
            "userid": spelled(user_id),
            "request_type": self.request_type,
            "reference_type": "device",
            "reference_id": spelled(FIRST_REFERENCE),
            "state": self.state,
            "start_time": times.naive(self.started_at),
            "update_time": times.naive(self.updated_at),
            "metadata": {},
            "child_ids": [spelled(part) for part in self.parts],
        }
