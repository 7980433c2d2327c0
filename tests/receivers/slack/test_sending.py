"""What Slack's own answers mean, played by its look-alike."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from fleetpulse.alerting.notification import Notification, ToldAlert
from fleetpulse.outbound import Outbound
from fleetpulse.receivers.contract import Delivered, Refused, Retry
from fleetpulse.receivers.slack import SlackReceiver, SlackSettings
from fleetpulse.secrets import Redactor
from fleetpulse.simulator.serve import serve
from fleetpulse.simulator.slack import SlackReceiver as LookAlike


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[tuple[LookAlike, str]]:
    party = LookAlike()
    async with serve(party) as url:
        yield party, f"{url}/services/T0/B0/x"


@pytest.fixture
def receiver(slack: tuple[LookAlike, str], outbound: Outbound, redactor: Redactor) -> SlackReceiver:
    settings = SlackSettings.model_validate({"name": "ops", "webhook_url": slack[1]})
    return SlackReceiver(settings, outbound=outbound, redactor=redactor)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("invalid_token", "unauthorized"),
        ("action_prohibited", "unauthorized"),
        ("posting_to_general_channel_denied", "unauthorized"),
        ("no_service", "gone"),
        ("no_team", "gone"),
        ("team_disabled", "gone"),
        ("channel_is_archived", "gone"),
        ("channel_not_found", "gone"),
        ("user_not_found", "gone"),
    ],
)
async def test_a_webhook_that_will_never_work_again_is_refused_with_its_cure(
    slack: tuple[LookAlike, str], receiver: SlackReceiver, word: str, reason: str
) -> None:
    slack[0].refuse_next(word)

    outcome = await receiver.send("dl-1", b'{"text":"hello"}')

    assert isinstance(outcome, Refused)
    assert outcome.reason == reason
    assert f": {word}, " in outcome.detail


async def test_a_message_that_slack_does_not_understand_is_refused(receiver: SlackReceiver) -> None:
    outcome = await receiver.send("dl-1", b"no JSON")

    assert isinstance(outcome, Refused)
    assert outcome.reason == "client_error"


@pytest.mark.parametrize(("word", "reason"), [("rollup_error", "server_error"), ("rate_limited", "rate_limited")])
async def test_trouble_inside_slack_is_tried_again(
    slack: tuple[LookAlike, str], receiver: SlackReceiver, word: str, reason: str
) -> None:
    slack[0].refuse_next(word)

    outcome = await receiver.send("dl-1", b'{"text":"hello"}')

    assert isinstance(outcome, Retry)
    assert outcome.reason == reason


@pytest.mark.parametrize("body", ["ok", " ok\n", '{"ok": true}', '{"ok": true, "ts": "1.2"}'])
async def test_only_a_yes_is_a_delivery(slack: tuple[LookAlike, str], receiver: SlackReceiver, body: str) -> None:
    slack[0].faults.fail_next(1, 200, body)

    outcome = await receiver.send("dl-1", b'{"text":"hello"}')

    assert outcome == Delivered(200)


@pytest.mark.parametrize(
    ("body", "outcome_type", "reason"),
    [
        ('{"ok": false, "error": "channel_is_archived"}', Refused, "gone"),
        ('{"ok": false, "error": "invalid_blocks"}', Refused, "client_error"),
        ("no_service", Refused, "gone"),
        ('{"ok": false, "error": "internal_error"}', Retry, "server_error"),
        ('{"ok": false, "error": "ratelimited"}', Retry, "rate_limited"),
        ('{"ok": "true"}', Retry, "server_error"),
        ('{"ok": false, "error": ["a"]}', Retry, "server_error"),
        ("<html>please sign in</html>", Retry, "server_error"),
        ("[]", Retry, "server_error"),
        ("", Retry, "server_error"),
    ],
)
async def test_a_200_that_says_no_is_no_delivery(
    slack: tuple[LookAlike, str], receiver: SlackReceiver, body: str, outcome_type: type, reason: str
) -> None:
    slack[0].faults.fail_next(1, 200, body)

    outcome = await receiver.send("dl-1", b'{"text":"hello"}')

    assert isinstance(outcome, outcome_type)
    assert isinstance(outcome, Refused | Retry)
    assert outcome.reason == reason


async def test_what_is_posted_is_the_message_as_it_was_made(
    slack: tuple[LookAlike, str],
    receiver: SlackReceiver,
    notification: Callable[..., Notification],
    device: Callable[..., ToldAlert],
) -> None:
    message = receiver.message(notification(device(17)))

    await receiver.send("dl-1", message)

    assert slack[0].messages[0].path == "/services/T0/B0/x"
    assert slack[0].messages[0].body["blocks"][0]["type"] == "header"


def test_slack_cannot_tell_a_second_delivery_and_takes_one_a_second(receiver: SlackReceiver) -> None:
    assert receiver.dedupes is False
    assert str(receiver.rate) == "1/s"
