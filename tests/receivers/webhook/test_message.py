"""The bodies of webhooks: Alertmanager's version 4 within a CloudEvent, or bare."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.alerting.notification import AlertStatus, EndReason, Notification, NotifyReason, ToldAlert
from fleetpulse.receivers.webhook.message import content_type, render
from fleetpulse.receivers.webhook.settings import WebhookFormat

DOCS = Path(__file__).parents[3] / "docs" / "receivers.md"

Told = Callable[..., Notification]
Device = Callable[..., ToldAlert]


def event(notification: Notification) -> dict[str, Any]:
    return dict(json.loads(render(notification, dress=WebhookFormat.CLOUDEVENTS, redact=str)))


def bare(notification: Notification) -> dict[str, Any]:
    return dict(json.loads(render(notification, dress=WebhookFormat.ALERTMANAGER, redact=str)))


def test_the_envelope_is_a_cloudevent_of_the_notification(notification: Told, device: Device) -> None:
    envelope = event(notification(device(17), external_url="https://fleet.example.com"))

    del envelope["data"]
    assert envelope == {
        "specversion": "1.0",
        "id": "dl-0001",
        "source": "https://fleet.example.com",
        "type": "fleetpulse.notification.firing",
        "subject": '{alertname="FleetDeviceOffline", group="Lyon", source="edge-prod"}',
        "time": "2026-11-20T14:08:00Z",
        "datacontenttype": "application/json",
    }


def test_without_an_external_url_the_source_is_a_path(notification: Told) -> None:
    envelope = event(notification(status=AlertStatus.RESOLVED))

    assert envelope["source"] == "/fleetpulse"
    assert envelope["type"] == "fleetpulse.notification.resolved"


def test_the_bare_body_is_what_alertmanager_sends_and_a_little_more(notification: Told, device: Device) -> None:
    body = bare(notification(device(17), external_url="https://fleet.example.com/"))

    assert body == {
        "version": "4",
        "groupKey": '{}/{}:{alertname="FleetDeviceOffline", group="Lyon", source="edge-prod"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "ops",
        "groupLabels": {"alertname": "FleetDeviceOffline", "source": "edge-prod", "group": "Lyon"},
        "commonLabels": {"alertname": "FleetDeviceOffline", "source": "edge-prod", "group": "Lyon"},
        "commonAnnotations": {},
        "externalURL": "https://fleet.example.com/",
        "alerts": [
            {
                "status": "firing",
                "labels": {
                    "alertname": "FleetDeviceOffline",
                    "severity": "warning",
                    "source": "edge-prod",
                    "vendor": "jfrog-connect",
                    "device": "d-0a1b-0011",
                    "group": "Lyon",
                },
                "annotations": {"name": "gate-17", "last_seen": "2026-11-20T14:02:00+00:00"},
                "startsAt": "2026-11-20T14:02:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "https://fleet.example.com/#0000000000000011",
                "fingerprint": "0000000000000011",
                "events": [{"id": 57, "type": "fleet.device.went_offline"}],
                "new": True,
                "late": False,
            }
        ],
        "reason": "first",
    }


def test_both_formats_carry_the_same_data(notification: Told, device: Device) -> None:
    told = notification(device(17), device(18))

    assert event(told)["data"] == bare(told)


def test_the_documented_example_has_the_fields_that_are_sent(notification: Told, device: Device) -> None:
    sent = event(notification(device(17)))

    [example] = re.findall(r"```json\n(.*?)```", DOCS.read_text(), re.DOTALL)

    documented = json.loads(example)
    assert documented.keys() == sent.keys()
    assert documented["data"].keys() == sent["data"].keys()
    assert documented["data"]["alerts"][0].keys() == sent["data"]["alerts"][0].keys()


def test_the_documented_reasons_of_ends_are_those_there_are() -> None:
    [row] = [line for line in DOCS.read_text().splitlines() if line.startswith("| `alerts[].endReason`")]

    assert re.findall(r"`([a-z ]+)`", row) == list(EndReason)


def test_what_identifies_is_never_redacted(notification: Told, device: Device) -> None:
    told = notification(device(17, annotations={"description": "edge-prod is edge-prod"}))

    raw = render(told, dress=WebhookFormat.CLOUDEVENTS, redact=lambda text: text.replace("edge-prod", "***"))
    envelope = json.loads(raw)

    body = envelope["data"]
    alert = body["alerts"][0]
    assert envelope["subject"] == event(told)["subject"]
    assert (body["groupKey"], body["groupLabels"]) == (told.group_key, told.group_labels)
    assert (body["commonLabels"], alert["labels"]) == (told.common_labels, told.alerts[0].labels)
    assert alert["annotations"]["description"] == "*** is ***"


def test_an_end_carries_its_time_and_reason(notification: Told, device: Device, now: datetime) -> None:
    ended = device(17, status=AlertStatus.RESOLVED, end_reason=EndReason.WENT_MISSING, ends_at=now)

    [alert] = bare(notification(ended, status=AlertStatus.RESOLVED))["alerts"]

    assert (alert["status"], alert["endsAt"], alert["endReason"]) == (
        "resolved",
        "2026-11-20T14:08:00Z",
        "went missing",
    )


def test_a_body_holds_1000_alerts_and_counts_the_rest(notification: Told, device: Device) -> None:
    body = bare(notification(*(device(number) for number in range(10_000))))

    assert len(body["alerts"]) == 1_000
    assert body["truncatedAlerts"] == 9_000


def test_where_alerts_must_go_those_told_before_go_first(notification: Told, device: Device) -> None:
    known = [device(number, new=False) for number in range(1_500)]
    news = [device(number) for number in range(1_500, 1_510)]

    alerts = bare(notification(*known, *news))["alerts"]

    prints = [int(alert["fingerprint"], 16) for alert in alerts]
    assert prints == [*range(990), *range(1_500, 1_510)]


def test_a_body_stays_below_a_megabyte_however_long_the_texts(notification: Told, device: Device) -> None:
    long = {"description": "x" * 10_000}

    raw = render(
        notification(*(device(number, annotations=long) for number in range(1_000))),
        dress=WebhookFormat.CLOUDEVENTS,
        redact=str,
    )

    body = json.loads(raw)["data"]
    assert len(raw) < 1_000_000
    assert len(body["alerts"]) + body["truncatedAlerts"] == 1_000
    assert len(body["alerts"]) > 100


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(st.characters(exclude_categories=()), max_size=30)))
def test_any_label_makes_a_subject_without_control_characters(labels: dict[str, str]) -> None:
    told = Notification(
        id="dl-1",
        receiver="ops",
        group_key="",
        group_labels=labels,
        common_labels=labels,
        common_annotations=labels,
        status=AlertStatus.FIRING,
        reason=NotifyReason.FIRST,
        alerts=(),
        at=datetime.fromisoformat("2026-11-20T14:08:00+00:00"),
        text="",
    )

    subject = event(told)["subject"]

    assert subject.startswith("{")
    assert subject.endswith("}")
    assert subject.isprintable()


def test_equal_groups_have_equal_subjects_whatever_their_order(notification: Told) -> None:
    first = event(notification(group_labels={"a": '1"\\\n', "b": "2"}))
    second = event(notification(group_labels={"b": "2", "a": '1"\\\n'}))

    assert first["subject"] == second["subject"] == '{a="1\\"\\\\\\n", b="2"}'


@pytest.mark.parametrize(
    ("dress", "media_type"),
    [(WebhookFormat.CLOUDEVENTS, "application/cloudevents+json"), (WebhookFormat.ALERTMANAGER, "application/json")],
)
def test_the_media_type_is_that_of_the_bytes(notification: Told, dress: WebhookFormat, media_type: str) -> None:
    assert content_type(render(notification(), dress=dress, redact=str)) == media_type


def test_the_note_on_an_end_is_sent_where_there_is_one(notification: Told, device: Device, now: datetime) -> None:
    moved = device(17, status=AlertStatus.RESOLVED, end_reason=EndReason.MOVED, end_note="edge-test", ends_at=now)
    back = device(18, status=AlertStatus.RESOLVED, end_reason=EndReason.CAME_BACK, ends_at=now)

    alerts = event(notification(moved, back, status=AlertStatus.RESOLVED))["data"]["alerts"]

    assert [alert.get("endNote") for alert in alerts] == ["edge-test", None]
