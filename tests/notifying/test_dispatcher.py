"""The dispatcher against receivers over HTTP: who is tried when, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest_asyncio
from aiohttp import web

from fleetpulse import clock
from fleetpulse.alerting.notification import Notification
from fleetpulse.durations import Rate
from fleetpulse.receivers.contract import Delivered, Outcome
from fleetpulse.simulator.serve import serve
from fleetpulse.simulator.slack import SlackReceiver
from fleetpulse.simulator.webhook import WebhookReceiver
from notifying.house import house, until

HOUR_S = 3600.0
Served = tuple[WebhookReceiver, str]


class Picky(WebhookReceiver):
    """Fails whenever a body holds the word poison; `tries` are all bodies in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.tries: list[bytes] = []

    async def _post(self, request: web.Request) -> web.Response:
        self.tries.append(await request.read())
        return web.Response(status=500) if b"poison" in self.tries[-1] else await super()._post(request)


class Faulty:
    """A receiver as somebody may write one: it raises where it should tell."""

    name = "odd"
    rate: Rate | None = None
    dedupes = True

    def __init__(self) -> None:
        self.sent: list[str] = []

    def message(self, notification: Notification) -> bytes:
        return notification.text.encode()

    async def send(self, delivery_id: str, payload: bytes) -> Outcome:
        self.sent.append(delivery_id)
        if len(self.sent) == 1:
            raise ZeroDivisionError(payload.decode())
        return Delivered()


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    party = WebhookReceiver()
    async with serve(party) as url:
        yield party, url


def gaps(party: WebhookReceiver | SlackReceiver) -> list[float]:
    """The seconds between the requests that came in."""
    return [later.at - earlier.at for earlier, later in pairwise(party.requests)]


def order(party: WebhookReceiver) -> list[str]:
    """The ids in the order in which their bodies arrived."""
    return [delivery.headers["webhook-id"] for delivery in party.received]


async def test_what_is_owed_is_sent_with_its_id_and_its_very_bytes(served: Served, tmp_path: Path) -> None:
    party, url = served

    async with house(tmp_path, webhooks={"ops": url}) as made:
        await made.owe("a")
        states = await made.ended(1)

    assert states == {"a": "delivered"}
    assert party.unique() == {"a": b'{"text":"a"}'}


async def test_a_try_that_fails_is_repeated_after_longer_and_longer_pauses(served: Served, tmp_path: Path) -> None:
    party, url = served
    party.faults.fail_next(4, 503)

    async with house(tmp_path, webhooks={"ops": url}) as made:
        await made.owe("a")
        await made.ended(1, within_s=120)
        rows = await made.rows()

    assert (rows["a"].state, rows["a"].attempts, rows["a"].status) == ("delivered", 5, 200)
    assert all(gap >= 0.8 * least for gap, least in zip(gaps(party), [2, 4, 8, 16], strict=True))


async def test_retry_after_holds_for_the_whole_receiver_however_many_rows_wait(served: Served, tmp_path: Path) -> None:
    party, url = served
    party.faults.fail_next(16, 429, headers={"Retry-After": "120"})
    rows = [f"row {number}" for number in range(50)]

    async with house(tmp_path, webhooks={"ops": url}) as made:
        await made.owe(*rows)
        await party.arrived(16)
        await made.owe("newer")
        states = await made.ended(51, within_s=600)

    assert set(states.values()) == {"delivered"}
    first = party.requests[0].at
    assert sum(seen.at < first + 119 for seen in party.requests) == 16
    assert set(party.ids.values()) == {1}


async def test_what_is_refused_is_dead_at_once_and_the_next_one_is_sent(served: Served, tmp_path: Path) -> None:
    party, url = served
    party.faults.fail_next(1, 410)

    async with house(tmp_path, webhooks={"ops": url}) as made:
        await made.owe("a")
        await made.ended(1)
        await made.owe("b")
        states = await made.ended(2)
        rows = await made.rows()
        refused = made.sample('fleetpulse_deliveries_total{outcome="refused",reason="gone",receiver="ops"}')

    assert states == {"a": "dead", "b": "delivered"}
    assert (rows["a"].reason, rows["a"].attempts, refused) == ("gone", 1, 1)
    assert party.counts.total() == 2


async def test_after_24_h_of_tries_it_is_dead(served: Served, tmp_path: Path) -> None:
    party, url = served
    party.faults.always(503)

    async with house(tmp_path, webhooks={"ops": url}) as made:
        await made.owe("a", age=timedelta(hours=23))
        began = clock.monotonic()
        states = await made.ended(1, within_s=2 * HOUR_S)
        rows = await made.rows()

    assert states == {"a": "dead"}
    assert "given up after 24 h" in rows["a"].detail
    assert 0.85 * HOUR_S < party.requests[-1].at - began < HOUR_S
    assert party.counts.total() == rows["a"].attempts < 30


async def test_rows_that_waited_24_h_behind_a_dead_receiver_are_given_up_though_it_was_hardly_asked(
    served: Served, tmp_path: Path
) -> None:
    party, url = served
    party.faults.always(503)
    old = [f"row {number}" for number in range(60)]

    async with house(tmp_path, webhooks={"ops": url}) as made:
        await made.owe("older", age=timedelta(hours=23, minutes=59))
        await made.owe(*old, age=timedelta(hours=23, minutes=59))
        await made.ended(61, within_s=600)
        states = await made.states()

    assert set(states.values()) == {"dead"}
    assert party.counts.total() < 40


async def test_a_day_without_fleetpulse_is_no_day_of_tries(served: Served, tmp_path: Path) -> None:
    async with house(tmp_path, webhooks={"ops": served[1]}) as made:
        await made.owe("a", age=timedelta(days=3))
        states = await made.ended(1)

    assert states == {"a": "delivered"}


async def test_a_receiver_that_hangs_delays_no_other(served: Served, tmp_path: Path) -> None:
    party, url = served
    slow = WebhookReceiver()
    slow.hold()
    rows = [f"row {number}" for number in range(40)]

    async with serve(slow) as slow_url, house(tmp_path, webhooks={"ops": url, "slow": slow_url}) as made:
        await made.owe("stuck", receiver="slow")
        await slow.arrived(1)
        began = clock.monotonic()
        await made.owe(*rows)
        await party.received.reached(40)
        took_s = clock.monotonic() - began
        states = await made.states()

    assert states["stuck"] == "claimed"
    assert took_s < 9  # moved time: a receiver that hangs is given ten seconds


async def test_a_paced_receiver_sees_its_pace(tmp_path: Path) -> None:
    channel = SlackReceiver(enforce_pace=True, burst=1)

    async with serve(channel) as url, house(tmp_path, channels={"chat": url}) as made:
        await made.owe(*"abcdef", receiver="chat")
        states = await made.ended(6)

    assert set(states.values()) == {"delivered"}
    assert channel.rude == 0
    assert [message.body["text"] for message in channel.messages] == [*"abcdef"]
    assert min(gaps(channel)) >= 1


async def test_of_a_receiver_that_cannot_tell_a_repeat_one_row_at_most_is_in_doubt(tmp_path: Path) -> None:
    channel = SlackReceiver()
    channel.faults.hang_next(1)

    async with serve(channel) as url, house(tmp_path, channels={"chat": url}) as made:
        await made.owe(*"abc", receiver="chat")
        await channel.arrived(1)
        states = await made.states()

    assert states == {"a": "claimed", "b": "owed", "c": "owed"}


async def test_a_group_is_told_in_order_while_others_overtake_it(served: Served, tmp_path: Path) -> None:
    party, url = served
    party.faults.fail_next(1, 503)

    async with house(tmp_path, webhooks={"ops": url}) as made:
        await made.owe("began", group="Lyon")
        await party.arrived(1)
        await made.owe("ended", group="Lyon")
        await made.owe("other", group="Porto")
        await made.ended(3)

    assert order(party) == ["other", "began", "ended"]


async def test_a_row_that_always_fails_stops_nobody_else(tmp_path: Path) -> None:
    party = Picky()

    async with serve(party) as url, house(tmp_path, webhooks={"ops": url}) as made:
        await made.owe("poison")
        await until(lambda: _tried(party, 6), within_s=300)
        began = clock.monotonic()
        await made.owe(*"abc")
        await party.received.reached(3)
        took_s = clock.monotonic() - began
        states = await made.states()

    assert states["poison"] == "owed"
    assert took_s < 5  # moved time: its own pause is a minute by now, that of the receiver a second


async def _tried(party: Picky, times: int) -> bool:
    return len(party.tries) >= times


async def test_a_receiver_that_raises_is_tried_again_and_ends_nothing(served: Served, tmp_path: Path) -> None:
    party, url = served
    faulty = Faulty()

    async with house(tmp_path, webhooks={"ops": url}, others={"odd": faulty}) as made:
        await made.owe("a", receiver="odd")
        await made.owe("b")
        states = await made.ended(2)
        failed = made.sample('fleetpulse_deliveries_total{outcome="retry",reason="error",receiver="odd"}')

    assert states == {"a": "delivered", "b": "delivered"}
    assert (faulty.sent, failed) == (["a", "a"], 1)
    assert order(party) == ["b"]


async def test_one_row_that_fails_lets_those_on_their_way_with_it_arrive(tmp_path: Path) -> None:
    party = Picky()

    async with serve(party) as url, house(tmp_path, webhooks={"ops": url}) as made:
        await made.owe("a", "poison", "b")
        await party.received.reached(2)
        await made.ended(2)
        states = await made.states()

    assert states == {"a": "delivered", "poison": "owed", "b": "delivered"}


async def test_what_is_owed_to_a_receiver_that_is_gone_is_dead_after_the_next_start(
    served: Served, tmp_path: Path
) -> None:
    async with house(tmp_path, agents=False, webhooks={"ops": served[1], "old": served[1]}) as before:
        await before.owe("a", "b", receiver="old")
        await before.owe("c", receiver="old", group="a")

    async with house(tmp_path, webhooks={"ops": served[1]}) as made:
        rows = await made.rows()

    assert {(row.state, row.reason) for row in rows.values()} == {("dead", "gone")}
    assert served[0].counts.total() == 0


async def test_a_drain_waits_for_what_is_under_way(served: Served, tmp_path: Path) -> None:
    party, url = served
    party.faults.slow(3)

    async with house(tmp_path, webhooks={"ops": url, "dev": url, "edge": url}) as made:
        for key, receiver in zip("abc", ["ops", "dev", "edge"], strict=True):
            await asyncio.sleep(1)
            await made.owe(key, receiver=receiver)
        drained = await made.dispatcher.drain(limit_s=60)
        states = await made.states()

    assert drained
    assert set(states.values()) == {"delivered"}


async def test_a_drain_sees_what_was_written_only_just_now(served: Served, tmp_path: Path) -> None:
    async with house(tmp_path, webhooks={"ops": served[1]}) as made:
        await made.owe("a")
        await made.dispatcher.drain(limit_s=60)
        states = await made.states()

    assert states == {"a": "delivered"}


async def test_a_drain_is_bounded(served: Served, tmp_path: Path) -> None:
    party, url = served
    party.hold()

    async with house(tmp_path, webhooks={"ops": url}) as made:
        await made.owe("a")
        await party.arrived(1)
        drained = await made.dispatcher.drain(limit_s=5)

    assert not drained


async def test_a_drain_does_not_wait_for_a_receiver_that_fails(served: Served, tmp_path: Path) -> None:
    party, url = served
    party.faults.fail_next(1, 503, headers={"Retry-After": "600"})

    async with house(tmp_path, webhooks={"ops": url}) as made:
        await made.owe("a")
        await party.arrived(1)
        await made.owe("b")
        drained = await made.dispatcher.drain(limit_s=60)
        states = await made.states()

    assert drained
    assert states == {"a": "owed", "b": "owed"}


async def test_what_was_being_sent_is_sent_again_after_a_restart_with_the_same_id_and_bytes(
    served: Served, tmp_path: Path
) -> None:
    party, url = served
    party.hold()
    async with house(tmp_path, webhooks={"ops": url}) as before:
        await before.owe("a")
        await party.arrived(1)
        rows = await before.rows()
    claimed = rows["a"].state
    async with house(tmp_path, agents=False) as between:
        doubtful = (await between.rows())["a"].doubtful
    party.release()

    async with house(tmp_path, webhooks={"ops": url}) as made:
        states = await made.ended(1)

    assert (claimed, doubtful, states) == ("claimed", True, {"a": "delivered"})
    assert party.ids == {"a": 2}
    assert {delivery.body for delivery in party.received} == {b'{"text":"a"}'}


async def test_many_rows_arrive_once_each_over_a_receiver_that_stumbles(served: Served, tmp_path: Path) -> None:
    party, url = served
    rows = [f"row {number}" for number in range(300)]

    async with house(tmp_path, webhooks={"ops": url}) as made:
        await made.owe(*rows)
        for _ in range(3):
            await asyncio.sleep(0.01)
            party.faults.fail_next(5, 500)
        await made.ended(300, within_s=600)

    assert dict(party.ids) == dict.fromkeys(rows, 1)
