"""What a source may say, and what it is told when it says it wrong."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fleetpulse.durations import Rate
from fleetpulse.vendors.hologram import HologramSettings
from fleetpulse.vendors.jfrog_connect import JFrogConnectSettings

INVENTED = "invented-token"


def jfrog(**more: Any) -> JFrogConnectSettings:
    given = {"name": "edge-prod", "project_key": "yard", "token": INVENTED} | more
    return JFrogConnectSettings.model_validate({key: value for key, value in given.items() if value is not None})


def test_a_source_says_little_and_gets_the_documented_defaults() -> None:
    source = jfrog()

    assert source.problems() == []
    assert (source.vendor, source.base_url) == ("jfrog-connect", "https://api.connect.jfrog.io")
    assert source.request_rate == Rate(5, 1.0)
    assert source.interval.total_seconds() == 60
    assert source.timeout.total_seconds() == 30
    assert (source.enabled, source.stale_after, source.forget_after.days, source.deployments_since.days) == (
        True,
        None,
        7,
        30,
    )


def test_hologram_is_asked_gently_and_patiently() -> None:
    source = HologramSettings.model_validate({"name": "sims", "api_key_file": "/run/secrets/hologram", "org_id": 9001})

    assert source.problems() == []
    assert source.base_url == "https://dashboard.hologram.io/api/1"
    assert source.request_rate == Rate(1, 1.0)
    assert source.timeout.total_seconds() == 120
    assert source.in_flight == 1


def test_a_trailing_slash_is_dropped() -> None:
    assert jfrog(base_url="https://connect.example.com:8443/x/").base_url == "https://connect.example.com:8443/x"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "-x"},
        {"name": "a" * 64},
        {"vendor": "hologram"},
        {"intervall": "60s"},
        {"interval": 60},
        {"request_rate": "fast"},
        {"project_key": ""},
        {"base_url": "ftp://example.com"},
        {"base_url": "https://ada:pw@example.com"},
        {"base_url": "https://example.com?key=1"},
        {"base_url": "https://example.com:port"},
        {"base_url": "example.com"},
        {"proxy": "proxy:3128"},
    ],
)
def test_a_wrong_shape_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        jfrog(**wrong)


@pytest.mark.parametrize(
    ("wrong", "field", "text"),
    [
        ({"token_file": "/x"}, "token", "is given twice"),
        ({"token": None}, "token", "is missing"),
        ({"token": " "}, "token", "is empty"),
        ({"labels": {"job": "x"}}, "labels.job", "is a label that Prometheus sets or renames"),
        ({"labels": {"exported_x": "x"}}, "labels.exported_x", "is a label that Prometheus sets or renames"),
        ({"labels": {"__x": "x"}}, "labels.__x", "is a label that Prometheus sets or renames"),
        ({"labels": {"severity": "x"}}, "labels.severity", "is given by rules"),
        ({"labels": {"name": "x"}}, "labels.name", "is kept for matchers"),
        ({"labels": {"tag": "x"}}, "labels.tag", "is kept for matchers"),
        ({"labels": {"my-team": "x"}}, "labels.my-team", "is no label name"),
        ({"sweep": {"devises": "5m"}}, "sweep", "no resource 'devises' at this vendor: there are devices, deployments"),
        ({"sweep": {"devices": "0s"}}, "sweep", "devices must be longer than nothing"),
        ({"interval": "0s"}, "interval", "must be longer than nothing"),
        ({"groups": ["Lyon", " "]}, "groups", "holds an empty name"),
        ({"tags": ["a", "a"]}, "tags", "names one of them twice"),
    ],
)
def test_a_wrong_meaning_is_told_with_its_field(wrong: dict[str, Any], field: str, text: str) -> None:
    problems = jfrog(**wrong).problems()

    assert [problem[0] for problem in problems] == [field]
    assert text in problems[0][1]


def test_all_problems_are_told_at_once() -> None:
    source = jfrog(token=None, labels={"job": "x", "le": "x"}, sweep={"x": "1m"})

    assert [field for field, _ in source.problems()] == ["token", "labels.job", "labels.le", "sweep"]


def test_neither_secret_nor_proxy_is_printed() -> None:
    source = jfrog(proxy="http://ada:invented-word@proxy.example.com:3128")

    assert INVENTED not in repr(source)
    assert "invented-word" not in repr(source)


@pytest.mark.parametrize("model", [JFrogConnectSettings, HologramSettings])
def test_every_setting_is_described(model: type[JFrogConnectSettings] | type[HologramSettings]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_the_order_and_the_pace_are_no_other_scope() -> None:
    source = jfrog(groups=["Lyon", "Nantes"], tags=["a", "b"])

    same = jfrog(groups=["Nantes", "Lyon"], tags=["b", "a"], interval="5m", token="another", labels={"team": "edge"})

    assert source.scope() == same.scope()


@pytest.mark.parametrize(
    "other",
    [
        {"project_key": "dock"},
        {"groups": ["Lyon"]},
        {"tags": ["Lyon"]},
        {"base_url": "https://connect.example.com"},
        {"base_url": "https://api.connect.jfrog.io/eu"},
    ],
)
def test_another_place_project_or_filter_is_another_scope(other: dict[str, Any]) -> None:
    assert jfrog(**other).scope() != jfrog().scope()


def test_another_organisation_is_another_scope() -> None:
    sims = [HologramSettings(name="sims", api_key_file=Path("key"), org_id=org_id) for org_id in (None, 9)]

    assert sims[0].scope() != sims[1].scope()
