"""A deployment: one software rollout to many devices, only as done as its devices."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

ENROLMENT: Final = "enrolment"
"""The kind of a deployment that is the installation of the agent on one device alone: there is one for each device."""


class RolloutStatus(StrEnum):
    """How far a deployment has come on one device."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"

    @property
    def settled(self) -> bool:
        """Whether this is an end."""
        return self in {RolloutStatus.SUCCEEDED, RolloutStatus.FAILED, RolloutStatus.ABORTED}


class DeploymentStatus(StrEnum):
    """The whole, derived from its devices; `incomplete` when it was given up with devices still open."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    ABORTED = "aborted"
    INCOMPLETE = "incomplete"


class FailedStep(msgspec.Struct, frozen=True):
    """Why a deployment failed on one device: the step's name and the end of what it printed."""

    device: str
    name: str = ""
    output: str = ""


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment as followed.

    `devices` maps device id to status. `steps` holds the failing steps that were fetched (20 at most, the rest is
    counted by `devices`). `vulnerabilities` maps severity to count. `contradicted` maps devices of which the vendor
    says success, and which later report another version, to what they report.
    """

    id: str
    name: str = ""
    kind: str = ""
    created_at: datetime | None = None
    vulnerabilities: dict[str, int] = {}
    devices: dict[str, RolloutStatus] = {}
    steps: tuple[FailedStep, ...] = ()
    status: DeploymentStatus = DeploymentStatus.RUNNING
    contradicted: dict[str, str] = {}

    def counts(self) -> Mapping[RolloutStatus, int]:
        """How many devices stand at each status."""
        return Counter(self.devices.values())

    def failed(self) -> list[str]:
        """The ids of the devices it failed on, in the vendor's order."""
        return [device for device, status in self.devices.items() if status is RolloutStatus.FAILED]


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment as one of its devices tells it, where the vendor has no list of deployments.

    `deployment` is the head alone, the same for every device that tells of it. `error` is why it failed, in the
    vendor's words; `contradiction` what the device reports instead of what a success should have installed.
    """

    deployment: Deployment
    device: str
    status: RolloutStatus
    error: str = ""
    contradiction: str = ""


def overall(devices: Mapping[str, RolloutStatus]) -> DeploymentStatus:
    """The status of the whole. No device, or one unsettled, means running: nothing was proved yet."""
    counts = Counter(devices.values())
    settled = sum(number for status, number in counts.items() if status.settled)
    if not counts or settled < len(devices):
        return DeploymentStatus.RUNNING
    if counts[RolloutStatus.SUCCEEDED] == settled:
        return DeploymentStatus.SUCCEEDED
    if counts[RolloutStatus.FAILED] == settled:
        return DeploymentStatus.FAILED
    if counts[RolloutStatus.ABORTED] == settled:
        return DeploymentStatus.ABORTED
    return DeploymentStatus.PARTIAL
