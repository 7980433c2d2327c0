"""Alerts as the page shows them: grouped as messages are by default, a card for each group."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from heapq import nsmallest
from typing import Final

import msgspec

from fleetpulse.alerting.state import Alert

MOST_NAMED: Final = 10
MOST_ANCHORED: Final = 100  # of a card, the oldest, whom messages name first; a page of thousands weighs megabytes

_GROUPED_BY: Final = ("alertname", "source", "group")
_SEVERITIES: Final = ("critical", "warning", "info")
_SHOWN_APART: Final = frozenset({"alertname", "severity"})
_SUBJECTS: Final = ("device", "deployment", "bulk_job", "resource")
_NUMBERS: Final = re.compile(r"([0-9]+)")


class Entry(msgspec.Struct, frozen=True):
    """One alert within its card: a device's name, or of anything else the sentence about it."""

    fingerprint: str
    words: str
    sentence: bool


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A group of alerts.

    `labels` are those that all of them share; `anchors` are the ids of the oldest that are not in `entries`.
    """

    rule: str
    severity: str
    labels: dict[str, str]
    starts_at: datetime
    alerts: int
    entries: tuple[Entry, ...]
    anchors: tuple[str, ...]

    @property
    def unnamed(self) -> int:
        """How many alerts are counted only."""
        return self.alerts - len(self.entries)


def cards(alerts: Iterable[Alert], *, most: int) -> tuple[list[Card], int]:
    """The `most` urgent cards, the worst and then the oldest first, and how many there are beyond them."""
    groups: dict[tuple[str, ...], list[Alert]] = defaultdict(list)
    for alert in alerts:
        groups[tuple(alert.labels.get(name, "") for name in _GROUPED_BY)].append(alert)
    urgent = nsmallest(most, groups.items(), key=lambda item: (*min(map(_urgency, item[1])), item[0]))
    return [_card(group) for _, group in urgent], len(groups) - len(urgent)


def natural(text: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts numbers within names by their value: gate-2 before gate-10."""
    parts = _NUMBERS.split(text.casefold())  # texts and numbers in turn
    return tuple(
        (len(part.lstrip("0")), part.lstrip("0")) if index % 2 else (0, part) for index, part in enumerate(parts)
    )


def _card(alerts: Sequence[Alert]) -> Card:
    by_urgency = nsmallest(MOST_ANCHORED, alerts, key=_urgency)
    entries = _named(alerts) if len(alerts) > 1 else [_sentence(alerts[0])]
    named = {entry.fingerprint for entry in entries}
    return Card(
        rule=by_urgency[0].rule,
        severity=by_urgency[0].labels.get("severity", ""),
        labels=_shared(alerts),
        starts_at=min(alert.starts_at for alert in alerts),
        alerts=len(alerts),
        entries=tuple(entries),
        anchors=tuple(alert.fingerprint for alert in by_urgency if alert.fingerprint not in named),
    )


def _named(alerts: Sequence[Alert]) -> list[Entry]:
    entries = (_name(alert) if "device" in alert.labels else _sentence(alert) for alert in alerts)
    return nsmallest(MOST_NAMED, entries, key=lambda entry: (natural(entry.words), entry.fingerprint))


def _name(alert: Alert) -> Entry:
    return Entry(alert.fingerprint, alert.annotations.get("name") or alert.labels["device"], sentence=False)


def _sentence(alert: Alert) -> Entry:
    subject = next((alert.labels[name] for name in _SUBJECTS if name in alert.labels), "")
    return Entry(alert.fingerprint, alert.annotations.get("summary") or subject, sentence=True)


def _shared(alerts: Sequence[Alert]) -> dict[str, str]:
    first = alerts[0].labels.items()
    return {
        name: value
        for name, value in first
        if name not in _SHOWN_APART and value and all(alert.labels.get(name) == value for alert in alerts)
    }


def _urgency(alert: Alert) -> tuple[int, datetime, str]:
    severity = alert.labels.get("severity", "")
    rank = _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)
    return rank, alert.starts_at, alert.fingerprint
