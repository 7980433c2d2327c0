"""Laws of loading: any config is settings or a ConfigError, and no error holds a value of the config."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleetpulse.service.config import ConfigError, describe, load
from fleetpulse.service.settings import Settings

SECRET = "hush-7261-hush"
_WORDS = [
    "http",
    "listen",
    "external_url",
    "timezone",
    "journal",
    "url",
    "retention",
    "max_events",
    "metrics",
    "per_device",
    "max_device_series",
    "log",
    "level",
    "format",
    "sources",
    "vendor",
    "base_url",
    "labels",
    "interval",
    "sweep",
    "devices",
    "request_rate",
    "stale_after",
    "ca_file",
    "proxy",
    "token",
    "token_file",
    "project_key",
    "groups",
    "tags",
    "org_id",
    "api_key",
    "api_key_file",
    "rules",
    "when",
    "for",
    "severity",
    "matchers",
    "annotations",
    "summary",
    "count",
    "ratio",
    "enabled",
    "route",
    "receiver",
    "group_by",
    "group_wait",
    "routes",
    "continue",
    "receivers",
    "kind",
    "webhook_url",
    "webhook_url_file",
    "secret",
    "headers",
    "rate",
    "send_resolved",
]
_KEYS = st.sampled_from([*_WORDS, "_env_file", "self", "typo", "a.b", ""])
_TEXTS = st.sampled_from(
    [
        "",
        "hologram",
        "jfrog-connect",
        "slack",
        "webhook",
        "5m",
        "1/s",
        "device_offline",
        "${A}",
        "${",
        "\0",
        "a=b",
        "{{",
    ]
) | st.text(st.characters(codec="utf-8"), max_size=5)
_LEAVES = _TEXTS | st.integers() | st.booleans() | st.floats()


def trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    below = st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
        max_leaves=12,
    )
    entry = st.dictionaries(_KEYS, below, max_size=5)
    source = st.tuples(entry, st.sampled_from(["hologram", "jfrog-connect"])).map(
        lambda pair: {"name": "edge", "vendor": pair[1], "project_key": "yard"} | pair[0]
    )
    receiver = st.tuples(entry, st.sampled_from(["slack", "webhook"])).map(
        lambda pair: {"name": "ops", "kind": pair[1]} | pair[0]
    )
    return st.dictionaries(_KEYS, below | entry, max_size=4) | st.fixed_dictionaries(
        {},
        optional={
            "http": entry,
            "log": entry,
            "journal": entry,
            "metrics": entry,
            "sources": st.lists(source | entry, max_size=2),
            "receivers": st.lists(receiver | entry, max_size=2),
            "rules": st.lists(entry.map(lambda rule: {"name": "mine"} | rule), max_size=2),
            "route": entry,
        },
    )


def written(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or c in '"\\\x7f' else c for c in value) + '"'
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{written(key)} = {written(inner)}' for key, inner in value.items())}}}"
    return repr(value)


def outcome(tables: dict[str, Any], environ: dict[str, str]) -> Settings | ConfigError:
    text = "".join(f"{written(key)} = {written(value)}\n" for key, value in tables.items())
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "config.toml"
        path.write_text(text)
        try:
            return load(path, environ)
        except ConfigError as error:
            return error


@settings(max_examples=300)
@given(tables=trees(_LEAVES))
@example(tables={"_env_file": "x", "self": "x", "_cli_parse_args": True})
def test_any_config_is_settings_or_a_config_error(tables: dict[str, Any]) -> None:
    result = outcome(tables, {})

    if isinstance(result, Settings):
        assert describe(result)
    else:
        assert result.lines
        assert all("\n" not in line for line in result.lines)


@settings(max_examples=300)
@given(
    tables=trees(
        st.sampled_from(
            [
                SECRET,
                "${SECRET}",
                f"https://u:{SECRET}@h:{SECRET}/",
                f'a=~"({SECRET}"',
                f"{{{{ {SECRET}",
                f"x\n{SECRET}",
            ]
        )
        | _LEAVES
    ),
    variable=st.sampled_from(
        [
            "OTHER",
            "FLEETPULSE_HTTP__LISTEN",
            "FLEETPULSE_JOURNAL__URL",
            "FLEETPULSE_METRICS__PER_DEVICE",
            "FLEETPULSE_LOG__TYPO",
        ]
    ),
)
def test_a_secret_anywhere_in_a_broken_config_is_never_told(tables: dict[str, Any], variable: str) -> None:
    result = outcome(tables, {variable: SECRET, "SECRET": SECRET})

    told = describe(result) if isinstance(result, Settings) else str(result)
    assert "hush" not in told
    assert "7261" not in told
