"""The page at `/`: sources, alerts and receivers at a glance. Server-made, without scripts or foreign assets."""

import base64
import hashlib
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from fleetpulse.alerting.state import Alert, AlertState
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.web.ages import age
from fleetpulse.web.views import Views

MOST_ALERTS: Final = 200  # a mass outage must not make a page that a phone can't open; the rest is counted

_SEVERITIES: Final = ("critical", "warning", "info")
_OWN_COLUMNS: Final = frozenset({"alertname", "severity"})


class Overview:
    """Renders the page. `style_hash` is what the content security policy allows."""

    def __init__(self, *, views: Views, version: str) -> None:
        self._views = views
        self._version = version
        environment = Environment(
            loader=PackageLoader("fleetpulse.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["stamp"] = _stamp
        self._page = environment.get_template("overview.html")
        self._style = environment.get_template("style.css").render()
        digest = hashlib.sha256(self._style.encode()).digest()
        self.style_hash = f"sha256-{base64.b64encode(digest).decode()}"

    def html(self, now: datetime) -> str:
        """The page as it stands at `now`."""
        alerts = self._views.alerts()
        firing = sorted((alert for alert in alerts if alert.state is AlertState.FIRING), key=_urgency)
        states = Counter(alert.state for alert in alerts)
        return self._page.render(
            style=self._style,
            version=self._version,
            now=now,
            since=lambda at: age(at, now=now),
            not_ready=self._views.not_ready(),
            sources=self._views.sources(now),
            device_statuses=tuple(DeviceStatus),
            firing=[_row(alert) for alert in firing[:MOST_ALERTS]],
            unlisted=max(0, len(firing) - MOST_ALERTS),
            firing_count=len(firing),
            pending_count=states[AlertState.PENDING],
            receivers=self._views.receivers(),
        )


def _urgency(alert: Alert) -> tuple[int, datetime, str]:
    severity = alert.labels.get("severity", "")
    rank = _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)
    return rank, alert.starts_at, alert.fingerprint


def _row(alert: Alert) -> dict[str, Any]:
    return {
        "fingerprint": alert.fingerprint,
        "rule": alert.rule,
        "severity": alert.labels.get("severity", ""),
        "labels": {name: value for name, value in alert.labels.items() if name not in _OWN_COLUMNS and value},
        "summary": alert.annotations.get("summary", ""),
        "starts_at": alert.starts_at,
    }


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
