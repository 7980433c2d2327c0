"""What every receiver promises, tried on each of them over real HTTP."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from fleetpulse.alerting.notification import AlertStatus, EndReason, Notification, ToldAlert
from fleetpulse.outbound import Outbound
from fleetpulse.receivers.contract import Delivered, Receiver, Refused, Retry
from fleetpulse.receivers.slack import SlackReceiver, SlackSettings
from fleetpulse.receivers.webhook import WebhookReceiver, WebhookSettings
from fleetpulse.secrets import Redactor
from fleetpulse.simulator.serve import serve
from fleetpulse.simulator.slack import SlackReceiver as SlackLookAlike
from fleetpulse.simulator.webhook import WebhookReceiver as WebhookLookAlike

TOKEN = "T0EXAMPLE/B0EXAMPLE/not-a-real-token"
BEARER = "not-a-real-bearer"
SIGNING = "whsec_bm90IGEgcmVhbCBzZWNyZXQgYXQgYWxs"

Party = SlackLookAlike | WebhookLookAlike
Make = Callable[..., Receiver]
Told = Callable[..., Notification]
Device = Callable[..., ToldAlert]


@pytest.fixture(params=["slack", "webhook"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def party(kind: str) -> Party:
    return SlackLookAlike() if kind == "slack" else WebhookLookAlike()


@pytest_asyncio.fixture
async def url(party: Party) -> AsyncIterator[str]:
    async with serve(party) as base:
        yield f"{base}/services/{TOKEN}"


@pytest.fixture
def make(kind: str, outbound: Outbound, redactor: Redactor) -> Make:
    """Makes the receiver under test, by URL or by a file that holds it."""

    def made(url: str | None = None, *, file: Path | None = None, timeout_s: float = 10.0) -> Receiver:
        common: dict[str, Any] = {"outbound": outbound, "redactor": redactor, "timeout_s": timeout_s}
        if kind == "slack":
            slack = SlackSettings.model_validate({"name": "ops", "webhook_url": url, "webhook_url_file": file})
            return SlackReceiver(slack, **common)
        fields = {"name": "ops", "url": url, "url_file": file, "secret": SIGNING}
        headers = {"Authorization": f"Bearer {BEARER}"}
        return WebhookReceiver(WebhookSettings.model_validate({**fields, "headers": headers}), **common)

    return made


@pytest.fixture
def payload(make: Make, url: str, notification: Told, device: Device) -> bytes:
    return make(url).message(notification(device(17)))


def texts_of(outcome: object) -> str:
    return f"{outcome!r}{getattr(outcome, 'detail', '')}"


async def test_an_answer_that_says_yes_is_a_delivery(make: Make, url: str, payload: bytes) -> None:
    outcome = await make(url).send("dl-0001", payload)

    assert outcome == Delivered(200)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (302, "server_error"),
        (303, "server_error"),
        (307, "server_error"),
        (408, "timeout"),
        (425, "server_error"),
        (429, "rate_limited"),
        (500, "server_error"),
        (501, "server_error"),
        (502, "server_error"),
        (503, "server_error"),
        (504, "server_error"),
        (599, "server_error"),
    ],
)
async def test_trouble_that_passes_is_tried_again(
    make: Make, party: Party, url: str, payload: bytes, *, status: int, reason: str
) -> None:
    party.faults.fail_next(1, status, "unlucky")

    outcome = await make(url).send("dl-0001", payload)

    assert isinstance(outcome, Retry)
    assert outcome.reason == reason
    assert f"127.0.0.1 answered {status}" in outcome.detail


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (301, "client_error"),
        (308, "client_error"),
        (400, "client_error"),
        (401, "unauthorized"),
        (403, "unauthorized"),
        (404, "client_error"),
        (405, "client_error"),
        (407, "unauthorized"),
        (410, "gone"),
        (413, "client_error"),
        (422, "client_error"),
    ],
)
async def test_an_answer_that_will_not_change_is_a_refusal(
    make: Make, party: Party, url: str, payload: bytes, *, status: int, reason: str
) -> None:
    party.faults.fail_next(1, status, "unlucky")

    outcome = await make(url).send("dl-0001", payload)

    assert isinstance(outcome, Refused)
    assert outcome.reason == reason
    assert f"127.0.0.1 answered {status}" in outcome.detail


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(make: Make, party: Party, url: str, payload: bytes, status: int) -> None:
    party.faults.fail_next(1, status, "", {"Location": url})

    outcome = await make(url).send("dl-0001", payload)

    assert not isinstance(outcome, Delivered)
    assert len(party.requests) == 1
    assert re.search("redirects are not followed|moved for good: set the new URL", outcome.detail)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_pause_asked_for_in_seconds_is_passed_on(
    make: Make, party: Party, url: str, payload: bytes, status: int
) -> None:
    party.faults.fail_next(1, status, "later", {"Retry-After": "17"})

    outcome = await make(url).send("dl-0001", payload)

    assert isinstance(outcome, Retry)
    assert outcome.retry_after_s == 17


async def test_a_pause_asked_for_as_a_date_is_passed_on(make: Make, party: Party, url: str, payload: bytes) -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True)
    party.faults.fail_next(1, 429, "later", {"Retry-After": then})

    outcome = await make(url).send("dl-0001", payload)

    assert isinstance(outcome, Retry)
    assert outcome.retry_after_s is not None
    assert 1700 < outcome.retry_after_s <= 1800


@pytest.mark.parametrize("nonsense", ["soon", "-5", "nan", "Fri, 99 Nov 2026 99:00:00 GMT"])
async def test_a_pause_that_makes_no_sense_counts_as_absent(
    make: Make, party: Party, url: str, payload: bytes, nonsense: str
) -> None:
    party.faults.fail_next(1, 429, "later", {"Retry-After": nonsense})

    outcome = await make(url).send("dl-0001", payload)

    assert isinstance(outcome, Retry)
    assert outcome.retry_after_s is None


async def test_silence_ends_as_a_timeout(make: Make, party: Party, url: str, payload: bytes) -> None:
    party.faults.hang_next()

    outcome = await make(url, timeout_s=0.2).send("dl-0001", payload)

    assert isinstance(outcome, Retry)
    assert outcome.reason == "timeout"


async def test_a_reset_connection_is_tried_again(make: Make, party: Party, url: str, payload: bytes) -> None:
    party.faults.reset_next()

    outcome = await make(url).send("dl-0001", payload)

    assert isinstance(outcome, Retry)
    assert outcome.reason == "unreachable"


async def test_an_answer_larger_than_anyone_needs_is_not_read(
    make: Make, party: Party, url: str, payload: bytes
) -> None:
    party.faults.fail_next(1, 500, b"x" * 3_000_000)

    outcome = await make(url).send("dl-0001", payload)

    assert isinstance(outcome, Retry)
    assert outcome.reason == "server_error"


async def test_a_cancelled_try_ends_at_once_and_the_next_one_works(
    make: Make, party: Party, url: str, payload: bytes
) -> None:
    receiver = make(url)
    party.faults.hang_next()
    trying = asyncio.create_task(receiver.send("dl-0001", payload), name="try")
    while not party.requests:  # noqa: ASYNC110 - the look-alike offers no event for the arrival of a request
        await asyncio.sleep(0.001)

    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
    outcome = await receiver.send("dl-0001", payload)

    assert isinstance(outcome, Delivered)


async def test_no_outcome_tells_a_secret_that_the_answer_echoes(
    make: Make, party: Party, url: str, payload: bytes
) -> None:
    receiver = make(url)
    path = url.split("/", 3)[3]
    echo = f"Cannot POST /{path} ({url})"
    if isinstance(receiver, WebhookReceiver):  # Slack is given no other secret
        echo += f", authorization Bearer {BEARER}, token {BEARER}, signed with {SIGNING}"
    outcomes = []
    for status in (200, 302, 403, 404, 429, 500):
        party.faults.fail_next(1, status, echo)
        outcomes.append(await receiver.send("dl-0001", payload))
        party.faults.fail_next(1, status, "x" * 190 + url)
        outcomes.append(await receiver.send("dl-0001", payload))

    told = "".join(map(texts_of, outcomes))

    assert "Cannot POST" in told
    assert not [piece for piece in (url, TOKEN, "T0EXAMPLE", "not-a-real", SIGNING) if piece in told]


async def test_no_outcome_tells_a_secret_when_nobody_answers(make: Make, payload: bytes) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound but not listening: a connection is refused
        closed = f"http://127.0.0.1:{bound.getsockname()[1]}/services/{TOKEN}"
        outcome = await make(closed).send("dl-0001", payload)

    assert isinstance(outcome, Retry)
    assert outcome.reason == "unreachable"
    assert "not-a-real-token" not in texts_of(outcome)


async def test_a_known_secret_in_a_vendors_words_is_blanked(
    make: Make, url: str, redactor: Redactor, notification: Told, device: Device
) -> None:
    redactor.learn("hunter2hunter2")
    words = {"name": "gate hunter2hunter2", "output": "login hunter2hunter2", "summary": "hunter2hunter2"}

    message = make(url).message(
        notification(
            device(1, annotations=words),
            detail="with hunter2hunter2",
            text="hunter2hunter2",
            common_annotations={"summary": "hunter2hunter2"},
        )
    )

    assert b"hunter2" not in message
    assert b"***" in message


@pytest.mark.parametrize("path", ["/fleetpulse", "/hooks/edge-prod/alerts", "/v2/incoming-webhook?source=edge-prod"])
def test_words_that_a_url_happens_to_hold_are_not_blanked(make: Make, redactor: Redactor, path: str) -> None:
    make(f"https://hooks.example.com{path}")

    text = "fleetpulse cannot read edge-prod: alerts wait for the incoming-webhook"
    assert redactor.redact(text) == text


@pytest.mark.parametrize(
    ("url", "echo"),
    [
        ("https://hooks.example.com/services/T0EXAMPLE/B0EXAMPLE/x", "/services/T0EXAMPLE/B0EXAMPLE/x"),
        ("https://hooks.example.com/services/T0EXAMPLE/x", "no team T0EXAMPLE"),
        ("https://hooks.example.com/hook?token=abcd&team=edge", "token abcd"),
        ("https://hooks.example.com/hook?token=abcd&team=edge", "token=abcd&team=edge"),
        ("https://hooks.example.com/hook?id=0a1B2c3D4e&team=edge", "/hook?id=0a1B2c3D4e&team=edge"),
        ("https://hooks.example.com/key%2D0a1B2c3D", "key-0a1B2c3D"),
        ("https://0a1B2c3D4e:hush@hooks.example.com/hook", "user 0a1B2c3D4e"),
        ("https://me:hush-hush@hooks.example.com/hook", "password hush-hush"),
    ],
)
def test_what_of_a_url_is_secret_is_blanked_on_its_own(make: Make, redactor: Redactor, url: str, echo: str) -> None:
    make(url)

    assert not set(re.findall(r"T0EXAMPLE|abcd|[0-9]a1B2c3D|hush", redactor.redact(f"{echo} {url}")))


async def test_a_changed_url_file_counts_from_the_next_try(
    make: Make, party: Party, url: str, payload: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "url"
    file.write_text(url)
    receiver = make(file=file)

    file.write_text(f"{url}-rotated")
    await receiver.send("dl-0001", payload)

    assert [seen.path for seen in party.requests] == [f"/services/{TOKEN}-rotated"]


async def test_an_unreadable_url_file_leaves_the_last_url_in_use(
    make: Make, url: str, payload: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "url"
    file.write_text(url)
    receiver = make(file=file)

    file.unlink()
    outcome = await receiver.send("dl-0001", payload)

    assert isinstance(outcome, Delivered)


@pytest.mark.parametrize(
    "content", ["not a url", "ftp://example.com/x", "https:///odd", "http://[::1", "http://h:99999/x"]
)
async def test_a_url_file_that_holds_no_url_is_tried_again_without_telling_it(
    make: Make, payload: bytes, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "url"
    file.write_text(content)

    outcome = await make(file=file).send("dl-0001", payload)

    assert isinstance(outcome, Retry)
    assert outcome.reason == "misconfigured"
    assert content not in outcome.detail


@pytest.mark.parametrize("count", [0, 1, 300, 10_000])
async def test_any_number_of_alerts_makes_a_message_that_is_taken(
    make: Make, url: str, notification: Told, device: Device, count: int
) -> None:
    receiver = make(url)

    message = receiver.message(notification(*(device(number) for number in range(count))))
    outcome = await receiver.send("dl-0001", message)

    assert isinstance(outcome, Delivered)
    assert len(message) < 1_000_000


@pytest.mark.parametrize("unit", ["x", "<!channel> ", "&", "*_~`", "\u202e", "\U0001f4a5", "\n", "\ud800", "```"])
@pytest.mark.parametrize("thing", ["device", "deployment"])
async def test_texts_of_ten_kilobytes_make_a_message_that_is_taken(
    make: Make, url: str, notification: Told, device: Device, *, thing: str, unit: str
) -> None:
    receiver = make(url)
    long = unit * (10_000 // len(unit))
    words = dict.fromkeys(("name", "summary", "description", "output"), long)
    words["runbook_url"] = f"https://wiki.example.com/{'x' * 470}"
    labels = {"device": "", thing: long, "group": long}
    ended = {"status": AlertStatus.RESOLVED, "end_reason": EndReason.WENT_MISSING, "ends_at": datetime.now(UTC)}
    alerts = [
        device(number, annotations=words, labels=labels, late=True, **({} if number < 300 else ended))
        for number in range(310)
    ]

    message = receiver.message(
        notification(*alerts, text=long, detail=long, group_labels={"group": long}, common_annotations=words)
    )
    outcome = await receiver.send("dl-0001", message)

    assert isinstance(outcome, Delivered), outcome
    assert len(message) < 1_000_000


def test_the_same_notification_makes_the_same_bytes(make: Make, notification: Told, device: Device) -> None:
    receiver = make("https://hooks.example.com/services/x")
    told = notification(*(device(number) for number in range(30)))

    first, second = receiver.message(told), receiver.message(told)

    assert first == second


async def test_deliveries_side_by_side_do_not_disturb_each_other(make: Make, url: str, payload: bytes) -> None:
    receiver = make(url)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(receiver.send(f"dl-{number}", payload), name="try") for number in range(20)]
    outcomes = [task.result() for task in tasks]

    assert outcomes == [Delivered(200)] * 20
