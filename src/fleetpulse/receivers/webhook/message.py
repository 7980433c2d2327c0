"""One notification as the body of a webhook: Alertmanager's version 4, in a CloudEvent or bare.

Pure. What Alertmanager does not have is added under names of its own: `reason`, and per alert `events`, `new`, `late`,
`endReason` and `endNote`. Sources: CloudEvents 1.0, structured JSON; Alertmanager's documentation of `webhook_config`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from fleetpulse.alerting.notification import AlertStatus, EndReason, EventRef, Notification, NotifyReason, ToldAlert
from fleetpulse.receivers.webhook.settings import WebhookFormat

_MOST_ALERTS: Final = 1_000
_MOST_ALERTS_BYTES: Final = 900_000  # many a proxy takes a body of 1 MB at most
_LONGEST_LABEL: Final = 1_024
_LONGEST_ANNOTATION: Final = 4_096
_NOT_ENDED: Final = datetime(1, 1, 1, tzinfo=UTC)  # Go's zero time, as Alertmanager writes it
_ENVELOPE: Final = b'{"specversion":'


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One alert, as Alertmanager writes it and a little more."""

    status: AlertStatus
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime
    generator_url: str = msgspec.field(name="generatorURL")
    fingerprint: str
    events: tuple[EventRef, ...]
    new: bool
    late: bool
    end_reason: EndReason | None = None
    end_note: str = ""


class Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The group, as Alertmanager writes it, and why it is told now."""

    version: str = "4"
    group_key: str
    truncated_alerts: int
    status: AlertStatus
    receiver: str
    group_labels: dict[str, str]
    common_labels: dict[str, str]
    common_annotations: dict[str, str]
    external_url: str = msgspec.field(name="externalURL")
    alerts: list[msgspec.Raw]
    reason: NotifyReason


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope: CloudEvents 1.0 in its structured JSON form."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str = "application/json"
    data: Body


def render(notification: Notification, *, dress: WebhookFormat, redact: Callable[[str], str]) -> bytes:
    """The finished body. `redact` takes known secrets out of annotations; what identifies is left as it is."""
    body = _body(notification, redact=redact)
    if dress is WebhookFormat.ALERTMANAGER:
        return msgspec.json.encode(body)
    return msgspec.json.encode(
        CloudEvent(
            id=notification.id,
            source=notification.external_url or "/fleetpulse",
            type=f"fleetpulse.notification.{notification.status}",
            subject=_subject(body.group_labels),
            time=notification.at,
            data=body,
        )
    )


def content_type(payload: bytes) -> str:
    """The media type of a finished body; asked of the bytes, for they may be older than a changed setting."""
    return "application/cloudevents+json" if payload.startswith(_ENVELOPE) else "application/json"


def _body(notification: Notification, *, redact: Callable[[str], str]) -> Body:
    alerts = _alerts(notification, redact=redact)
    return Body(
        group_key=_clean(notification.group_key),
        truncated_alerts=len(notification.alerts) - len(alerts),
        status=notification.status,
        receiver=notification.receiver,
        group_labels=_labels(notification.group_labels),
        common_labels=_labels(notification.common_labels),
        common_annotations=_annotations(notification.common_annotations, redact=redact),
        external_url=notification.external_url,
        alerts=alerts,
        reason=notification.reason,
    )


def _alerts(notification: Notification, *, redact: Callable[[str], str]) -> list[msgspec.Raw]:
    """As many alerts as a body may hold, in their order; where some must go, those told before go first."""
    rows: dict[int, msgspec.Raw] = {}
    left_bytes = _MOST_ALERTS_BYTES
    for place in _by_news(notification.alerts)[:_MOST_ALERTS]:
        row = msgspec.json.encode(_alert(notification.alerts[place], notification=notification, redact=redact))
        left_bytes -= len(row)
        if left_bytes < 0:
            break
        rows[place] = msgspec.Raw(row)
    return [rows[place] for place in sorted(rows)]


def _by_news(alerts: Sequence[ToldAlert]) -> list[int]:
    return sorted(range(len(alerts)), key=lambda place: not alerts[place].new)


def _alert(alert: ToldAlert, *, notification: Notification, redact: Callable[[str], str]) -> Alert:
    resolved = alert.status is AlertStatus.RESOLVED
    return Alert(
        status=alert.status,
        labels=_labels(alert.labels),
        annotations=_annotations(alert.annotations, redact=redact),
        starts_at=alert.starts_at,
        ends_at=(alert.ends_at or notification.at) if resolved else _NOT_ENDED,
        generator_url=notification.link(alert),
        fingerprint=alert.fingerprint,
        events=alert.events,
        new=alert.new,
        late=alert.late,
        end_reason=alert.end_reason,
        end_note=_cut(_clean(redact(alert.end_note)), most=_LONGEST_LABEL),
    )


def _subject(labels: Mapping[str, str]) -> str:
    """The group's labels as Prometheus spells them, sorted, so that one group has one subject."""
    pairs = (f'{name}="{_quotable(labels[name])}"' for name in sorted(labels))
    return f"{{{', '.join(pairs)}}}"


def _quotable(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return "".join(char if char.isprintable() else " " for char in escaped)  # CloudEvents forbids control characters


def _labels(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: _cut(_clean(text), most=_LONGEST_LABEL) for name, text in texts.items()}


def _annotations(texts: Mapping[str, str], *, redact: Callable[[str], str]) -> dict[str, str]:
    return {name: _cut(_clean(redact(text)), most=_LONGEST_ANNOTATION) for name, text in texts.items()}


def _cut(text: str, *, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}\u2026"


def _clean(text: str) -> str:
    """Without lone surrogates, which no UTF-8 can carry."""
    return text.encode(errors="replace").decode()
