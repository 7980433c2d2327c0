"""Configs with quick times, written as TOML."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Tables = Mapping[str, Any]


def written(tables: Tables) -> str:
    """The tables as TOML: a mapping is a table, a sequence of mappings an array of them."""
    return "\n".join(_lines(tables, ())) + "\n"


def jfrog(url: str, **changes: Any) -> Tables:
    """A `jfrog-connect` source called `edge`, swept five times a second."""
    settings = {
        "name": "edge",
        "vendor": "jfrog-connect",
        "base_url": url,
        "project_key": "yard",
        "token": "demo-token",
        "interval": "200ms",
        "sweep": {"deployments": "300ms"},
        "request_rate": "1000/s",
    }
    return _changed(settings, changes)


def hologram(url: str, **changes: Any) -> Tables:
    """A `hologram` source called `sims`, its devices and jobs swept five times a second."""
    settings = {
        "name": "sims",
        "vendor": "hologram",
        "base_url": f"{url}/api/1",
        "api_key": "demo-key",
        "interval": "200ms",
        "sweep": {"jobs": "200ms", "changes": "1s"},
        "request_rate": "1000/s",
    }
    return _changed(settings, changes)


def rules(**durations: str) -> Sequence[Tables]:
    """The default rules with quick times (`FleetDeviceOffline="1s"` changes one), the baseline not told."""
    times = {"FleetDeviceOffline": "0s", "FleetSourceDown": "400ms", **durations}
    return [
        *({"name": name, "for": for_} for name, for_ in times.items()),
        {"name": "FleetSourceBaseline", "enabled": False},
    ]


def route(receiver: str, **changes: Any) -> Tables:
    """A route to this receiver with quick times."""
    settings = {"receiver": receiver, "group_wait": "100ms", "group_interval": "200ms", "repeat_interval": "1h"}
    return _changed(settings, changes)


def webhook(url: str, **changes: Any) -> Tables:
    """A `webhook` receiver called `pager`."""
    return _changed({"name": "pager", "kind": "webhook", "url": f"{url}/hook"}, changes)


def slack(url: str, **changes: Any) -> Tables:
    """A `slack` receiver called `chat`."""
    return _changed({"name": "chat", "kind": "slack", "webhook_url": f"{url}/services/T0/B0/invented"}, changes)


def _changed(settings: Tables, changes: Tables) -> Tables:
    """None takes a setting away."""
    return {key: value for key, value in {**settings, **changes}.items() if value is not None}


def _lines(table: Tables, path: tuple[str, ...]) -> Iterator[str]:
    for key, value in table.items():
        if not _is_table(value, path) and not _is_array(value):
            yield f"{key} = {_value(value)}"
    for key, value in table.items():
        name = ".".join((*path, key))
        if _is_array(value):
            for entry in value:
                yield f"[[{name}]]"
                yield from _lines(entry, (*path, key))
        elif _is_table(value, path):
            yield f"[{name}]"
            yield from _lines(value, (*path, key))


def _is_table(value: Any, path: tuple[str, ...]) -> bool:
    return isinstance(value, Mapping) and not path  # deeper ones are written inline


def _is_array(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(entry, Mapping) for entry in value)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)  # texts, numbers, truth values and lists of them are the same in TOML
