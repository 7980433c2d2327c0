"""Promises of what check-config warns of because it would make somebody silent."""

from typing import Any

import pytest

from fleetpulse.service.config.unmet import unmet
from fleetpulse.service.settings import Settings


def found(*, rules: list[dict[str, Any]] | None = None, sources: bool = True, **route: Any) -> list[str]:
    tables = {
        "sources": [
            {"name": "edge-prod", "vendor": "jfrog-connect", "project_key": "yard", "labels": {"team": "edge"}},
            {"name": "sims", "vendor": "hologram", "enabled": False},
        ],
        "rules": rules or [],
        "receivers": [{"name": "ops", "kind": "slack"}],
        "route": {"receiver": "ops", **route},
    }
    return list(unmet(Settings(**(tables if sources else tables | {"sources": []}))))  # type: ignore[arg-type]  # as a file


@pytest.mark.parametrize(
    "matcher",
    [
        'source="edge-prod"',
        'source="sims"',
        'source=~"edge.*"',
        'source!="nobody"',
        'severity="critical"',
        'alertname="FleetDeviceOffline"',
        'vendor="hologram"',
        'group="whatever"',
        'name=~"gate.*"',
        'tag="roof"',
        'team="edge"',
        'team=""',
        'tunnel="t-1"',
    ],
)
def test_what_an_alert_can_have_is_not_warned_of(matcher: str) -> None:
    assert found(routes=[{"matchers": [matcher]}]) == []


@pytest.mark.parametrize(
    ("matcher", "words"),
    [
        ('source="edge-prd"', """source="edge-prd" fits no alert, did you mean 'edge-prod'?"""),
        ('source=~"edge"', 'source=~"edge" fits no alert'),
        ('severity="critcal"', """severity="critcal" fits no alert, did you mean 'critical'?"""),
        (
            'alertname="DeviceOffline"',
            """alertname="DeviceOffline" fits no alert, did you mean 'FleetDeviceOffline'?""",
        ),
        ('vendor="iomote"', 'vendor="iomote" fits no alert'),
        ('team="egde"', """team="egde" fits no alert, did you mean 'edge'?"""),
        ('sevrity="critical"', """sevrity="critical" is about a label that no alert has, did you mean 'severity'?"""),
        ('site!="lyon"', 'site!="lyon" is about a label that no alert has'),
    ],
)
def test_a_matcher_that_nothing_fits_is_warned_of(matcher: str, words: str) -> None:
    assert found(routes=[{"routes": [{"matchers": [matcher]}]}]) == [f"route.routes #1.routes #1: the matcher {words}"]


def test_a_label_to_group_by_that_nothing_has_is_warned_of() -> None:
    assert found(group_by=["alertname", "team", "grup", "tag"]) == [
        "route: group_by holds 'grup', which is a label of no alert, did you mean 'group'?",
        "route: group_by holds 'tag', which can be matched but is no label",
    ]
    assert found(group_by=["..."]) == []


def test_a_rules_own_labels_and_severity_can_be_matched() -> None:
    rules = [{"name": "FleetDeviceOffline", "severity": "page", "labels": {"site": "lyon"}}]

    assert found(rules=rules, group_by=["site"], routes=[{"matchers": ['severity="page"', 'site="lyon"']}]) == []


def test_a_rule_sees_its_own_name_and_severity_alone() -> None:
    rules = [{"name": "FleetJobFailed", "matchers": ['severity="warning"', 'alertname="FleetJobFailed"']}]

    assert found(rules=rules) == ["""rules 'FleetJobFailed': the matcher severity="warning" fits no alert"""]


def test_without_sources_no_source_is_missed() -> None:
    assert found(sources=False, routes=[{"matchers": ['source="edge-prod"', 'vendor="hologram"']}]) == []
