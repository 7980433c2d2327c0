"""What a message says of each alert: one line a device, a deployment or a source."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from fleetpulse.alerting.notification import AlertStatus, ToldAlert
from fleetpulse.alerting.phrases import span
from fleetpulse.receivers.slack.escape import moment, mrkdwn

_THINGS: Final = ("device", "deployment", "bulk_job", "tunnel")
_NAME_UNITS: Final = 80
_SUMMARY_UNITS: Final = 140
_ALONE_UNITS: Final = 300  # a summary that names its subject itself, and stands for the whole line

# What the subject is meanwhile: by the rule's name, else by the event behind the alert.
_STATES: Final = {
    "FleetDeviceOffline": "offline",
    "FleetDeviceSilent": "silent",
    "FleetDeviceMissing": "missing",
    "FleetSimPausedBySystem": "SIM paused by the system",
    "fleet.device.went_offline": "offline",
    "fleet.device.went_missing": "missing",
    "fleet.device.became_unknown": "unknown",
    "fleet.sim.changed": "SIM paused by the system",
}


def firing_lines(alerts: Sequence[ToldAlert], *, now: datetime, most: int, redact: Callable[[str], str]) -> list[str]:
    """One line per firing alert, the news first; the last one counts those that are left out."""
    firing = [alert for alert in alerts if alert.status is AlertStatus.FIRING]
    listed = sorted(firing, key=lambda alert: not alert.new)[:most]
    return [*(_firing(alert, now=now, redact=redact) for alert in listed), *_rest(len(firing) - len(listed))]


def ended_lines(alerts: Sequence[ToldAlert], *, most: int, redact: Callable[[str], str]) -> list[str]:
    """One line per alert that ended, with its reason and how long it was."""
    ended = [alert for alert in alerts if alert.status is AlertStatus.RESOLVED]
    listed = sorted(ended, key=lambda alert: not alert.new)[:most]
    return [*(_ended(alert, redact=redact) for alert in listed), *_rest(len(ended) - len(listed))]


def subject(alert: ToldAlert, *, redact: Callable[[str], str]) -> str:
    """Name and id, `gate-17 (d-0a1b-2c3d)`; for what is wrong with a source, it and its resource."""
    found = _thing(alert)
    given = alert.annotations.get("name") or ("" if found else alert.labels.get("source", ""))
    name = mrkdwn(redact(given), limit=_NAME_UNITS)
    id_ = mrkdwn(redact(found or alert.labels.get("resource", "")), limit=_NAME_UNITS)
    if name and id_ and name != id_:
        return f"{name} ({id_})"
    return name or id_ or "unnamed"


def listed_summary(alert: ToldAlert, *, redact: Callable[[str], str]) -> str:
    """What the line of a firing alert shows of its summary, however little else it has room for."""
    return "" if alert.labels.get("device") else redact(alert.annotations.get("summary", ""))[:_SUMMARY_UNITS]


def _firing(alert: ToldAlert, *, now: datetime, redact: Callable[[str], str]) -> str:
    line = _device(alert, now=now, redact=redact) if alert.labels.get("device") else _other(alert, redact=redact)
    return f"{line}, noticed late" if alert.late else line


def _ended(alert: ToldAlert, *, redact: Callable[[str], str]) -> str:
    facts = [mrkdwn(redact(alert.end), limit=_NAME_UNITS)] if alert.end else []
    if alert.ends_at is not None:
        facts.append(f"after {span(alert.lasted)}")
    return "  ".join(filter(None, [subject(alert, redact=redact), " ".join(facts)]))


def _device(alert: ToldAlert, *, now: datetime, redact: Callable[[str], str]) -> str:
    words = (alert.labels.get("alertname", ""), *(event.type for event in reversed(alert.events)))
    state = next((_STATES[word] for word in words if word in _STATES), "firing")
    lasting = f"{state} {span(now - (alert.since_at or alert.starts_at))}"
    seen = _last_seen(alert)
    facts = f"last seen {moment(seen, now=now)}, {lasting}" if seen else lasting
    return f"{subject(alert, redact=redact)}  {facts}"


def _other(alert: ToldAlert, *, redact: Callable[[str], str]) -> str:
    """The summary, behind the subject where it doesn't name it."""
    summary = redact(alert.annotations.get("summary", ""))
    thing = _thing(alert) or alert.labels.get("source", "")
    if thing and thing in summary:
        return mrkdwn(summary, limit=_ALONE_UNITS)
    return "  ".join(filter(None, [subject(alert, redact=redact), mrkdwn(summary, limit=_SUMMARY_UNITS)]))


def _thing(alert: ToldAlert) -> str:
    return next((alert.labels[label] for label in _THINGS if alert.labels.get(label)), "")


def _last_seen(alert: ToldAlert) -> datetime | None:
    """The annotation as a time; a user's own template may have left anything there."""
    try:
        at = datetime.fromisoformat(alert.annotations.get("last_seen", ""))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _rest(count: int) -> list[str]:
    return [f"and {count:,} more"] if count else []
