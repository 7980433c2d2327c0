"""The simulated receivers: Slack's incoming webhook, and a webhook that remembers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio

from fleetpulse.simulator import SlackReceiver, WebhookReceiver, serve
from fleetpulse.simulator.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOOK = "/services/T0/B0/secret"


@dataclass
class Slack:
    receiver: SlackReceiver
    url: str
    client: aiohttp.ClientSession

    async def post(self, body: Any) -> tuple[int, str]:
        async with self.client.post(self.url + HOOK, json=body) as answer:
            return answer.status, await answer.text()


@dataclass
class Webhook:
    receiver: WebhookReceiver
    url: str
    client: aiohttp.ClientSession

    async def post(self, body: bytes, webhook_id: str = "n-1") -> int:
        async with self.client.post(self.url + "/hook", data=body, headers={"Webhook-Id": webhook_id}) as answer:
            return answer.status


@pytest_asyncio.fixture
async def slack(client: aiohttp.ClientSession) -> AsyncIterator[Slack]:
    receiver = SlackReceiver()
    async with serve(receiver) as url:
        yield Slack(receiver, url, client)


@pytest_asyncio.fixture
async def webhook(client: aiohttp.ClientSession) -> AsyncIterator[Webhook]:
    receiver = WebhookReceiver()
    async with serve(receiver) as url:
        yield Webhook(receiver, url, client)


def words(n: int, kind: str = "mrkdwn") -> dict[str, str]:
    return {"type": kind, "text": "x" * n}


def section(n: int) -> dict[str, Any]:
    return {"type": "section", "text": words(n)}


async def test_slack_takes_a_message(slack: Slack) -> None:
    answer = await slack.post({"text": "hello"})

    assert answer == (200, "ok")
    assert [(message.path, message.body) for message in slack.receiver.messages] == [(HOOK, {"text": "hello"})]


@pytest.mark.parametrize("raw", [b"", b"hello", b"[]", b'"text"', b"\xff"])
async def test_slack_refuses_what_is_no_json_object(slack: Slack, raw: bytes) -> None:
    async with slack.client.post(slack.url + HOOK, data=raw) as answer:
        assert (answer.status, await answer.text()) == (400, "invalid_payload")


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "", "blocks": []}, {"username": "x"}])
async def test_slack_refuses_a_message_without_words(slack: Slack, body: dict[str, Any]) -> None:
    assert await slack.post(body) == (400, "no_text")


GOOD = {
    "fifty blocks": [{"type": "divider"}] * 50,
    "a full section": [section(3000)],
    "a full header": [{"type": "header", "text": words(150, "plain_text")}],
    "a full context": [{"type": "context", "elements": [words(5)] * 10}],
    "full fields": [{"type": "section", "fields": [words(1000)] * 10}],
    "a long field": [{"type": "section", "fields": [words(2000)]}],
    "twelve thousand": [section(3000)] * 4,
    "a button": [{"type": "actions", "elements": [{"type": "button", "text": words(75, "plain_text")}]}],
}
BAD = {
    "too many blocks": [{"type": "divider"}] * 51,
    "a long section": [section(3001)],
    "an empty section": [section(0)],
    "a section of nothing": [{"type": "section"}],
    "a long header": [{"type": "header", "text": words(151, "plain_text")}],
    "a header in markdown": [{"type": "header", "text": words(5, "mrkdwn")}],
    "a crowded context": [{"type": "context", "elements": [words(5)] * 11}],
    "a context of nothing": [{"type": "context", "elements": []}],
    "too many fields": [{"type": "section", "fields": [words(5)] * 11}],
    "a long field": [{"type": "section", "fields": [words(2001)]}],
    "too much in all": [section(3000)] * 4 + [section(1)],
    "a long button": [{"type": "actions", "elements": [{"type": "button", "text": words(76, "plain_text")}]}],
    "an unknown block": [{"type": "banner"}],
    "no type": [{}],
    "no object": ["divider"],
    "no list": {"type": "divider"},
}


@pytest.mark.parametrize("blocks", GOOD.values(), ids=GOOD)
async def test_slack_takes_blocks_up_to_their_limits(slack: Slack, blocks: Any) -> None:
    assert await slack.post({"blocks": blocks}) == (200, "ok")


@pytest.mark.parametrize("blocks", BAD.values(), ids=BAD)
async def test_slack_refuses_blocks_past_their_limits(slack: Slack, blocks: Any) -> None:
    assert await slack.post({"text": "", "blocks": blocks}) == (400, "invalid_blocks")
    assert slack.receiver.messages == []
    assert slack.receiver.refused == ["invalid_blocks"]


@pytest.mark.parametrize(
    ("word", "status"),
    [("channel_is_archived", 410), ("invalid_token", 403), ("no_service", 404), ("rate_limited", 429)],
)
async def test_slack_refuses_for_its_own_reasons(slack: Slack, word: str, status: int) -> None:
    slack.receiver.refuse_next(word)

    assert await slack.post({"text": "hello"}) == (status, word)
    assert await slack.post({"text": "hello"}) == (200, "ok")


async def test_slack_keeps_its_pace(slack: Slack) -> None:
    slack.receiver.set_pace(burst=2)

    statuses = [(await slack.post({"text": "hello"}))[0] for _ in range(4)]

    assert statuses == [200, 200, 429, 429]
    assert slack.receiver.rude == 2


async def test_messages_are_read_from_outside_past_a_number(slack: Slack) -> None:
    for text in ("one", "two", "three"):
        await slack.post({"text": text})

    async with slack.client.get(slack.url + "/_control/messages?after=1") as answer:
        mail = await answer.json()

    assert mail["total"] == 3
    assert [(message["number"], message["body"]["text"]) for message in mail["messages"]] == [(2, "two"), (3, "three")]


async def test_the_webhook_remembers_bodies_headers_and_ids(webhook: Webhook) -> None:
    for body, webhook_id in ((b"one", "n-1"), (b"again", "n-1"), (b"two", "n-2")):
        await webhook.post(body, webhook_id)

    assert [(each.headers["webhook-id"], each.body) for each in webhook.receiver.received] == [
        ("n-1", b"one"), ("n-1", b"again"), ("n-2", b"two"),
    ]  # fmt: skip
    assert webhook.receiver.ids == {"n-1": 2, "n-2": 1}
    assert webhook.receiver.unique() == {"n-1": b"one", "n-2": b"two"}


async def test_the_webhook_answers_with_another_status(webhook: Webhook) -> None:
    webhook.receiver.set_status(202)

    assert await webhook.post(b"{}") == 202


async def test_the_webhook_takes_a_body_then_resets(webhook: Webhook) -> None:
    webhook.receiver.reset_after_read_next(1)

    with pytest.raises(aiohttp.ClientConnectionError):
        await webhook.post(b"one")
    status = await webhook.post(b"two")

    assert status == 200
    assert [each.body for each in webhook.receiver.received] == [b"one", b"two"]


async def test_what_a_fault_refuses_is_not_received(webhook: Webhook) -> None:
    webhook.receiver.faults.fail_next(status=500)

    assert await webhook.post(b"one") == 500
    assert webhook.receiver.received == []


async def test_held_bodies_are_received_at_once_and_answered_on_release(webhook: Webhook) -> None:
    webhook.receiver.hold()
    asked = [asyncio.ensure_future(webhook.post(b"one")) for _ in range(3)]
    await webhook.receiver.received.reached(3)
    before = [each.done() for each in asked]

    async with webhook.client.post(webhook.url + "/_control/release") as answer:
        assert answer.status == 200

    assert before == [False] * 3
    assert await asyncio.gather(*asked) == [200] * 3


async def test_a_slow_answer_does_not_delay_the_receipt(webhook: Webhook) -> None:
    webhook.receiver.faults.slow(5)

    with pytest.raises(TimeoutError):
        await webhook.client.post(webhook.url, data=b"one", timeout=aiohttp.ClientTimeout(total=0.2))

    assert [each.body for each in webhook.receiver.received] == [b"one"]


async def test_deliveries_are_read_from_outside_with_their_headers(webhook: Webhook) -> None:
    await webhook.post(b'{"a": 1}', "n-7")

    async with webhook.client.get(webhook.url + "/_control/messages") as answer:
        (message,) = (await answer.json())["messages"]

    assert (message["number"], message["headers"]["webhook-id"], message["body"]) == (1, "n-7", '{"a": 1}')


def test_a_full_mailbox_drops_the_oldest_and_keeps_counting() -> None:
    mailbox: Mailbox[int] = Mailbox()
    for number in range(1, 100_002):
        mailbox.put(number)

    assert (mailbox.total, len(mailbox)) == (100_001, 90_001)
    assert mailbox.past(99_999) == [(100_000, 100_000), (100_001, 100_001)]
    assert mailbox.past(0)[0] == (10_001, 10_001)
