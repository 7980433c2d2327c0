"""Deployments as this API shows them: not as a list, but as the last updates of each device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from fleetpulse.simulator.jfrog_connect_v1.dates import naive

PENDING: Final = "pending"
SUCCESS: Final = "success"
FAILED: Final = "failed"
FINAL: Final = frozenset({SUCCESS, FAILED, "aborted"})

FieldNames = Literal["example", "field list"]


@dataclass(slots=True)
class Deployment:
    """One rollout; times in seconds since the epoch.

    `version` is set for a numbered update, the older kind; otherwise it is one of a flow, with its `apps`.
    """

    id: str
    number: int
    flow: str
    kind: str
    comment: str
    scheduled_at: float
    apps: dict[str, str]
    version: str | None = None
    installs: dict[str, Install] = field(default_factory=dict)


@dataclass(slots=True)
class Install:
    """How far a deployment has come on one device."""

    deployment: Deployment
    device: str
    comment: str
    status: str = PENDING
    started_at: float | None = None
    finished_at: float | None = None

    @property
    def numbered(self) -> bool:
        """Tell whether it belongs under `updates` rather than `updates_v2`."""
        return self.deployment.version is not None

    def advance(self, status: str, now_s: float) -> None:
        """Move on to a status, any word."""
        self.status = status
        if status != PENDING and self.started_at is None:
            self.started_at = now_s
        self.finished_at = now_s if status in FINAL else None

    def row(self, names: FieldNames) -> dict[str, Any]:
        """Word this; the example and the list of fields of `updates_v2` spell two of them differently (Q4)."""
        deployment = self.deployment
        if deployment.version is not None:
            return {
                "update_id": deployment.number,
                "update_status": self.status,
                "update_version": deployment.version,
                "comment": self.comment,
                "deployment_schedule_time": naive(deployment.scheduled_at),
            }
        status, schedule = {
            "example": ("update_status", "deployment_schedule_time"),
            "field list": ("deployment_status", "deployment_scheduled_time"),
        }[names]
        return {
            "flow_name": deployment.flow,
            status: self.status,
            "comment": self.comment,
            schedule: naive(deployment.scheduled_at),
            "deployment_start_time": naive(self.started_at),
            "deployment_finish_time": naive(self.finished_at),
            "apps_updated": [
                {"app_name": app, "app_new_version": version}
                for app, version in (deployment.apps.items() if self.status == SUCCESS else ())
            ],
            "deployment_type": deployment.kind,
        }
