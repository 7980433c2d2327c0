"""Promises of what check-config prints."""

import json

from fleetpulse.alerting.rules import DEFAULT_RULES
from fleetpulse.service.catalogue import VENDORS
from fleetpulse.service.config import describe, listing
from fleetpulse.service.config.report import warnings
from fleetpulse.service.settings import Settings

SECRET = "hush-7261-hush"


def settings(**changes: object) -> Settings:
    tables: dict[str, object] = {
        "http": {"external_url": "https://fleetpulse.example.com/"},
        "sources": [
            {
                "name": "edge-prod",
                "vendor": "jfrog-connect",
                "project_key": "yard",
                "token": SECRET,
                "interval": "90s",
                "sweep": dict.fromkeys(list(VENDORS["jfrog-connect"].settings.resources)[1:], "5m"),
                "proxy": f"http://user:{SECRET}@proxy:3128",
            },
            {"name": "sims", "vendor": "hologram", "api_key": SECRET, "enabled": False},
        ],
        "receivers": [
            {"name": "ops", "kind": "slack", "webhook_url": f"https://hooks.slack.com/{SECRET}"},
            {"name": "hook", "kind": "webhook", "url": f"https://h/{SECRET}", "send_resolved": False},
        ],
        "route": {"receiver": "ops", "routes": [{"receiver": "hook"}]},
    }
    return Settings(**(tables | changes))  # type: ignore[arg-type]  # tables as a file gives them


def test_sources_and_receivers_are_listed_without_secrets() -> None:
    text = describe(settings())

    lines = text.splitlines()
    assert lines[0] == "2 sources"
    assert lines[1].startswith(
        "  edge-prod  jfrog-connect  api.connect.jfrog.io   devices every 1m30s, deployments every 5m"
    )
    assert lines[1].endswith("  5/s")
    assert lines[2].startswith("  sims       hologram       dashboard.hologram.io  ")
    assert lines[2].endswith("  1/s  disabled")
    assert lines[3:6] == [
        "2 receivers",
        "  ops   slack    1/s",
        "  hook  webhook  as fast as it answers  beginnings only",
    ]
    assert SECRET not in text


def test_programs_get_the_same_as_json_without_secrets() -> None:
    text = listing(settings(rules=[{"name": "FleetDeviceOffline", "for": "10m", "labels": {"site": "lyon"}}]))

    told = json.loads(text)
    assert told["sources"][0] == {
        "name": "edge-prod",
        "vendor": "jfrog-connect",
        "host": "api.connect.jfrog.io",
        "enabled": True,
        "interval_s": {
            **dict.fromkeys(VENDORS["jfrog-connect"].settings.resources, 300),
            "devices": 90,
        },
        "request_rate": "5/s",
        "labels": {},
    }
    assert told["receivers"] == [
        {"name": "ops", "kind": "slack", "rate": "1/s", "send_resolved": True},
        {"name": "hook", "kind": "webhook", "rate": None, "send_resolved": False},
    ]
    assert told["rules"][0] == {
        "name": "FleetDeviceOffline",
        "when": "device_offline",
        "for_s": 600,
        "keep_firing_for_s": 0,
        "severity": "warning",
        "matchers": [],
        "labels": {"site": "lyon"},
        "annotations": [],
        "enabled": True,
        "count": 1,
        "ratio": None,
        "after_s": None,
        "for_s_by_source": {},
        "after_s_by_source": {},
        "within_s": 14 * 86_400,
    }
    assert told["route"] == {
        "matchers": [],
        "receiver": "ops",
        "continue": False,
        "group_by": ["alertname", "source", "group"],
        "group_wait_s": 30,
        "group_interval_s": 300,
        "repeat_interval_s": 14400,
        "routes": [{**told["route"], "receiver": "hook", "routes": []}],
    }
    assert told["warnings"] == []
    assert SECRET not in text


def test_the_merged_rules_and_the_tree_of_routes_are_listed() -> None:
    text = describe(settings(rules=[{"name": "FleetDeviceOffline", "for": "10m"}]))

    assert f"{len(DEFAULT_RULES)} rules\n  FleetDeviceOffline        device_offline        for 10m" in text
    assert (
        "routes\n"
        "  everything -> ops  (group_by [alertname, source, group], group_wait 30s, group_interval 5m, "
        "repeat_interval 4h)\n"
        "    everything -> hook\n"
    ) in text


def test_what_depends_on_the_vendor_is_told_for_each_source_that_a_rule_speaks_of() -> None:
    given = settings()

    text, told = describe(given), json.loads(listing(given))

    assert "FleetDeviceOffline        device_offline        for 5m   warning" in text
    assert "warning   after 1d" in text
    by_rule = {rule["name"]: rule for rule in told["rules"]}
    assert by_rule["FleetDeviceOffline"]["for_s_by_source"] == {"edge-prod": 300}
    assert by_rule["FleetDeviceSilent"]["after_s_by_source"] == {"sims": 86_400}
    assert by_rule["FleetSourceDown"]["for_s_by_source"] == {}


def test_nothing_at_all_is_allowed_and_warned_of() -> None:
    text = describe(Settings())

    assert text.startswith(f"no sources\nno receivers\n{len(DEFAULT_RULES)} rules\n")
    assert text.endswith(
        "  everything -> nobody: there is no receiver, alerts are only listed  (group_by [alertname, source, group], "
        "group_wait 30s, group_interval 5m, repeat_interval 4h)\n"
        "3 warnings\n"
        "  nothing is watched: there is no enabled source\n"
        "  nobody is told: there is no receiver\n"
        "  messages carry no links: [http] has no external_url\n"
    )


def test_the_interval_of_the_main_resource_is_the_one_that_sweep_gives() -> None:
    slow = {
        "name": "edge",
        "vendor": "jfrog-connect",
        "project_key": "yard",
        "token": SECRET,
        "sweep": {"devices": "30m"},
        "stale_after": "10m",
    }

    found = list(warnings(settings(sources=[slow])))

    assert found == ["sources 'edge': one failed sweep makes it stale, for stale_after is 10m and the interval 30m"]


def test_what_is_probably_not_meant_is_warned_of() -> None:
    odd = {
        "name": "edge",
        "vendor": "jfrog-connect",
        "project_key": "yard",
        "token": SECRET,
        "base_url": "http://api.example.com",
        "interval": "10s",
        "request_rate": "3/m",
        "stale_after": "15s",
    }

    found = list(warnings(settings(sources=[odd], route={"receiver": "ops"})))

    assert found == [
        "sources 'edge': base_url is not https, so the key travels in the clear",
        "sources 'edge': request_rate 3/m does not allow a request every 10s, so the interval will be longer",
        "sources 'edge': one failed sweep makes it stale, for stale_after is 15s and the interval 10s",
        "receivers 'hook': no route names it, so it is told nothing",
    ]
