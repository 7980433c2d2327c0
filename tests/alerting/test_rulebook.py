"""Promises of the rules in force: defaults, and entries that change or add one."""

from datetime import timedelta

import pytest

from fleetpulse.alerting.condition import ConditionKind
from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.alerting.matchers import Matcher, Operator
from fleetpulse.alerting.rulebook import describe_rules, rules_of
from fleetpulse.alerting.rules import DEFAULT_RULES, Rule
from fleetpulse.alerting.settings import RuleSettings


def rules(*entries: dict[str, object]) -> dict[str, Rule]:
    return {rule.name: rule for rule in rules_of(map(RuleSettings.model_validate, entries))}


def test_without_entries_the_defaults_apply() -> None:
    assert tuple(rules().values()) == DEFAULT_RULES


def test_an_entry_of_a_default_rules_name_changes_only_the_keys_it_gives() -> None:
    changed = rules({"name": "FleetDeviceOffline", "for": "10m"})["FleetDeviceOffline"]

    assert changed.for_ == timedelta(minutes=10)
    assert (changed.when, changed.severity, changed.enabled) == (ConditionKind.DEVICE_OFFLINE, "warning", True)


def test_an_entry_of_another_name_is_a_rule_of_its_own_beside_the_defaults() -> None:
    found = rules({"name": "LyonOffline", "when": "device_offline", "matchers": ["group=Lyon"], "severity": "critical"})

    assert len(found) == len(DEFAULT_RULES) + 1
    assert found["LyonOffline"] == Rule(
        name="LyonOffline",
        when=ConditionKind.DEVICE_OFFLINE,
        severity="critical",
        matchers=(Matcher("group", Operator.EQUAL, "Lyon"),),
    )


def test_a_new_rule_without_its_condition_is_an_error() -> None:
    with pytest.raises(TypeError, match="when"):
        rules({"name": "Unheard"})


def test_the_rules_read_as_a_table() -> None:
    found = rules(
        {"name": "FleetDeploymentFailed", "ratio": 0.1},
        {"name": "FleetJobFailed", "enabled": False},
        {
            "name": "Lyon",
            "when": "device_offline",
            "for": "1h30m",
            "keep_firing_for": "5m",
            "matchers": ["group=Lyon"],
            "labels": {"page": "yes"},
            "annotations": {"runbook_url": "https://runbooks.example.com"},
        },
    )

    text = describe_rules([found[name] for name in ("FleetDeploymentFailed", "FleetJobFailed", "Lyon")], [])

    assert text.splitlines() == [
        "FleetDeploymentFailed  deployment_failed  for 0s     critical  told once  on 10% of its devices at least",
        "FleetJobFailed         job_failed         for 0s     critical  disabled  told once",
        (
            "Lyon                   device_offline     for 1h30m  warning   keep_firing_for 5m  "
            'only group="Lyon"  labels page="yes"  annotations runbook_url'
        ),
    ]


IOMOTE = SourceFacts("tags", "iomote", offline_for=timedelta(minutes=10))
JFROG = SourceFacts("edge", "jfrog-connect")
HOLOGRAM = SourceFacts("sims", "hologram", offline_for=None, silent_after=timedelta(hours=24))
SCALEPAD = SourceFacts("desks", "scalepad", offline_for=None, silent_after=timedelta(days=14))


@pytest.mark.parametrize(
    ("sources", "for_", "after"),
    [
        ((), "for 5m", "after 1d"),
        ((JFROG,), "for 5m", "after 1d"),
        ((IOMOTE,), "for 10m", "after 1d"),
        ((SCALEPAD,), "for 5m", "after 14d"),
        ((SCALEPAD, HOLOGRAM, HOLOGRAM, IOMOTE, JFROG), "for 5m (iomote 10m)", "after 1d (scalepad 14d)"),
    ],
)
def test_what_depends_on_the_vendor_is_said_for_those_there_are(
    sources: tuple[SourceFacts, ...], for_: str, after: str
) -> None:
    found = rules({"name": "FleetCredentialsExpiring", "within": "7d"})
    names = ("FleetDeviceOffline", "FleetDeviceSilent", "FleetCredentialsExpiring")

    lines = describe_rules([found[name] for name in names], sources).splitlines()

    width = len(for_)
    assert lines == [
        f"FleetDeviceOffline        device_offline        {for_}  warning",
        f"FleetDeviceSilent         device_silent         {'for 0s':{width}}  warning  {after}",
        f"FleetCredentialsExpiring  credentials_expiring  {'for 0s':{width}}  warning  within 7d",
    ]


def test_what_a_rule_says_itself_is_the_same_for_every_vendor() -> None:
    found = rules(
        {"name": "Long", "when": "device_silent", "after": "30d"}, {"name": "FleetDeviceOffline", "for": "1m"}
    )

    lines = describe_rules([found["Long"], found["FleetDeviceOffline"]], [JFROG, IOMOTE, HOLOGRAM, SCALEPAD])

    assert lines.splitlines() == [
        "Long                device_silent   for 0s  warning  after 30d",
        "FleetDeviceOffline  device_offline  for 1m  warning",
    ]


def test_a_rule_about_silence_that_names_its_devices_speaks_of_every_vendor() -> None:
    found = rules({"name": "Quiet", "when": "device_silent", "matchers": ["group=Lyon"]})

    line = describe_rules([found["Quiet"]], [JFROG, SCALEPAD])

    assert "after 1d (scalepad 14d)" in line


def test_the_rules_by_default() -> None:
    found = {rule.name: (str(rule.when), rule.for_, rule.severity) for rule in DEFAULT_RULES}

    assert found == {
        "FleetDeviceOffline": ("device_offline", None, "warning"),
        "FleetDeviceSilent": ("device_silent", timedelta(), "warning"),
        "FleetDeploymentFailed": ("deployment_failed", timedelta(), "critical"),
        "FleetJobFailed": ("job_failed", timedelta(), "critical"),
        "FleetSourceBaseline": ("source_baseline", timedelta(), "info"),
        "FleetTunnelOpen": ("tunnel_open", timedelta(hours=8), "info"),
        "FleetSimPausedBySystem": ("sim_paused_by_system", timedelta(), "warning"),
        "FleetSourceDown": ("source_down", timedelta(minutes=5), "critical"),
        "FleetSourceDegraded": ("source_degraded", timedelta(minutes=15), "warning"),
        "FleetSourceMisconfigured": ("source_misconfigured", timedelta(), "critical"),
        "FleetCredentialsRejected": ("credentials_rejected", timedelta(), "critical"),
        "FleetCredentialsExpiring": ("credentials_expiring", timedelta(), "warning"),
    }


@pytest.mark.parametrize(
    ("entry", "problems"),
    [
        ({"name": "FleetDeviceSilent", "after": "48h"}, []),
        ({"name": "FleetCredentialsExpiring", "within": "30d"}, []),
        ({"name": "FleetDeviceSilent", "after": "0s"}, [("after", "must be longer than nothing")]),
        (
            {"name": "FleetDeviceOffline", "after": "48h"},
            [("after", "is a parameter of device_silent, not of device_offline")],
        ),
        (
            {"name": "FleetCredentialsExpiring", "within": "31d"},
            [("within", "must be 30d at most: that is how early it is known")],
        ),
        (
            {"name": "FleetDeviceSilent", "within": "1d", "count": 2},
            [
                ("count", "is a parameter of deployment_failed, not of device_silent"),
                ("within", "is a parameter of credentials_expiring, not of device_silent"),
            ],
        ),
    ],
)
def test_parameters_are_checked(entry: dict[str, object], problems: list[tuple[str, str]]) -> None:
    settings = RuleSettings.model_validate(entry)

    assert settings.problems() == problems


def test_no_rules_are_no_text() -> None:
    assert describe_rules([], []) == ""
