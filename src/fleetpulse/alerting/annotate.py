"""Annotations: the default sentences, and a rule's own sandboxed Jinja2 templates over them."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any, Final

from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from fleetpulse.alerting.condition import OF_SOURCES, Condition
from fleetpulse.alerting.rules import Rule
from fleetpulse.alerting.wording import DEVICES_SHOWN, FleetView, SourceFacts, errors, failed_on, summary
from fleetpulse.fleet.deployment import Deployment
from fleetpulse.fleet.device import DeviceStatus

_LONGEST: Final = 4000  # an annotation is read by people; Slack takes 3,000 characters of a section
_ENVIRONMENT: Final = ImmutableSandboxedEnvironment(autoescape=False)  # plain text; receivers escape


@lru_cache(maxsize=1024)
def _compiled(template: str) -> Template:
    return _ENVIRONMENT.from_string(template)


class Annotator:
    """Says what an alert is about, as its source and the fleet are at that moment."""

    def __init__(
        self, *, sources: Mapping[str, SourceFacts], fleet: FleetView, external_url: str, zone: tzinfo
    ) -> None:
        self._sources = sources
        self._fleet = fleet
        self._external_url = external_url
        self._zone = zone

    def source(self, name: str) -> SourceFacts:
        """What is known of a source; one that is no longer configured may still have events to be judged."""
        return self._sources.get(name, SourceFacts(name))

    def annotations(
        self,
        rule: Rule,
        condition: Condition,
        labels: Mapping[str, str],
        *,
        now: datetime,
        read_at: datetime | None = None,
    ) -> dict[str, str]:
        """`summary`, `since`, where known `name`, `last_seen`, `devices` and `output`, then the rule's own.

        A template that fails while rendering, or renders to nothing, leaves the default text in its place, so that
        nobody stays untold. `read_at` is `now` for what is told at once, None for what is kept.
        """
        said = self._summary(condition, read_at=read_at)
        found = {"summary": said, "since": condition.since_at.isoformat()}
        if condition.device is not None:
            found["name"] = condition.device.name
        if condition.last_seen_at is not None:
            found["last_seen"] = condition.last_seen_at.isoformat()
        if condition.deployment is not None:
            found |= self._of_deployment(condition.key.source, condition.deployment)
        context: dict[str, Any] = {
            "alert": {"labels": dict(labels), "annotations": dict(found), "alertname": rule.name},
            "device": condition.device,
            "deployment": condition.deployment,
            "bulk_job": condition.bulk_job,
            "source": condition.key.source,
            "group": labels.get("group", ""),
            "url": self._external_url,
            "reason": condition.detail,
            "now": now,
        }
        for name, template in rule.annotations.items():
            try:
                text = _compiled(template).render(context).strip()[:_LONGEST]
            except Exception:  # noqa: BLE001 - a user's template may raise anything, and must not cost the alert
                text = ""
            found[name] = text or found.get(name, said)
        return {name: text for name, text in found.items() if text}

    def _of_deployment(self, source: str, deployment: Deployment) -> dict[str, str]:
        names = self._fleet.names(source, deployment.failed()[:DEVICES_SHOWN])
        output = (deployment.steps[0].output or errors(deployment)) if deployment.steps else ""
        return {"name": deployment.name, "devices": failed_on(deployment, names), "output": output}

    def _summary(self, condition: Condition, *, read_at: datetime | None) -> str:
        name = condition.key.source
        statuses: Mapping[str, DeviceStatus] = {}
        if condition.deployment is not None:
            statuses = self._fleet.statuses(name, condition.deployment.devices)
        return summary(
            condition,
            self.source(name),
            devices=self._fleet.devices(name) if condition.key.kind in OF_SOURCES else 0,
            statuses=statuses,
            zone=self._zone,
            read_at=read_at,
        )
