"""`/-/sources`: one JSON row a source, for uptime checks and people."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.web.views import SourceView


def sources_json(sources: Iterable[SourceView]) -> bytes:
    """All sources as one JSON document; times are ISO 8601 in UTC."""
    return msgspec.json.encode({"sources": [_row(source) for source in sources]})


def _row(source: SourceView) -> dict[str, Any]:
    return {
        "name": source.name,
        "vendor": source.vendor,
        "status": source.status,
        "fresh": source.fresh,
        "stale_after_s": source.stale_after_s,
        "credentials": "ok" if source.credentials_ok else "rejected",
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
                "switched_off": resource.switched_off,
            }
            for name, resource in source.resources.items()
        },
        "devices": {} if source.disabled else {status: source.devices.get(status, 0) for status in DeviceStatus},
    }


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)
