"""The page at `/`: sources, receivers and alerts at a glance. Server-made, without scripts or foreign assets."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from functools import partial
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from fleetpulse.alerting.state import Alert, AlertState
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.web.ages import age
from fleetpulse.web.cards import cards
from fleetpulse.web.views import Views

MOST_CARDS: Final = 100  # a mass outage must not make a page that a phone can't open; the rest is counted


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

        With 60,000 alerts the look takes a millisecond and the page up to half a second.
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
        firing = [alert for alert in alerts if alert.state is AlertState.FIRING and not alert.occurrence]
        told = [alert for alert in alerts if alert.state is AlertState.FIRING and alert.occurrence]
        return self._page.render(
            style=self._style,
            version=self._version,
            now=now,
            since=lambda at: age(at, now=now),
            device_statuses=tuple(DeviceStatus),
            firing=cards(firing, most=MOST_CARDS),
            firing_count=len(firing),
            pending_count=sum(alert.state is AlertState.PENDING for alert in alerts),
            told=cards(told, most=MOST_CARDS),
            **more,
        )
