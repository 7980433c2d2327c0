"""Laws of the message: whatever a vendor writes, Slack takes it and nobody is called by it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from fleetpulse.alerting.notification import AlertStatus, EndReason, EventRef, Notification, NotifyReason, ToldAlert
from fleetpulse.receivers.slack.message import render
from fleetpulse.simulator.blocks import refusal

NASTY = st.sampled_from(
    ["<!channel>", "<@U0>", "&lt;!here&gt;", "```", "*", "_", "`", "\u202e", "\ud800", "\n", "<!date^0^{x}|", "|", ">"]
)
WORDS = st.lists(st.text(st.characters(exclude_categories=()), max_size=20) | NASTY, max_size=8).map("".join)
LONG = st.builds(lambda words, times: words * times, WORDS, st.sampled_from([1, 1, 1, 500]))
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - aware by timezones
THINGS = st.sampled_from(["device", "deployment", "bulk_job", "tunnel", "resource"])
ALERTS = st.builds(
    ToldAlert,
    fingerprint=LONG,
    status=st.sampled_from(AlertStatus),
    labels=st.dictionaries(THINGS | st.sampled_from(["alertname", "source", "group"]), LONG),
    annotations=st.dictionaries(
        st.sampled_from(["summary", "description", "runbook_url", "name", "since", "last_seen", "output", "devices"]),
        LONG | TIMES.map(datetime.isoformat),
    ),
    starts_at=TIMES,
    ends_at=st.none() | TIMES,
    end_reason=st.none() | st.sampled_from(EndReason),
    new=st.booleans(),
    late=st.booleans(),
    events=st.lists(st.builds(EventRef, id=st.integers(0, 9), type=LONG), max_size=2).map(tuple),
)
NOTIFICATIONS = st.builds(
    Notification,
    id=st.just("dl-1"),
    receiver=LONG,
    group_key=LONG,
    group_labels=st.dictionaries(st.sampled_from(["alertname", "source", "group"]), LONG),
    common_labels=st.just({}),
    common_annotations=st.dictionaries(st.just("runbook_url"), LONG | WORDS.map("https://x/{}".format)),
    status=st.sampled_from(AlertStatus),
    reason=st.sampled_from(NotifyReason),
    alerts=st.builds(
        lambda alerts, times: tuple(alerts) * times, st.lists(ALERTS, max_size=4), st.sampled_from([1, 1, 5, 40])
    ),
    at=TIMES,
    text=LONG,
    detail=LONG,
    firing=st.integers(0, 10**9),
    before=st.integers(0, 10**9),
    external_url=st.sampled_from(["", "https://fleet.example.com"]) | LONG,
)
# The only marks in mrkdwn: entities, times and links of ours.
OURS = re.compile(
    r"(?:[^<>&]|&(?:amp|lt|gt);|<!date\^\d+\^[^|<>&]*\|[^|<>&]*>|<https?://[^<>|\s]*\|(?:Why|Runbook)>)*", re.DOTALL
)


def texts(value: Any) -> Iterator[dict[str, str]]:
    """All text objects within the blocks."""
    if isinstance(value, dict) and value.get("type") in {"mrkdwn", "plain_text"}:
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)


@settings(max_examples=150)
@given(NOTIFICATIONS)
def test_slack_takes_every_message_and_nobody_is_called(told: Notification) -> None:
    message = json.loads(render(told, redact=str))

    assert refusal(message) is None
    assert len(message["blocks"]) <= 50
    for block in Block.parse_all(message["blocks"]):
        block.validate_json()
    for text in texts(message["blocks"]):
        if text["type"] == "plain_text":
            assert not set("<>\n\u202e") & set(text["text"])
        else:
            assert OURS.fullmatch(text["text"])
            assert text["text"].replace("```", "").count("`") == 0
            assert text["text"].count("```") in {0, 2}
    assert re.fullmatch(r"(?:[^<>&`*\n]|&(?:amp|lt|gt);)+", message["text"])


@settings(max_examples=30)
@given(NOTIFICATIONS)
def test_the_same_notification_makes_the_same_message(told: Notification) -> None:
    assert render(told, redact=str) == render(told, redact=str)
