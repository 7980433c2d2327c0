"""What a webhook receiver's settings refuse, without telling a secret."""

from typing import Any

import pytest

from fleetpulse.receivers.webhook import WebhookSettings

URL = "https://hooks.example.com/not-real"
SECRET = "whsec_bm90IGEgcmVhbCBzZWNyZXQ="


@pytest.mark.parametrize(
    "given",
    [
        {"url": URL},
        {"url": "http://alerts.internal:8080/hook"},
        {"url_file": "/run/secrets/url", "secret_file": "/run/secrets/key"},
        {"url": URL, "secret": "whsec_bm90IGEgcmVhbCBzZWNyZXQ="},
        {"url": URL, "secret": "bm90IGEgcmVhbCBzZWNyZXQ"},
        {"url": URL, "secret": "bm90IGEgcmVhbCBzZWNyZXQ", "secret_previous": "b2xkIGFuZCBub3QgcmVhbA=="},
        {"url": URL, "secret_file": "/run/secrets/key", "secret_previous_file": "/run/secrets/old-key"},
        {"url": URL, "headers": {"Authorization": "Bearer x", "X-Team": ""}},
        {"url": URL, "format": "alertmanager"},
    ],
)
def test_what_can_be_sent_is_fine(given: dict[str, Any]) -> None:
    settings = WebhookSettings.model_validate({"name": "ops", **given})

    assert settings.problems() == []


@pytest.mark.parametrize(
    ("given", "field", "part"),
    [
        ({}, "url", "is missing"),
        ({"url": URL, "url_file": "x"}, "url", "is given twice"),
        ({"url": "hooks.example.com"}, "url", "is not a URL"),
        ({"url": URL, "secret": "not-real", "secret_file": "x"}, "secret", "is given twice"),
        ({"url": URL, "secret": "not-real!"}, "secret", "is no signing secret"),
        ({"url": URL, "secret": "whsec_"}, "secret", "is no signing secret"),
        ({"url": URL, "secret": SECRET, "secret_previous": "not-real!"}, "secret_previous", "is no signing secret"),
        (
            {"url": URL, "secret": SECRET, "secret_previous": SECRET, "secret_previous_file": "x"},
            "secret_previous",
            "keep either secret_previous or secret_previous_file",
        ),
        ({"url": URL, "secret_previous": SECRET}, "secret_previous", "is given without secret"),
        ({"url": URL, "secret_previous_file": "x"}, "secret_previous", "is given without secret"),
        ({"url": URL, "headers": {"Webhook-Id": "x"}}, "headers", "Webhook-Id is set by fleetpulse"),
        ({"url": URL, "headers": {"Content-Type": "x"}}, "headers", "Content-Type is set by fleetpulse"),
        ({"url": URL, "headers": {"X-A": "not-real\r\nX-B: 1"}}, "headers", "'X-A' is not a header"),
        ({"url": URL, "headers": {"X A": "not-real"}}, "headers", "'X A' is not a header"),
    ],
)
def test_what_cannot_be_sent_is_a_problem_with_its_cure(given: dict[str, Any], field: str, part: str) -> None:
    settings = WebhookSettings.model_validate({"name": "ops", **given})

    [problem] = settings.problems()

    assert problem[0] == field
    assert part in problem[1]
    assert "not-real" not in problem[1]


def test_no_secret_is_in_what_the_settings_show() -> None:
    given = {"name": "ops", "url": URL, "secret": "bm90LXJlYWw=", "headers": {"Authorization": "Bearer not-real"}}
    settings = WebhookSettings.model_validate(given)

    shown = f"{settings!r}{settings}{settings.model_dump_json()}"

    assert "not-real" not in shown
    assert "bm90" not in shown
