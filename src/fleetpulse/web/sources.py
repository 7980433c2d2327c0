"""`/-/sources`: one JSON row a source, for uptime checks and people."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.web.views import ResourceView, SourceView


def sources_json(sources: Iterable[SourceView]) -> bytes:
    """All sources as one JSON document; times are ISO 8601 in UTC."""
    return msgspec.json.encode({"sources": [source_row(source) for source in sources]})


def source_row(source: SourceView) -> dict[str, Any]:
    """One source as its JSON row."""
    return {
        "name": source.name,
        "vendor": source.vendor,
        "status": source.status,
        "fresh": source.fresh,
        "stale_after_s": source.stale_after_s,
        "paused": source.paused,
        "paused_until": _utc(source.paused_until),
        "credentials": "ok" if source.credentials_ok else "rejected",
        "credentials_expire": _utc(source.credentials_expire_at),
        "credentials_unreadable": source.credentials_unreadable or None,
        "problems": [
            {
                "resource": trouble.resource,
                "problem": trouble.problem,
                "since": _utc(trouble.since_at),
                "detail": trouble.detail,
            }
            for trouble in source.troubles
        ],
        "resources": {
            name: {
                "last_success": _utc(resource.last_success_at),
                "interval_s": resource.interval_s,
                "asked_interval_s": resource.interval_s if (asked := resource.asked_interval_s) is None else asked,
                "switched_off": resource.switched_off,
                "progress": _progress(resource),
            }
            for name, resource in source.resources.items()
        },
        "devices": {} if source.disabled else {status: source.devices.get(status, 0) for status in DeviceStatus},
        "vendors_summary": None if source.summary is None else msgspec.structs.asdict(source.summary),
    }


def _progress(resource: ResourceView) -> dict[str, int | None] | None:
    if resource.progress_rows is None:
        return None
    return {"rows": resource.progress_rows, "total": resource.progress_total}


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)
