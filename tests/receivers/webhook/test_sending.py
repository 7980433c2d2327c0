"""What travels with a webhook: its id, its time, its signature, the user's headers."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from fleetpulse.alerting.notification import Notification, ToldAlert
from fleetpulse.outbound import Outbound
from fleetpulse.receivers.contract import Delivered, Retry
from fleetpulse.receivers.webhook import WebhookReceiver, WebhookSettings
from fleetpulse.secrets import Redactor
from fleetpulse.simulator.serve import serve
from fleetpulse.simulator.webhook import Delivery
from fleetpulse.simulator.webhook import WebhookReceiver as LookAlike

SECRET = "whsec_bm90IGEgcmVhbCBzZWNyZXQgYXQgYWxs"
OTHER = "whsec_YW5vdGhlciBzZWNyZXQsIGVxdWFsbHkgZmFrZQ=="
DOCS = Path(__file__).parents[3] / "docs" / "receivers.md"

Make = Callable[..., WebhookReceiver]


@pytest_asyncio.fixture
async def hook() -> AsyncIterator[tuple[LookAlike, str]]:
    party = LookAlike()
    async with serve(party) as url:
        yield party, f"{url}/hook"


@pytest.fixture
def make(hook: tuple[LookAlike, str], outbound: Outbound, redactor: Redactor) -> Make:
    def made(**settings: Any) -> WebhookReceiver:
        given = WebhookSettings.model_validate({"name": "ops", "url": hook[1], **settings})
        return WebhookReceiver(given, outbound=outbound, redactor=redactor)

    return made


@pytest.fixture
def told(notification: Callable[..., Notification], device: Callable[..., ToldAlert]) -> Notification:
    return notification(device(17, annotations={"name": "Gerät 東京"}))


async def sent(hook: tuple[LookAlike, str], receiver: WebhookReceiver, told: Notification) -> Delivery:
    assert await receiver.send(told.id, receiver.message(told)) == Delivered(200)
    return hook[0].received[-1]


def snippet() -> Callable[[dict[str, str], bytes, str], dict[str, Any]]:
    """The `verify` of the documentation, as a reader would paste it."""
    [code] = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102 - our own page, which is what is tested
    verify: Callable[[dict[str, str], bytes, str], dict[str, Any]] = namespace["verify"]
    return verify


@pytest.mark.parametrize("secret", [SECRET, SECRET.removeprefix("whsec_"), OTHER, OTHER.rstrip("=")])
async def test_an_existing_library_verifies_what_is_signed(
    hook: tuple[LookAlike, str], make: Make, told: Notification, secret: str
) -> None:
    delivery = await sent(hook, make(secret=secret), told)

    event = Webhook(secret).verify(delivery.body, delivery.headers)

    assert event["id"] == "dl-0001"


@pytest.mark.parametrize("known", [SECRET, OTHER])
@pytest.mark.parametrize("by_file", [False, True])
async def test_while_a_secret_is_replaced_either_one_verifies(
    hook: tuple[LookAlike, str], make: Make, told: Notification, tmp_path: Path, *, known: str, by_file: bool
) -> None:
    (tmp_path / "previous").write_text(OTHER)
    previous = {"secret_previous_file": tmp_path / "previous"} if by_file else {"secret_previous": OTHER}
    delivery = await sent(hook, make(secret=SECRET, **previous), told)

    event = Webhook(known).verify(delivery.body, delivery.headers)

    assert event["id"] == "dl-0001"
    assert snippet()(delivery.headers, delivery.body, known) == event


async def test_another_secret_or_a_changed_body_does_not_verify(
    hook: tuple[LookAlike, str], make: Make, told: Notification
) -> None:
    delivery = await sent(hook, make(secret=SECRET), told)

    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(delivery.body, delivery.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(delivery.body + b" ", delivery.headers)


async def test_the_documented_lines_verify_what_is_signed(
    hook: tuple[LookAlike, str], make: Make, told: Notification
) -> None:
    delivery = await sent(hook, make(secret=SECRET), told)

    event = snippet()(delivery.headers, delivery.body, SECRET)

    assert event["id"] == "dl-0001"


async def test_the_documented_lines_refuse_a_forgery_and_a_replay(
    hook: tuple[LookAlike, str], make: Make, told: Notification
) -> None:
    delivery = await sent(hook, make(secret=SECRET), told)
    old = {**delivery.headers, "webhook-timestamp": "1700000000"}

    with pytest.raises(ValueError, match="forged"):
        snippet()(delivery.headers, delivery.body + b" ", SECRET)
    with pytest.raises(ValueError, match="old"):
        snippet()(old, delivery.body, SECRET)


async def test_id_and_time_travel_without_a_secret_too(
    hook: tuple[LookAlike, str], make: Make, told: Notification
) -> None:
    delivery = await sent(hook, make(), told)

    assert delivery.headers["webhook-id"] == "dl-0001"
    assert delivery.headers["webhook-timestamp"].isdigit()
    assert "webhook-signature" not in delivery.headers


async def test_a_second_try_has_the_same_id_and_bytes(
    hook: tuple[LookAlike, str], make: Make, told: Notification
) -> None:
    receiver = make(secret=SECRET)
    message = receiver.message(told)

    await receiver.send("dl-0001", message)
    await receiver.send("dl-0001", message)

    assert hook[0].ids == {"dl-0001": 2}
    assert hook[0].received[0].body == hook[0].received[1].body == message
    assert receiver.dedupes is True


async def test_the_users_headers_travel(hook: tuple[LookAlike, str], make: Make, told: Notification) -> None:
    delivery = await sent(hook, make(headers={"Authorization": "Bearer not-real", "X-Team": "edge"}), told)

    assert delivery.headers["authorization"] == "Bearer not-real"
    assert delivery.headers["x-team"] == "edge"


@pytest.mark.parametrize(
    ("name", "value", "echo"),
    [
        ("Authorization", "Bearer hush", "Bearer hush"),
        ("Authorization", "Bearer hush", "token hush"),
        ("authorization", "Basic bWU6aHVzaA==", "bWU6aHVzaA=="),
        ("Cookie", "session=hush", "session=hush"),
        ("X-Api-Key", "hush", "key hush"),
        ("X-Auth-Token", "hush", "hush"),
        ("X-Shared-Secret", "hush", "hush"),
        ("X-Signature", "hush", "hush"),
        ("X-Tenant", "0a1b2c3d4e5f60718293", "0a1b2c3d4e5f60718293"),
    ],
)
def test_a_header_that_is_a_secret_is_blanked(
    make: Make, redactor: Redactor, *, name: str, value: str, echo: str
) -> None:
    make(headers={name: value})

    assert redactor.redact(echo).removeprefix("token ").removeprefix("key ") in {"***", "Bearer ***"}


def test_a_header_that_is_a_word_blanks_nothing(make: Make, redactor: Redactor) -> None:
    make(headers={"X-Team": "edge", "Accept": "application/vnd.example.v2+json", "X-Region": "europe-west-1"})

    text = "edge-prod in europe-west-1 answered application/vnd.example.v2+json"
    assert redactor.redact(text) == text


@pytest.mark.parametrize(
    ("format_", "media_type"), [("cloudevents", "application/cloudevents+json"), ("alertmanager", "application/json")]
)
async def test_the_media_type_tells_the_format(
    hook: tuple[LookAlike, str], make: Make, told: Notification, format_: str, media_type: str
) -> None:
    delivery = await sent(hook, make(format=format_), told)

    assert delivery.headers["content-type"] == media_type


async def test_a_changed_secret_file_signs_the_next_try(
    hook: tuple[LookAlike, str], make: Make, told: Notification, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    receiver = make(secret_file=file)

    file.write_text(OTHER)
    delivery = await sent(hook, receiver, told)

    assert Webhook(OTHER).verify(delivery.body, delivery.headers)


@pytest.mark.parametrize(
    ("setting", "others"), [("secret_file", {}), ("secret_previous_file", {"secret": SECRET})], ids=["new", "previous"]
)
async def test_a_secret_file_that_cannot_sign_sends_nothing_unsigned(
    hook: tuple[LookAlike, str], make: Make, told: Notification, tmp_path: Path, *, setting: str, others: dict[str, str]
) -> None:
    file = tmp_path / "secret"
    file.write_text("not base64!")
    receiver = make(**{setting: file}, **others)

    outcome = await receiver.send("dl-0001", receiver.message(told))

    assert isinstance(outcome, Retry)
    assert outcome.reason == "misconfigured"
    assert f"what {setting} holds" in outcome.detail
    assert "not base64" not in outcome.detail
    assert not hook[0].requests


async def test_any_2xx_is_a_delivery(hook: tuple[LookAlike, str], make: Make, told: Notification) -> None:
    hook[0].set_status(204)
    receiver = make()

    outcome = await receiver.send("dl-0001", receiver.message(told))

    assert outcome == Delivered(204)


async def test_a_body_taken_without_an_answer_is_sent_again(
    hook: tuple[LookAlike, str], make: Make, told: Notification
) -> None:
    hook[0].reset_after_read_next()
    receiver = make()

    outcome = await receiver.send("dl-0001", receiver.message(told))

    assert isinstance(outcome, Retry)
    assert len(hook[0].received) == 1
