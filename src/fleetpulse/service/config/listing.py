"""What `check-config --json` prints: the settings in force for programs, in names that stay."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from fleetpulse.alerting.condition import ConditionKind
from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.alerting.routes import Route
from fleetpulse.alerting.rulebook import rules_of
from fleetpulse.alerting.rules import Rule
from fleetpulse.alerting.term import after_of, for_of, speaks_of
from fleetpulse.alerting.tree import route_of
from fleetpulse.receivers.settings import ReceiverSettings
from fleetpulse.service.config.report import warnings
from fleetpulse.service.facts import facts_of
from fleetpulse.service.settings import Settings
from fleetpulse.vendors.settings import SourceSettings


def listing(settings: Settings, **more: Any) -> str:
    """Sources, receivers, rules, the tree of routes and warnings as JSON; no secret, of addresses the host alone.

    `more` is added where there is any. Units: what ends in `_s` is seconds. Where a rule leaves its time to the vendor,
    that is null, and the one of each source stands under the same name with `_by_source`.
    """
    names = [receiver.name for receiver in settings.receivers]
    sources = list(map(facts_of, settings.sources))
    tables = {
        "sources": list(map(_source, settings.sources)),
        "receivers": list(map(_receiver, settings.receivers)),
        "rules": [_rule(rule, sources) for rule in rules_of(settings.rules)],
        "route": _route(route_of(settings.route, names)),
        "warnings": list(warnings(settings)),
        **{name: value for name, value in more.items() if value},
    }
    return msgspec.json.format(msgspec.json.encode(tables)).decode()


def _source(source: SourceSettings) -> dict[str, Any]:
    return {
        "name": source.name,
        "vendor": source.vendor,
        "host": urlsplit(source.base_url).hostname or "",
        "enabled": source.enabled,
        "interval_s": {resource: source.interval_of(resource).total_seconds() for resource in source.resources},
        "request_rate": str(source.request_rate),
        "labels": source.labels,
    }


def _receiver(receiver: ReceiverSettings) -> dict[str, Any]:
    return {
        "name": receiver.name,
        "kind": receiver.kind,
        "rate": str(receiver.rate) if receiver.rate else None,
        "send_resolved": receiver.send_resolved,
    }


def _rule(rule: Rule, sources: Sequence[SourceFacts]) -> dict[str, Any]:
    spoken_of = [source for source in sources if speaks_of(rule, source)]
    any_for = spoken_of if rule.for_ is None else ()
    any_after = spoken_of if rule.when is ConditionKind.DEVICE_SILENT and rule.after is None else ()
    return {
        "name": rule.name,
        "when": rule.when,
        "for_s": None if rule.for_ is None else rule.for_.total_seconds(),
        "for_s_by_source": {source.name: for_of(rule, source).total_seconds() for source in any_for},
        "keep_firing_for_s": rule.keep_firing_for.total_seconds(),
        "severity": rule.severity,
        "matchers": list(map(str, rule.matchers)),
        "labels": rule.labels,
        "annotations": list(rule.annotations),  # their texts may be long, and are for messages
        "enabled": rule.enabled,
        "count": rule.count,
        "ratio": rule.ratio,
        "after_s": None if rule.after is None else rule.after.total_seconds(),
        "after_s_by_source": {source.name: after_of(rule, source).total_seconds() for source in any_after},
        "within_s": rule.within.total_seconds(),
    }


def _route(route: Route) -> dict[str, Any]:
    return {
        "matchers": list(map(str, route.matchers)),
        "receiver": route.receiver or None,
        "continue": route.continue_,
        "group_by": list(route.group_by),
        "group_wait_s": route.group_wait.total_seconds(),
        "group_interval_s": route.group_interval.total_seconds(),
        "repeat_interval_s": route.repeat_interval.total_seconds(),
        "routes": list(map(_route, route.routes)),
    }
