"""Annotations: the default sentences, and a rule's own sandboxed Jinja2 templates over them."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from fleetpulse.alerting.condition import Condition
from fleetpulse.alerting.rules import Rule
from fleetpulse.alerting.wording import errors

_LONGEST: Final = 4000  # an annotation is read by people; Slack takes 3,000 characters of a section
_ENVIRONMENT: Final = ImmutableSandboxedEnvironment(autoescape=False)  # plain text; receivers escape


@lru_cache(maxsize=1024)
def _compiled(template: str) -> Template:
    return _ENVIRONMENT.from_string(template)


def annotations(
    rule: Rule, condition: Condition, *, labels: Mapping[str, str], summary: str, external_url: str, now: datetime
) -> dict[str, str]:
    """All annotations of an alert: `summary`, `name`, `since`, `last_seen`, `output` where known, then the rule's own.

    A template that fails while rendering, or renders to nothing, leaves the default text in its place, so that nobody
    stays untold.
    """
    found = {"summary": summary, "since": condition.since_at.isoformat()}
    if condition.device is not None:
        found["name"] = condition.device.name
    if condition.deployment is not None:
        found["name"] = condition.deployment.name
    if condition.last_seen_at is not None:
        found["last_seen"] = condition.last_seen_at.isoformat()
    if condition.deployment is not None and condition.deployment.steps:
        found["output"] = condition.deployment.steps[0].output or errors(condition.deployment)
    context: dict[str, Any] = {
        "alert": {"labels": dict(labels), "annotations": dict(found), "alertname": rule.name},
        "device": condition.device,
        "deployment": condition.deployment,
        "bulk_job": condition.bulk_job,
        "source": condition.key.source,
        "group": labels.get("group", ""),
        "url": external_url,
        "reason": condition.detail,
        "now": now,
    }
    for name, template in rule.annotations.items():
        try:
            text = _compiled(template).render(context).strip()[:_LONGEST]
        except Exception:  # noqa: BLE001 - a user's template may raise anything, and must not cost the alert
            text = ""
        found[name] = text or found.get(name, summary)
    return {name: text for name, text in found.items() if text}
