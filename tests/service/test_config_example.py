"""Promises of config.example.toml: it loads as it stands and holds every setting, and nothing that is none."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from pydantic import BaseModel

from fleetpulse.alerting.settings import RouteSettings, RuleSettings
from fleetpulse.receivers.settings import ReceiverSettings
from fleetpulse.service.catalogue import RECEIVERS, VENDORS
from fleetpulse.service.config import load
from fleetpulse.service.config.document import Document
from fleetpulse.service.config.loading import interpret
from fleetpulse.service.settings import Settings
from fleetpulse.vendors.settings import SourceSettings

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
LINES = EXAMPLE.read_text().splitlines()
HEADER = re.compile(r"(?:# )?\[{1,2}([a-z_.]+)\]{1,2}$")
SETTING = re.compile(r"(?:# )?([a-z_]+) = (.+)$")
SWITCHED_OFF = [index for index, line in enumerate(LINES) if line.startswith("# ") and SETTING.match(line)]
WITHOUT_DEFAULT = {"external_url", "token_file", "read_token_file"}
PLAIN = ("http", "journal", "metrics", "log")


def sections() -> list[tuple[str, dict[str, str]]]:
    """Every table in the file, with its settings whether switched on or off."""
    found: list[tuple[str, dict[str, str]]] = []
    for line in LINES:
        if header := HEADER.match(line):
            found.append((header[1], {}))
        elif setting := SETTING.match(line):
            found[-1][1][setting[1]] = setting[2]
    return found


def keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def shown(table: str, word: str = "", value: str = "") -> set[str]:
    """The settings that the example has for a table, or for its entries of one vendor or kind."""
    return {key for name, section in sections() if name == table and section.get(word, "") == value for key in section}


def test_it_loads_as_it_stands() -> None:
    settings = load(EXAMPLE, {})

    assert sorted(source.vendor for source in settings.sources) == sorted(VENDORS)
    assert [receiver.kind for receiver in settings.receivers] == sorted(RECEIVERS)


def test_every_plain_table_is_complete() -> None:
    assert {table: shown(table) for table in PLAIN} == {
        table: keys(model)
        for table in PLAIN
        if isinstance(model := Settings.model_fields[table].annotation, type) and issubclass(model, BaseModel)
    }


def test_rules_and_routes_are_complete() -> None:
    assert shown("rules") == keys(RuleSettings)
    assert shown("route") | shown("route.routes") == keys(RouteSettings) - {"routes"}


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendor_s_own_settings_are_there(vendor: str) -> None:
    model = VENDORS[vendor].settings
    section = shown("sources", "vendor", f'"{vendor}"')

    assert section <= keys(model)
    assert section >= keys(model) - keys(SourceSettings)


def test_what_every_source_may_say_is_there() -> None:
    everything = {key for name, section in sections() if name == "sources" for key in section}

    assert everything >= keys(SourceSettings)


@pytest.mark.parametrize("kind", RECEIVERS)
def test_every_receiver_is_complete(kind: str) -> None:
    model = RECEIVERS[kind].settings

    assert shown("receivers", "kind", f'"{kind}"') == keys(model)
    assert keys(ReceiverSettings) <= keys(model)


def test_it_knows_no_other_table() -> None:
    known = {*Settings.model_fields, "route.routes", "route.routes.routes"}

    assert {name for name, _ in sections()} == known


@pytest.mark.parametrize("index", SWITCHED_OFF, ids=lambda index: f"{index + 1}-{LINES[index][2:20]}")
def test_every_switched_off_setting_can_be_switched_on(index: int) -> None:
    header = max(line for line in range(index) if HEADER.match(LINES[line]))
    lines = LINES.copy()
    lines[index] = lines[index][2:]
    if lines[header].startswith("# "):  # the whole entry is switched off: it comes with it
        end = next((line for line in range(header + 1, len(LINES)) if LINES[line].startswith(("# -", "# ["))), None)
        lines[header:end] = [
            line[2:] if HEADER.match(line) or SETTING.match(line) else line for line in LINES[header:end]
        ]

    settings, _ = interpret(Document("\n".join(lines), name="config.example.toml"), {})

    assert settings.sources


def test_the_plain_tables_show_the_defaults() -> None:
    written: dict[str, list[str]] = defaultdict(list)
    for name, section in sections():
        if name in PLAIN:
            written[name] += [f"{key} = {value}" for key, value in section.items() if key not in WITHOUT_DEFAULT]
    text = "\n".join(f"[{name}]\n" + "\n".join(lines) for name, lines in written.items())

    settings, _ = interpret(Document(text, name="defaults"), {})

    assert settings == Settings()


def test_every_setting_has_a_description() -> None:
    models: list[type[BaseModel]] = [Settings, RuleSettings, RouteSettings]
    models += [
        field.annotation
        for field in Settings.model_fields.values()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    ]
    models += [entry.settings for entry in VENDORS.values()]
    models += [entry.settings for entry in RECEIVERS.values()]

    missing = [
        f"{model.__name__}.{key}"
        for model in models
        for key, field in model.model_fields.items()
        if not field.description
    ]

    assert missing == []
