"""Promises of the settings' classes and of the catalogue behind them."""

from datetime import timedelta

import pytest
from pydantic import SecretStr, ValidationError

from fleetpulse.alerting.condition import ConditionKind
from fleetpulse.alerting.matchers import Matcher, Operator
from fleetpulse.alerting.rules import DEFAULT_RULES, merge
from fleetpulse.alerting.settings import RuleSettings
from fleetpulse.secrets import Redactor
from fleetpulse.service.catalogue import RECEIVERS, VENDORS, credential
from fleetpulse.service.settings import HttpSettings, JournalSettings, MetricsSettings, Settings
from fleetpulse.vendors.hologram import HologramSettings
from fleetpulse.web.address import Address


def test_where_to_listen() -> None:
    settings = HttpSettings(listen="[::1]:0")

    assert settings.address == Address("::1", 0)
    assert settings.problems() == []


@pytest.mark.parametrize("listen", ["", "9720", "localhost", "::1:9720", "a:70000", "a:b", "http://a:80", "a b:80"])
def test_what_is_no_place_to_listen_is_told(listen: str) -> None:
    assert [field for field, _ in HttpSettings(listen=listen).problems()] == ["listen"]


@pytest.mark.parametrize("url", ["https://fleet.example.com", "http://[::1]:9720/below/", ""])
def test_an_external_url_loses_its_last_slash(url: str) -> None:
    settings = HttpSettings(external_url=url)

    assert settings.external_url == url.rstrip("/")
    assert settings.problems() == []


@pytest.mark.parametrize(
    "url", ["fleet.example.com", "ftp://a", "https://", "https://a:b", "https://u:p@a", "https://a?b", "https://a b"]
)
def test_what_is_no_external_url_is_told(url: str) -> None:
    assert [field for field, _ in HttpSettings(external_url=url).problems()] == ["external_url"]


@pytest.mark.parametrize(("zone", "known"), [("UTC", True), ("Europe/Paris", True), ("Mars/Base", False), ("", False)])
def test_a_time_zone_is_one_the_machine_knows(zone: str, known: bool) -> None:
    assert (HttpSettings(timezone=zone).problems() == []) is known


@pytest.mark.parametrize("url", ["sqlite:///a.db", "sqlite:////var/lib/a.db"])
def test_a_journal_is_a_file(url: str) -> None:
    assert JournalSettings(url=url).problems() == []


@pytest.mark.parametrize(
    "url", ["", "a.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "postgresql://h/d", "sqlite:///a?mode=memory"]
)
def test_what_keeps_nothing_is_no_journal(url: str) -> None:
    assert [field for field, _ in JournalSettings(url=url).problems()] == ["url"]


def test_a_family_named_twice_is_told() -> None:
    assert MetricsSettings(per_device=("up", "cpu", "up")).problems() == [("per_device", "names a family twice")]


def test_settings_cannot_be_changed_nor_take_what_they_do_not_know() -> None:
    settings = Settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.log = settings.log
    with pytest.raises(ValidationError, match="extra"):
        HttpSettings.model_validate({"token": "x"})


def test_an_entry_gets_the_class_of_its_own_word() -> None:
    settings = Settings.model_validate(
        {
            "sources": [{"name": "sims", "vendor": "hologram", "api_key": "hush-7261-hush"}],
            "receivers": [{"name": "ops", "kind": "slack", "webhook_url": "https://hooks.slack.com/x"}],
        }
    )

    assert type(settings.sources[0]) is VENDORS["hologram"].settings
    assert type(settings.receivers[0]) is RECEIVERS["slack"].settings
    assert "hush" not in repr(settings)


def test_every_row_of_the_catalogue_names_its_own_word_and_credential() -> None:
    vendors = {word: entry.settings.model_fields["vendor"].default for word, entry in VENDORS.items()}
    receivers = {word: entry.settings.model_fields["kind"].default for word, entry in RECEIVERS.items()}

    assert vendors == {word: word for word in VENDORS}
    assert receivers == {word: word for word in RECEIVERS}
    for entry in VENDORS.values():
        assert {entry.settings.credential, f"{entry.settings.credential}_file"} <= set(entry.settings.model_fields)


def test_the_credential_of_a_source_is_learned_by_the_redactor() -> None:
    redactor = Redactor()
    settings = HologramSettings(name="sims", api_key=SecretStr("hush-7261-hush"))

    secret = credential(settings, redactor=redactor)

    assert secret.reveal() == "hush-7261-hush"
    assert redactor.redact("hush-7261-hush") == "***"


def test_a_rule_changes_only_the_keys_it_gives() -> None:
    settings = RuleSettings.model_validate(
        {"name": "FleetDeviceOffline", "for": "10m", "matchers": ['group=~"Lyon.*"'], "enabled": False}
    )

    (rule,) = [rule for rule in merge(DEFAULT_RULES, [(settings.name, settings.given())]) if rule.name == settings.name]

    assert settings.given().keys() == {"for_", "matchers", "enabled"}
    assert rule.when is ConditionKind.DEVICE_OFFLINE
    assert rule.for_ == timedelta(minutes=10)
    assert rule.matchers == (Matcher("group", Operator.REGEX, "Lyon.*"),)
    assert not rule.enabled
    assert rule.severity == next(rule.severity for rule in DEFAULT_RULES if rule.name == settings.name)
