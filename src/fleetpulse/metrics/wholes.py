"""The families about groups of devices, SIMs and what a vendor carries out: few series, each part rendered whole."""

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar

from fleetpulse.fleet.deployment import ENROLMENT, Deployment, DeploymentStatus, RolloutStatus
from fleetpulse.fleet.device import DeviceStatus, SimState
from fleetpulse.fleet.flow import UpdateFlow
from fleetpulse.fleet.job import BulkJob, JobAction, JobStatus
from fleetpulse.fleet.tunnel import Tunnel, TunnelStatus
from fleetpulse.metrics.exposition import Family, labels

MOST_DEPLOYMENTS: Final = 500  # of a source with series of their own, about nine each; more are no use on any page
MOST_FLOWS: Final = 1000

Pieces = Mapping[str, bytes]
"""Samples by the name of their family."""

DEVICES: Final = Family("fleet_devices", "Devices by group and status.")
SIMS: Final = Family("fleet_sims", "SIMs by what they may do; not whether their devices are connected.")
DEPLOYMENTS: Final = Family("fleet_deployments", "Deployments that run or ended lately, by status.")
DEPLOYMENT_DEVICES: Final = Family("fleet_deployment_devices", "Devices of the deployment by how far it has come.")
DEPLOYMENT_INFO: Final = Family(
    "fleet_deployment_info",
    f"What the deployment is called and how it stands; always 1. Of the newest {MOST_DEPLOYMENTS}, and of enrolments"
    " those that failed.",
)
DEPLOYMENT_CREATED: Final = Family("fleet_deployment_created_timestamp_seconds", "When the deployment was created.")
DEPLOYMENT_VULNERABILITIES: Final = Family(
    "fleet_deployment_vulnerabilities", "Known vulnerabilities in what the deployment rolls out, by severity."
)
BULK_JOBS: Final = Family("fleet_bulk_jobs", "Bulk jobs that run or ended lately, by action and status.")
BULK_JOB_DEVICES: Final = Family("fleet_bulk_job_devices", "Devices that the bulk job works on.")
BULK_JOB_START: Final = Family("fleet_bulk_job_start_timestamp_seconds", "When the bulk job began.")
TUNNELS: Final = Family("fleet_tunnels", "Tunnels that stand or ended lately, by status.")
UPDATE_FLOW_INFO: Final = Family(
    "fleet_update_flow_info",
    f"How severe the worst known weakness of what the update flow installs is; always 1. Of the newest {MOST_FLOWS}.",
)

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
Created = TypeVar("Created", Deployment, UpdateFlow)

FAMILIES: Final = (
    DEVICES,
    SIMS,
    DEPLOYMENTS,
    DEPLOYMENT_DEVICES,
    DEPLOYMENT_INFO,
    DEPLOYMENT_CREATED,
    DEPLOYMENT_VULNERABILITIES,
    BULK_JOBS,
    BULK_JOB_DEVICES,
    BULK_JOB_START,
    TUNNELS,
    UPDATE_FLOW_INFO,
)


def devices_pieces(source: str, counts: Mapping[tuple[str, DeviceStatus], int], sims: Mapping[SimState, int]) -> Pieces:
    """All four statuses of every group that has a device, so that a sum or a comparison never lacks a side.

    Likewise all states of SIMs, where there is a SIM.
    """
    lines = [
        _sample(DEVICES, counts.get((group, status), 0), source=source, group=group, status=status)
        for group in sorted({group for group, _ in counts})
        for status in DeviceStatus
    ]
    states = SimState if sims else ()
    return {
        DEVICES.name: _text(lines),
        SIMS.name: _text([_sample(SIMS, sims.get(state, 0), source=source, state=state) for state in states]),
    }


def singled_out(deployments: Iterable[Deployment]) -> Collection[Deployment]:
    """The deployments that have series of their own; the rest is only counted.

    An enrolment has them once it failed: tens of thousands of devices may wait for theirs.
    """
    own = [each for each in deployments if each.kind != ENROLMENT or RolloutStatus.FAILED in each.devices.values()]
    return _newest(own, MOST_DEPLOYMENTS)


def deployments_pieces(source: str, deployments: Collection[Deployment]) -> Pieces:
    """How many deployments stand at each status, also at those where none does."""
    counts = Counter(deployment.status for deployment in deployments)
    lines = [_sample(DEPLOYMENTS, counts[status], source=source, status=status) for status in DeploymentStatus]
    return {DEPLOYMENTS.name: _text(lines)}


def deployment_pieces(source: str, deployment: Deployment) -> Pieces:
    """One deployment."""
    own = {"source": source, "deployment": deployment.id}
    counts = deployment.counts()
    info = {"name": deployment.name, "kind": deployment.kind, "status": deployment.status}
    return {
        DEPLOYMENT_DEVICES.name: _text(
            [_sample(DEPLOYMENT_DEVICES, counts.get(status, 0), **own, status=status) for status in RolloutStatus]
        ),
        DEPLOYMENT_INFO.name: _text([_sample(DEPLOYMENT_INFO, 1, **own, **info)]),
        DEPLOYMENT_CREATED.name: _text(_moment(DEPLOYMENT_CREATED, deployment.created_at, **own)),
        DEPLOYMENT_VULNERABILITIES.name: _text(
            [
                _sample(DEPLOYMENT_VULNERABILITIES, number, **own, severity=severity)
                for severity, number in deployment.vulnerabilities.items()
            ]
        ),
    }


def jobs_pieces(source: str, jobs: Collection[BulkJob]) -> Pieces:
    """All bulk jobs of a source, and how many there are of each action and status, also where there is none."""
    counts = Counter((job.action, job.status) for job in jobs)
    return {
        BULK_JOBS.name: _text(
            [
                _sample(BULK_JOBS, counts[action, status], source=source, action=action, status=status)
                for action in JobAction
                for status in JobStatus
            ]
        ),
        BULK_JOB_DEVICES.name: _text(
            [_sample(BULK_JOB_DEVICES, job.device_count, source=source, bulk_job=job.id) for job in jobs]
        ),
        BULK_JOB_START.name: _text(
            [line for job in jobs for line in _moment(BULK_JOB_START, job.started_at, source=source, bulk_job=job.id)]
        ),
    }


def tunnels_pieces(source: str, tunnels: Collection[Tunnel]) -> Pieces:
    """How many tunnels stand at each status, also at those where none does."""
    counts = Counter(tunnel.status for tunnel in tunnels)
    lines = [_sample(TUNNELS, counts[status], source=source, status=status) for status in TunnelStatus]
    return {TUNNELS.name: _text(lines)}


def flows_pieces(source: str, flows: Collection[UpdateFlow]) -> Pieces:
    """The update flows of a source, of too many the newest."""
    lines = [
        _sample(UPDATE_FLOW_INFO, 1, source=source, flow=flow.id, severity=flow.severity)
        for flow in _newest(flows, MOST_FLOWS)
    ]
    return {UPDATE_FLOW_INFO.name: _text(lines)}


def _newest(things: Collection[Created], most: int) -> Collection[Created]:
    """Those created last, where there are too many; what has no date comes after all that has one."""
    if len(things) <= most:
        return things
    return heapq.nlargest(most, things, key=lambda each: each.created_at or _NEVER)


def _sample(family: Family, value: float, **own: str) -> str:
    return f"{family.name}{labels(**own)} {value}\n"


def _moment(family: Family, at: datetime | None, **own: str) -> list[str]:
    return [] if at is None else [_sample(family, at.timestamp(), **own)]


def _text(lines: list[str]) -> bytes:
    return "".join(lines).encode()
