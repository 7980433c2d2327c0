"""What a Slack receiver's settings refuse, without telling the URL."""

from typing import Any

import pytest
from pydantic import ValidationError

from fleetpulse.receivers.slack import SlackSettings

URL = "https://hooks.slack.com/services/T0EXAMPLE/B0EXAMPLE/not-real"


@pytest.mark.parametrize(
    "given",
    [
        {"webhook_url": URL},
        {"webhook_url_file": "/run/secrets/slack"},
        {"webhook_url": "http://127.0.0.1:8080/services/x"},
        {"webhook_url": "http://localhost/services/x"},
        {"webhook_url": "http://[::1]:80/services/x"},
    ],
)
def test_one_url_over_https_or_on_the_loopback_is_fine(given: dict[str, Any]) -> None:
    settings = SlackSettings.model_validate({"name": "ops", **given})

    assert settings.problems() == []


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({}, "is missing"),
        ({"webhook_url": URL, "webhook_url_file": "x"}, "is given twice"),
        ({"webhook_url": "http://hooks.slack.com/services/x"}, "is not https"),
        ({"webhook_url": "http://127.0.0.1.example.com/services/x"}, "is not https"),
        ({"webhook_url": "hooks.slack.com/services/x"}, "is not a URL"),
        ({"webhook_url": f"{URL} "}, "is not a URL"),
        ({"webhook_url": ""}, "is not a URL"),
    ],
)
def test_what_cannot_be_posted_to_is_a_problem_with_its_cure(given: dict[str, Any], part: str) -> None:
    settings = SlackSettings.model_validate({"name": "ops", **given})

    [(field, text)] = settings.problems()

    assert field == "webhook_url"
    assert part in text
    assert "services" not in text


def test_the_url_is_not_in_what_the_settings_show() -> None:
    settings = SlackSettings.model_validate({"name": "ops", "webhook_url": URL})

    assert "not-real" not in f"{settings!r}{settings}{settings.model_dump_json()}"


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="chanel"):
        SlackSettings.model_validate({"name": "ops", "webhook_url": URL, "chanel": "#ops"})
