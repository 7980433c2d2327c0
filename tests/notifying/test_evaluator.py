"""The evaluator: each event judged once, durable before it is acted on, and no odd one stops the rest."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
import pytest_asyncio

from fleetpulse import clock
from fleetpulse.alerting.judge import Alerting, Observed
from fleetpulse.alerting.notification import Notification
from fleetpulse.alerting.rules import DEFAULT_RULES
from fleetpulse.alerting.state import Judgement
from fleetpulse.durations import Rate
from fleetpulse.fleet.events import DeviceCameOnline, Event
from fleetpulse.receivers.contract import Outcome
from fleetpulse.simulator.serve import serve
from fleetpulse.simulator.webhook import WebhookReceiver
from notifying.house import TO_OPS, House, house, running, turned, until

Served = tuple[WebhookReceiver, str]
Numbered = Sequence[tuple[int, Event]]
DURING_30_S = msgspec.structs.replace(TO_OPS, group_wait=timedelta(seconds=30))
BY_GROUP = msgspec.structs.replace(DURING_30_S, group_by=("group",))


class Touchy(Alerting):
    """With a bug: it cannot judge events of a source that is called odd."""

    def judge(self, events: Numbered, observed: Sequence[Observed] = (), *, now: datetime) -> Judgement:
        if any(event.source == "odd" for _, event in events):
            raise LookupError("odd")
        return super().judge(events, observed, now=now)


class Unpunctual(Alerting):
    """With another bug: it cannot judge anything once something is due."""

    def judge(self, events: Numbered, observed: Sequence[Observed] = (), *, now: datetime) -> Judgement:
        due_at = self.due_at()
        if due_at is not None and due_at <= now:
            raise LookupError("what is due")
        return super().judge(events, observed, now=now)


class Slow(Alerting):
    """Judges only when the test lets it: a lock stands for a look that takes long."""

    began: ClassVar = threading.Event()
    may_end: ClassVar = threading.Event()

    def judge(self, events: Numbered, observed: Sequence[Observed] = (), *, now: datetime) -> Judgement:
        self.began.set()
        assert self.may_end.wait(10)
        return super().judge(events, observed, now=now)


Slow.may_end.set()


@contextmanager
def slowly() -> Iterator[tuple[threading.Event, threading.Event]]:
    """From now on a look begins, and waits until it may end."""
    Slow.began.clear()
    Slow.may_end.clear()
    try:
        yield Slow.began, Slow.may_end
    finally:
        Slow.may_end.set()


class Mute:
    """A receiver that cannot make a message of anything."""

    name = "mute"
    rate: Rate | None = None
    dedupes = True

    def message(self, notification: Notification) -> bytes:
        raise KeyError(notification.id)

    async def send(self, delivery_id: str, payload: bytes) -> Outcome:
        raise AssertionError(f"there is no message to send: {delivery_id}, {payload!r}")


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    party = WebhookReceiver()
    async with serve(party) as url:
        yield party, url


def set_aside(home: Path) -> dict[int, str]:
    """The events that were set aside, and why."""
    with sqlite3.connect(home / "fleetpulse.db") as connection:
        found = dict(connection.execute("SELECT event_id, error FROM set_aside"))
    connection.close()
    return found


def spoil(home: Path, event_id: int) -> None:
    """Make an event unreadable, as one of a newer version would be."""
    with sqlite3.connect(home / "fleetpulse.db") as connection:
        connection.execute("UPDATE events SET payload = ? WHERE id = ?", (b'{"type":"fleet.device.sang"}', event_id))
    connection.close()


def told(party: WebhookReceiver) -> list[str]:
    """The devices that were told of, in the order of arrival."""
    bodies = [msgspec.json.decode(delivery.body) for delivery in party.received]
    return [alert["labels"]["device"] for body in bodies for alert in body["data"]["alerts"]]


def statuses(party: WebhookReceiver) -> list[str]:
    """How the notifications stood, in the order of arrival."""
    return [msgspec.json.decode(delivery.body)["data"]["status"] for delivery in party.received]


async def conditions(made: House) -> set[str]:
    """The subjects of all that is wrong by the journal."""
    return {key.subject for key in (await made.journal.remember()).conditions}


async def test_what_happens_is_told_under_the_id_of_its_row(served: Served, tmp_path: Path) -> None:
    party, url = served

    async with house(tmp_path, webhooks={"ops": url}) as made:
        await made.offline("d-1")
        states = await made.ended(1)

    assert told(party) == ["d-1"]
    assert states == dict.fromkeys(party.ids, "delivered")
    assert set_aside(tmp_path) == {}


async def test_a_row_of_an_idle_receiver_is_born_claimed_and_one_of_a_busy_receiver_is_owed(
    served: Served, tmp_path: Path
) -> None:
    party, url = served
    born: list[str] = []

    def note(step: str) -> None:
        if step == "flush:after-commit":
            with closing(sqlite3.connect(tmp_path / "fleetpulse.db")) as connection:
                born.extend(*connection.execute("SELECT state FROM outbox ORDER BY created_at DESC LIMIT 1"))

    async with house(tmp_path, webhooks={"ops": url}, at_step=note) as made:
        party.hold()
        await made.offline("d-1")
        await party.received.reached(1)
        await made.judged(await made.offline("d-2"))
        party.release()
        await made.ended(2)

    assert born == ["claimed", "owed"]
    assert told(party) == ["d-1", "d-2"]


async def test_an_end_is_never_told_before_its_beginning(served: Served, tmp_path: Path) -> None:
    party, url = served
    party.faults.fail_next(4, 503)
    route = msgspec.structs.replace(TO_OPS, group_interval=timedelta(seconds=1))

    async with house(tmp_path, webhooks={"ops": url}, route=route) as made:
        await made.offline("d-1")
        await party.arrived(4)
        await asyncio.sleep(3)  # the receiver would have another row again; this one waits for its fifth try
        await made.happen(turned("d-1", kind=DeviceCameOnline))
        await made.ended(2)

    assert statuses(party) == ["firing", "resolved"]


async def test_a_due_time_wakes_it(served: Served, tmp_path: Path) -> None:
    party, url = served

    async with house(tmp_path, webhooks={"ops": url}, route=BY_GROUP) as made:
        began = clock.monotonic()
        await made.offline("d-1")
        await made.offline("d-2")
        await made.ended(1)

    assert told(party) == ["d-1", "d-2"]
    assert party.received[0].at - began >= 30


async def test_what_was_due_while_nothing_ran_is_told_at_the_start(served: Served, tmp_path: Path) -> None:
    party, url = served
    async with house(tmp_path, webhooks={"ops": url}, route=DURING_30_S) as before:
        await before.judged(await before.offline("d-1"))
    await asyncio.sleep(3600)
    began = clock.monotonic()

    async with house(tmp_path, webhooks={"ops": url}, route=DURING_30_S) as made:
        await made.ended(1)

    assert told(party) == ["d-1"]
    assert party.received[0].at - began < 20


async def test_an_observation_lets_an_alert_fire_whose_time_ran_out(served: Served, tmp_path: Path) -> None:
    party, url = served

    async with house(tmp_path, webhooks={"ops": url}, rules=DEFAULT_RULES) as made:
        await made.offline("d-1", "d-2")
        await asyncio.sleep(3600)
        before = told(party)
        await made.happen(again=["d-2"])
        await made.ended(1)

    assert before == []
    assert told(party) == ["d-2"]


async def test_an_event_that_cannot_be_judged_is_set_aside_and_all_others_are_told(
    served: Served, tmp_path: Path
) -> None:
    party, url = served
    devices = [turned(f"d-{number}") for number in range(20)]
    odd = [turned("d-a", source="odd"), turned("d-b", source="odd")]

    async with house(tmp_path, webhooks={"ops": url}, alerting=Touchy) as made:
        last = await made.happen(*devices[:7], odd[0], *devices[7:], odd[1])
        await made.ended(20)
        await made.judged(last)
        await made.offline("d-20")
        await made.ended(21)

    assert sorted(told(party)) == sorted(f"d-{number}" for number in range(21))
    assert set_aside(tmp_path) == {8: "LookupError: odd", 22: "LookupError: odd"}


@pytest.mark.parametrize("others", [[], ["d-3", "d-4"]])
async def test_observations_that_come_with_an_odd_event_count(
    served: Served, tmp_path: Path, others: list[str]
) -> None:
    party, url = served

    async with house(tmp_path, webhooks={"ops": url}, alerting=Touchy, rules=DEFAULT_RULES) as made:
        await made.judged(await made.offline("d-1"))
        await asyncio.sleep(3600)
        await made.happen(turned("d-2", source="odd"), *map(turned, others), again=["d-1"])
        await made.ended(1)

    assert told(party) == ["d-1"]


async def test_an_event_that_cannot_be_read_is_set_aside_between_those_around_it(
    served: Served, tmp_path: Path
) -> None:
    party, url = served
    async with house(tmp_path, agents=False) as before:
        await before.offline("d-1", "d-2", "d-3")
    spoil(tmp_path, 2)

    async with house(tmp_path, webhooks={"ops": url}) as made:
        await made.ended(2)
        cursor = (await made.journal.remember()).cursor

    assert told(party) == ["d-1", "d-3"]
    assert (list(set_aside(tmp_path)), cursor) == ([2], 3)


async def test_an_event_whose_judgement_the_journal_refuses_is_set_aside(served: Served, tmp_path: Path) -> None:
    ids = iter(["a", "a", "b"])

    async with house(tmp_path, webhooks={"ops": served[1]}, new_id=lambda: next(ids)) as made:
        await made.offline("d-1")
        await made.ended(1)
        await made.judged(await made.offline("d-2"))
        await made.offline("d-3")
        await made.ended(2)

    assert list(set_aside(tmp_path)) == [2]
    assert told(served[0]) == ["d-1", "d-3"]


async def test_what_is_due_and_cannot_be_judged_is_a_crash_and_costs_no_event(served: Served, tmp_path: Path) -> None:
    wiring: dict[str, Any] = {"webhooks": {"ops": served[1]}, "route": DURING_30_S}
    async with house(tmp_path, **wiring) as before:
        await before.judged(await before.offline("d-1"))
    await asyncio.sleep(60)

    async def live() -> None:
        async with house(tmp_path, agents=False, alerting=Unpunctual, **wiring) as made:
            await made.offline("d-2", "d-3")
            async with running(made.evaluator.run):
                await asyncio.sleep(60)

    with pytest.raises(ExceptionGroup) as crash:
        await live()

    assert crash.group_contains(LookupError, match="what is due")
    assert set_aside(tmp_path) == {}


async def test_what_a_start_makes_of_other_rules_is_told(served: Served, tmp_path: Path) -> None:
    party, url = served
    async with house(tmp_path, webhooks={"ops": url}) as before:
        await before.offline("d-1")
        await before.ended(1)

    async with house(tmp_path, webhooks={"ops": url}, rules=()) as made:
        await made.ended(2, within_s=600)

    assert statuses(party) == ["firing", "resolved"]


async def test_a_message_that_cannot_be_made_dies_listed_and_the_others_arrive(served: Served, tmp_path: Path) -> None:
    party, url = served
    both = msgspec.structs.replace(
        TO_OPS,
        routes=(
            msgspec.structs.replace(TO_OPS, key="{}/{mute}", receiver="mute", continue_=True),
            msgspec.structs.replace(TO_OPS, key="{}/{ops}"),
        ),
    )

    async with house(tmp_path, webhooks={"ops": url}, others={"mute": Mute()}, route=both) as made:
        await made.offline("d-1")
        await made.ended(2)
        rows = {row.receiver: row for row in (await made.rows()).values()}

    assert told(party) == ["d-1"]
    assert (rows["mute"].state, rows["ops"].state) == ("dead", "delivered")
    assert "no message could be made" in rows["mute"].detail


async def test_the_loop_turns_while_a_large_batch_is_judged(served: Served, tmp_path: Path) -> None:
    events = [turned(f"d-{number}", kind=DeviceCameOnline) for number in range(1000)]

    async with house(tmp_path, webhooks={"ops": served[1]}, alerting=Slow) as made:
        with slowly() as (began, may_end):
            last = await made.happen(*events)
            judging = await asyncio.to_thread(began.wait, 10)
            asked = await made.states()  # the journal answers over this loop
            may_end.set()
            await made.judged(last)

    assert (judging, asked) == (True, {})


async def test_the_loop_turns_while_what_is_due_is_judged(served: Served, tmp_path: Path) -> None:
    async with house(tmp_path, webhooks={"ops": served[1]}, alerting=Slow, route=DURING_30_S) as made:
        await made.judged(await made.offline("d-1"))
        with slowly() as (began, may_end):
            await asyncio.sleep(30.2)
            judging = await asyncio.to_thread(began.wait, 10)
            asked = await made.states()
            may_end.set()
            await made.ended(1)

    assert (judging, asked) == (True, {})


async def test_nothing_holds_before_it_is_committed(served: Served, tmp_path: Path) -> None:
    reached, may_commit = threading.Event(), threading.Event()
    judges: list[Alerting] = []

    class Seen(Alerting):
        def __init__(self, **wiring: Any) -> None:
            super().__init__(**wiring)
            judges.append(self)

    def wait(step: str) -> None:
        if step == "judge:before-commit":
            reached.set()
            assert may_commit.wait(10)

    async with house(tmp_path, webhooks={"ops": served[1]}, alerting=Seen, at_step=wait) as made:
        await made.offline("d-1")
        await asyncio.to_thread(reached.wait, 10)
        before = len(dict(judges[0].ledger.conditions.items())), told(served[0])
        may_commit.set()
        await made.ended(1)
        after = len(dict(judges[0].ledger.conditions.items())), told(served[0])

    assert before == (0, [])
    assert after == (1, ["d-1"])


async def test_a_poller_knows_when_its_page_was_judged(served: Served, tmp_path: Path) -> None:
    async with house(tmp_path, webhooks={"ops": served[1]}) as made:
        last = await made.offline("d-1")
        began = clock.monotonic()
        await made.consumer.wait_caught_up(last, 60)
        waited_s = clock.monotonic() - began
        found = await conditions(made)

    assert found == {"d-1"}
    assert waited_s < 60


async def test_detection_is_measured_from_what_was_seen_and_not_for_a_reminder(served: Served, tmp_path: Path) -> None:
    party, url = served
    route = msgspec.structs.replace(
        DURING_30_S, group_interval=timedelta(minutes=5), repeat_interval=timedelta(hours=4)
    )

    async with house(tmp_path, webhooks={"ops": url}, route=route) as made:
        await made.offline("d-1")
        await until(lambda: _received(party, 2), within_s=100 * 3600)
        await made.ended(2)
        deliveries = made.sample('fleetpulse_delivery_seconds_count{receiver="ops"}')
        detections = made.sample('fleetpulse_detection_to_delivery_seconds_count{receiver="ops"}')
        detected_s = made.sample('fleetpulse_detection_to_delivery_seconds_sum{receiver="ops"}')

    assert (deliveries, detections) == (2, 1)
    assert detected_s is not None
    assert 30 <= detected_s < 60


async def _received(party: WebhookReceiver, number: int) -> bool:
    return party.received.total >= number
