"""Devices, deployments and jobs as the API's rows. Times are ISO 8601 in UTC."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import msgspec

from fleetpulse.fleet.deployment import Deployment, RolloutStatus
from fleetpulse.fleet.device import KnownDevice, Sighting
from fleetpulse.fleet.job import BulkJob
from fleetpulse.web.views import Known

MOST_NAMED: Final = 1000  # devices of a deployment that are named; the others are counted


def device_row(known: Known, device: KnownDevice) -> dict[str, Any]:
    """A device as it is known. `stale`: its source is, so this is how it last was."""
    return {
        **_device(known, device.device),
        "status": device.status,
        "since": _utc(device.since_at),
        "last_seen": _utc(device.last_seen_at),
        "stale": not known.fresh,
    }


def asked_row(known: Known, sighting: Sighting) -> dict[str, Any]:
    """A device as the vendor told of it a moment ago, with its readings as far as it tells them."""
    readings = {
        name: _utc(value) if isinstance(value, datetime) else value
        for name, value in msgspec.structs.asdict(sighting.readings).items()
        if value is not None and name != "last_seen_at"
    }
    return {
        **_device(known, sighting.device),
        "status": sighting.status,
        "last_seen": _utc(sighting.readings.last_seen_at),
        "readings": readings,
    }


def deployment_row(known: Known, deployment: Deployment) -> dict[str, Any]:
    """A deployment with its devices counted."""
    counts = deployment.counts()
    return {
        "source": known.source,
        "vendor": known.vendor,
        "id": deployment.id,
        "name": deployment.name,
        "kind": deployment.kind,
        "status": deployment.status,
        "created": _utc(deployment.created_at),
        "devices": {status: counts[status] for status in RolloutStatus if status in counts},
        "stale": not known.fresh,
    }


def deployment_details(known: Known, deployment: Deployment) -> dict[str, Any]:
    """A deployment with what went wrong, `MOST_NAMED` devices of each kind named at most."""
    return {
        **deployment_row(known, deployment),
        "failed": _named(known, deployment.failed()),
        "steps": [msgspec.structs.asdict(step) for step in deployment.steps],
        "contradicted": dict(islice(deployment.contradicted.items(), MOST_NAMED)),
        "vulnerabilities": deployment.vulnerabilities,
    }


def job_row(known: Known, job: BulkJob) -> dict[str, Any]:
    """A bulk job. `word` is the vendor's own."""
    return {
        "source": known.source,
        "vendor": known.vendor,
        "id": job.id,
        "action": job.action,
        "status": job.status,
        "word": job.word,
        "devices": job.device_count,
        "started": _utc(job.started_at),
        "ended": _utc(job.ended_at),
        "requester": job.requester,
        "origin": job.origin,
        "stale": not known.fresh,
    }


def _device(known: Known, device: Any) -> Mapping[str, Any]:
    return {
        "source": known.source,
        "vendor": known.vendor,
        "id": device.id,
        "name": device.name,
        "group": device.group,
        "tags": device.tags,
        "model": device.model,
        "version": device.version,
        "address": device.address,
        "sim": device.sim,
    }


def _named(known: Known, devices: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for id_ in devices[:MOST_NAMED]:
        device = known.fleet.device(id_)
        rows.append(
            {
                "id": id_,
                "name": "" if device is None else device.device.name,
                "status": None if device is None else device.status,
            }
        )
    return rows


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)
