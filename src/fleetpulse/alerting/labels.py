"""Which label names people may give: those that Prometheus would rename or that are ours are refused."""

import re
from typing import Final

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SCRAPE: Final = frozenset({"job", "instance", "namespace", "pod", "container", "service", "endpoint", "node", "le"})
_OURS: Final = frozenset(
    {"alertname", "source", "vendor", "device", "deployment", "bulk_job", "tunnel", "resource", "group"}
)
_MATCHED_ONLY: Final = frozenset({"name", "tag"})
_PREFIXES: Final = ("exported_", "__")


def label_problem(name: str) -> str:
    """Why a source or a rule may not give a label of this name; empty where it may."""
    if _NAME.fullmatch(name) is None:
        return "is no label name: letters, digits and underscores, not beginning with a digit"
    if name in _SCRAPE or name.startswith(_PREFIXES):
        return "is a label that Prometheus sets or renames when it scrapes: choose another name"
    if name in _OURS:
        return "is a label that every alert gets from fleetpulse itself: choose another name"
    if name in _MATCHED_ONLY:
        return "is kept for matchers on a device's name and tags: choose another name"
    return ""
