"""Deployments and what each of their devices makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fleetpulse.simulator.jfrog_connect import dates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

PENDING: Final = "Pending"
SUCCEEDED: Final = "Succeeded"
FAILED: Final = "Failed"
FINAL: Final = frozenset({SUCCEEDED, FAILED, "Aborted"})
SEVERITIES: Final = ("Critical", "High", "Medium", "Low")
# A device's `updates` tell the same states in other words (docs/vendors/jfrog-connect.md, "Status words").
UPDATE_WORDS: Final = {
    "Pending": "pending",
    "In Progress": "in_progress",
    "Succeeded": "success",
    "Failed": "failed",
    "Aborted": "aborted",
}
LAST_UPDATES: Final = 5


@dataclass(slots=True)
class Step:
    """One step of a deployment on a device."""

    name: str
    exit_code: int
    stdout: str
    stderr: str


@dataclass(slots=True)
class Progress:
    """How far a deployment has come on one device; times in seconds since the epoch."""

    serial: int
    device: str
    status: str = PENDING
    started_at: float | None = None
    finished_at: float | None = None
    steps: list[Step] = field(default_factory=list)

    def advance(self, status: str, now_s: float) -> None:
        """Take on a status; the times follow from it."""
        self.status = status
        if status != PENDING and self.started_at is None:
            self.started_at = now_s
        self.finished_at = now_s if status in FINAL else None

    def record(self, step: Step) -> None:
        """Put down what a step said; a step of the same name is told anew."""
        self.steps = [old for old in self.steps if old.name != step.name] + [step]

    def summary(self, *, other_case: bool) -> dict[str, Any]:
        """Word this as the deployment's device list does; `other_case` as a device's own updates do."""
        return {
            "finished_time": None if self.finished_at is None else dates.naive(self.finished_at),
            "started_time": None if self.started_at is None else dates.naive(self.started_at),
            "status": UPDATE_WORDS.get(self.status, self.status) if other_case else self.status,
        }

    def detail(self, *, wrapped: bool, other_case: bool) -> dict[str, Any]:
        """Word this with its steps; `wrapped` as in the vendor's example (Q11)."""
        steps = [
            {"exit_code": step.exit_code, "name": step.name, "stderr": step.stderr, "stdout": step.stdout}
            for step in self.steps
        ]
        value = self.summary(other_case=other_case) | {"steps": steps}
        return {"summary": f"Deployment status {self.status.lower()}", "value": value} if wrapped else value


@dataclass(slots=True)
class Deployment:
    """One deployment; it has no status of its own, as with the vendor."""

    serial: int
    uuid: str
    flow: str
    comment: str
    created_at: float
    cves: dict[str, int]
    progress: dict[str, Progress]
    rows: Sequence[Progress]

    def row(self, *, cve_nested: bool) -> dict[str, Any]:
        """Word this; the counts stand beside a null `cve_severity` (Q10) unless `cve_nested`."""
        counts = {severity: self.cves.get(severity, 0) for severity in SEVERITIES}
        row = {
            "comment": self.comment,
            "created_time": dates.naive(self.created_at),
            "deployment_uuid": self.uuid,
            "type": "manual",
        }
        return row | ({"cve_severity": counts} if cve_nested else {"cve_severity": None, **counts})

    def update(self, progress: Progress) -> dict[str, Any]:
        """Word what this did to one device as the device's own detail does; unset times are empty there."""
        return {
            "apps_updated": [],
            "comment": self.comment,
            "deployment_finish_time": "" if progress.finished_at is None else dates.naive(progress.finished_at),
            "deployment_schedule_time": dates.naive(self.created_at),
            "deployment_start_time": "" if progress.started_at is None else dates.naive(progress.started_at),
            "deployment_status": UPDATE_WORDS.get(progress.status, progress.status.lower()),
            "deployment_type": "manual",
            "flow_name": self.flow,
        }


class Deployments:
    """All deployments of a project."""

    def __init__(self, rng: Random) -> None:
        """Start without any; `rng` gives them their ids."""
        self._rng = rng
        self._index: dict[str, Deployment] = {}
        self._serial = 0

    def __len__(self) -> int:
        """Tell how many deployments there are."""
        return len(self._index)

    def __getitem__(self, uuid: str) -> Deployment:
        """Find a deployment; LookupError when there is none."""
        try:
            return self._index[uuid]
        except KeyError:
            message = f"no deployment {uuid!r}"
            raise LookupError(message) from None

    def oldest_first(self) -> list[Deployment]:
        """List them in order of creation."""
        return list(self._index.values())

    def newest_first(self) -> list[Deployment]:
        """List them, the newest first."""
        return list(reversed(self._index.values()))

    def create(
        self,
        devices: Iterable[str],
        *,
        flow: str,
        comment: str,
        cves: dict[str, int],
        now_s: float,
    ) -> Deployment:
        """Start a deployment; it is pending on each of its devices."""
        self._serial += 1
        digits = f"{self._rng.getrandbits(32):08x}"
        rows = [Progress(number, device) for number, device in enumerate(dict.fromkeys(devices), start=1)]
        deployment = Deployment(
            serial=self._serial,
            uuid=f"dp-{digits[:4]}-{digits[4:]}",
            flow=flow,
            comment=comment,
            created_at=now_s,
            cves=cves,
            progress={row.device: row for row in rows},
            rows=rows,
        )
        self._index[deployment.uuid] = deployment
        return deployment

    def remove(self, uuid: str) -> None:
        """Forget a deployment, as if it had been deleted in the vendor's web page."""
        del self._index[self[uuid].uuid]

    def updates_of(self, device: str) -> list[dict[str, Any]]:
        """Word the last five deployments on a device, the newest first."""
        updates = []
        for deployment in reversed(self._index.values()):
            progress = deployment.progress.get(device)
            if progress is not None:
                updates.append(deployment.update(progress))
            if len(updates) == LAST_UPDATES:
                break
        return updates
