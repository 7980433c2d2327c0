"""Annotations: the default sentences, and a rule's own sandboxed Jinja2 templates over them."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any, Final

from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from fleetpulse.alerting.condition import OF_SOURCES, Condition
from fleetpulse.alerting.deployments import DEVICES_SHOWN, errors, failed_on, troubled
from fleetpulse.alerting.facts import FleetView, SourceFacts
from fleetpulse.alerting.rules import Rule
from fleetpulse.alerting.sentences import Around, summary
from fleetpulse.fleet.deployment import Deployment

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
        since_at: datetime | None = None,
        read_at: datetime | None = None,
    ) -> dict[str, str]:
        """`summary`, `since`, where known `name`, `last_seen`, `devices` and `output`, then the rule's own.

        A template that fails while rendering, or renders to nothing, leaves the default text in its place, so that
        nobody stays untold. `since_at` is when it began, where that is not the first observation. `read_at` is `now`
        for what is told at once, None for what is kept.
        """
        around = self._around(condition, since_at=since_at or condition.since_at, now=now, read_at=read_at)
        said = summary(rule.when, condition, self.source(condition.key.source), around)
        found = {"summary": said, "since": around.since_at.isoformat()}
        if condition.device is not None:
            found["name"] = condition.device.name
        if condition.tunnel is not None:
            found["name"] = around.names.get(condition.tunnel.device, "")
        if condition.last_seen_at is not None:
            found["last_seen"] = condition.last_seen_at.isoformat()
        if condition.deployment is not None:
            found |= self._of_deployment(condition.key.source, condition.deployment)
        context: dict[str, Any] = {
            "alert": {"labels": dict(labels), "annotations": dict(found), "alertname": rule.name},
            "device": condition.device,
            "deployment": condition.deployment,
            "bulk_job": condition.bulk_job,
            "tunnel": condition.tunnel,
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
        names = self._fleet.names(source, troubled(deployment)[:DEVICES_SHOWN])
        output = (deployment.steps[0].output or errors(deployment)) if deployment.steps else ""
        return {"name": deployment.name, "devices": failed_on(deployment, names), "output": output}

    def _around(self, condition: Condition, *, since_at: datetime, now: datetime, read_at: datetime | None) -> Around:
        source, deployment, tunnel = condition.key.source, condition.deployment, condition.tunnel
        return Around(
            since_at=since_at,
            zone=self._zone,
            now=now,
            read_at=read_at,
            devices=self._fleet.devices(source) if condition.key.kind in OF_SOURCES else 0,
            statuses={} if deployment is None else self._fleet.statuses(source, deployment.devices),
            names={} if tunnel is None else self._fleet.names(source, [tunnel.device]),
        )
