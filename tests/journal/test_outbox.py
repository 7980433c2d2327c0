"""The outbox: what is owed, transactions 4 and 5, and retention."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from fleetpulse.alerting.state import Decision, Judgement
from fleetpulse.journal.entries import DeliveryRecord, PageWrite, Swept
from fleetpulse.journal.errors import JournalRefusedError
from fleetpulse.journal.journal import Journal
from journal.things import AT, Opener, delivery, judgement, offline

LATER = AT + timedelta(hours=1)
DELIVERED = DeliveryRecord(id="a", state="delivered", at=AT, status=200)


async def owe(journal: Journal, *deliveries: tuple[str, float], claimed: bool = False) -> None:
    await journal.commit_judgement(
        Judgement(), deliveries=[(delivery(key, due_s=due_s), claimed) for key, due_s in deliveries]
    )


async def test_due_rows_are_claimed_once_those_due_the_longest_first(journal: Journal) -> None:
    await owe(journal, ("late", 5), ("early", 1), ("not yet", 9))
    await journal.commit_judgement(Judgement(), deliveries=[(delivery("another's", receiver="dev"), False)])

    first = await journal.claim("ops", now=AT + timedelta(seconds=5), limit=1)
    second = await journal.claim("ops", now=AT + timedelta(seconds=5))
    third = await journal.claim("ops", now=AT + timedelta(seconds=5))

    assert first == [delivery("early", due_s=1)]
    assert second == [delivery("late", due_s=5)]
    assert third == []


async def test_a_row_waits_for_the_older_one_of_its_group(journal: Journal) -> None:
    began, ended = delivery("began", group="Lyon"), delivery("ended", group="Lyon", created_s=1)
    other = delivery("other", group="Porto", created_s=2)
    await journal.commit_judgement(Judgement(), deliveries=[(row, False) for row in (began, ended, other)])
    failed = DeliveryRecord(id="began", state="retry", at=AT, due_at=LATER)
    over = [DeliveryRecord(id=key, state="delivered", at=AT) for key in ("other", "began")]

    first = await journal.claim("ops", now=AT)
    await journal.record([failed, over[0]])
    meanwhile, due_at = await journal.claim("ops", now=AT), await journal.next_due("ops")
    again = await journal.claim("ops", now=LATER)
    await journal.record([over[1]])
    last = await journal.claim("ops", now=LATER)

    assert [row.id for row in first] == ["began", "other"]
    assert (meanwhile, due_at) == ([], LATER)
    assert [row.id for row in again] == ["began"]
    assert [row.id for row in last] == ["ended"]


async def test_a_clock_that_is_set_back_turns_nothing_around(journal: Journal) -> None:
    rows = [delivery("began", group="Lyon"), delivery("ended", group="Lyon", created_s=-3600, due_s=-3600)]
    for row in rows:
        await journal.commit_judgement(Judgement(), deliveries=[(row, False)])

    first, due_at = await journal.claim("ops", now=AT), await journal.next_due("ops")
    await journal.record([DeliveryRecord(id="began", state="delivered", at=AT)])
    last = await journal.claim("ops", now=AT)

    assert ([row.id for row in first], due_at) == (["began"], None)
    assert [row.id for row in last] == ["ended"]
    assert [row.id for row in await journal.outbox()] == ["ended", "began"]
    assert [row.id for row in await journal.outbox(after="ended")] == ["began"]


async def test_rows_due_at_once_are_claimed_in_the_order_they_were_made(journal: Journal) -> None:
    await owe(journal, ("b", 0), ("a", 0), ("c", -1))

    assert [row.id for row in await journal.claim("ops", now=AT)] == ["c", "b", "a"]


async def test_recording_and_claiming_are_one_operation(opened: Opener) -> None:
    steps: list[str] = []
    journal = await opened(steps.append)
    await owe(journal, ("a", 0), claimed=True)
    await owe(journal, ("b", 0), ("c", 0), ("d", 9))
    await journal.commit_judgement(Judgement(), deliveries=[(delivery("another's", receiver="dev"), False)])
    steps.clear()

    claimed, due_at = await journal.record_and_claim("ops", [DELIVERED], now=AT, limit=1)
    none, later = await journal.record_and_claim("ops", [], now=LATER, limit=0)

    assert ([row.id for row in claimed], due_at) == (["b"], AT)
    assert (none, later) == ([], AT)
    assert steps == [f"{step}:{place}-commit" for place in ("before", "after") for step in ("record", "claim")] + [
        "record:before-commit",
        "record:after-commit",
    ]
    assert await journal.outbox_counts() == {
        ("ops", "delivered"): 1,
        ("ops", "claimed"): 1,
        ("ops", "owed"): 2,
        ("dev", "owed"): 1,
    }


async def test_an_outcome_frees_the_next_row_of_its_group_at_once(journal: Journal) -> None:
    await journal.commit_judgement(Judgement(), deliveries=[(delivery("a", group="Lyon"), True)])
    await journal.commit_judgement(Judgement(), deliveries=[(delivery("b", group="Lyon"), False)])

    claimed, due_at = await journal.record_and_claim("ops", [DELIVERED], now=AT, limit=9)

    assert ([row.id for row in claimed], due_at) == (["b"], None)


async def test_a_payload_goes_when_it_was_delivered_and_stays_while_it_may_be_sent(
    journal: Journal, path: Path
) -> None:
    await owe(journal, ("a", 0), ("b", 0), ("c", 0), claimed=True)

    await journal.record(
        [
            DELIVERED,
            DeliveryRecord(id="b", state="dead", at=AT),
            DeliveryRecord(id="c", state="retry", at=AT, due_at=AT),
        ]
    )

    await journal.close()
    with sqlite3.connect(path) as other:
        stored = dict(other.execute("SELECT id, payload FROM outbox"))
    other.close()
    assert stored == {"a": b"", "b": delivery("b").payload, "c": delivery("c").payload}


async def test_a_row_born_claimed_is_not_claimed_again(journal: Journal) -> None:
    await owe(journal, ("a", 0), claimed=True)

    assert await journal.claim("ops", now=LATER) == []
    assert await journal.next_due("ops") is None


async def test_a_try_that_failed_is_owed_again_later(journal: Journal) -> None:
    await owe(journal, ("a", 0), claimed=True)

    await journal.record(
        [DeliveryRecord(id="a", state="retry", at=AT, due_at=LATER, reason="timeout", detail="after 10 s", status=504)]
    )

    assert await journal.next_due("ops") == LATER
    assert await journal.claim("ops", now=LATER - timedelta(microseconds=1)) == []
    (again,) = await journal.claim("ops", now=LATER)
    assert (again.attempts, again.payload) == (1, delivery("a").payload)
    (row,) = await journal.outbox()
    assert (row.reason, row.detail, row.status, row.done_at) == ("timeout", "after 10 s", 504, None)


async def test_an_end_is_final(journal: Journal) -> None:
    await owe(journal, ("a", 0), ("b", 0), claimed=True)
    await journal.record([DELIVERED, DeliveryRecord(id="b", state="dead", at=AT, reason="gone", status=410)])

    await journal.record([DELIVERED, DeliveryRecord(id="a", state="retry", at=LATER, due_at=LATER)])
    await journal.release_claims()

    rows = {row.id: (row.state, row.attempts, row.done_at, row.reason) for row in await journal.outbox()}
    assert rows == {"a": ("delivered", 1, AT, ""), "b": ("dead", 1, AT, "gone")}
    assert await journal.claim("ops", now=LATER) == []


async def test_outcomes_of_one_call_stand_or_fall_together(journal: Journal) -> None:
    await owe(journal, ("a", 0), ("b", 0), claimed=True)

    with pytest.raises(JournalRefusedError, match="not when"):
        await journal.record([DELIVERED, DeliveryRecord(id="b", state="retry", at=AT)])

    assert await journal.outbox_counts() == {("ops", "claimed"): 2}


async def test_claims_of_a_process_that_ended_are_doubtful_until_their_next_outcome(opened: Opener) -> None:
    first = await opened()
    await owe(first, ("a", 0), ("b", 0))
    await first.claim("ops", now=AT, limit=1)
    await first.close()
    second = await opened()

    released = await second.release_claims()

    assert released == 1
    claimed = {one.id: (one.doubtful, one.attempts) for one in await second.claim("ops", now=AT)}
    assert claimed == {"a": (True, 1), "b": (False, 0)}
    await second.record([DeliveryRecord(id="a", state="retry", at=AT, due_at=AT)])
    assert [(one.doubtful, one.attempts) for one in await second.claim("ops", now=AT)] == [(False, 2)]


async def test_the_outbox_is_counted_by_receiver_and_state(journal: Journal) -> None:
    await owe(journal, ("a", 0), ("b", 0), claimed=True)
    await owe(journal, ("c", 0))
    await journal.commit_judgement(Judgement(), deliveries=[(delivery("d", receiver="dev", created_s=-9), False)])
    await journal.record([DELIVERED])

    assert await journal.outbox_counts() == {
        ("ops", "delivered"): 1,
        ("ops", "claimed"): 1,
        ("ops", "owed"): 1,
        ("dev", "owed"): 1,
    }
    assert await journal.oldest_owed() == {"ops": AT, "dev": AT - timedelta(seconds=9)}


async def test_lists_go_on_from_behind_a_row(journal: Journal) -> None:
    await owe(journal, ("a", 0), ("b", 0), ("c", 0))
    await journal.record([DELIVERED])

    listed = {
        "all": [row.id for row in await journal.outbox()],
        "first": [row.id for row in await journal.outbox(limit=1)],
        "behind": [row.id for row in await journal.outbox(after="c")],
        "delivered": [row.id for row in await journal.outbox(state="delivered")],
        "gone": [row.id for row in await journal.outbox(after="z")],
    }

    assert listed == {
        "all": ["c", "b", "a"],
        "first": ["c"],
        "behind": ["b", "a"],
        "delivered": ["a"],
        "gone": [],
    }


async def test_retention_deletes_what_is_old_and_over(journal: Journal) -> None:
    await journal.commit_page(PageWrite(source="edge", events=[offline(1), offline(2, seen_at=LATER)]))
    await journal.commit_judgement(judgement(2), set_aside=[(1, "odd")])
    await owe(journal, ("a", 0), ("b", 0), claimed=True)
    await journal.record([DELIVERED])

    swept = await journal.sweep_out(older_than=AT + timedelta(microseconds=1), max_events=10)

    assert swept == Swept(events=1, decisions=1, deliveries=1)
    assert [event.id for event in await journal.events_after(0)] == [2]
    assert [row.id for row in await journal.outbox()] == ["b"]


async def test_retention_never_passes_a_cursor_nor_a_debt(journal: Journal) -> None:
    await journal.commit_page(PageWrite(source="edge", events=[offline(number) for number in range(1, 9)]))
    await journal.commit_judgement(Judgement(cursor=5))
    await owe(journal, ("a", 0))
    await owe(journal, ("b", 0), claimed=True)

    swept = await journal.sweep_out(older_than=LATER, max_events=1, batch=2)

    assert swept == Swept(events=5)
    assert [event.id for event in await journal.events_after(0)] == [6, 7, 8]
    assert await journal.outbox_counts() == {("ops", "owed"): 1, ("ops", "claimed"): 1}


async def test_retention_without_any_cursor_deletes_no_event(journal: Journal) -> None:
    await journal.commit_page(PageWrite(source="edge", events=[offline(1)]))

    assert await journal.sweep_out(older_than=LATER, max_events=0) == Swept()


async def test_more_events_than_wanted_go_oldest_first(journal: Journal) -> None:
    await journal.commit_page(PageWrite(source="edge", events=[offline(number) for number in range(10)]))
    await journal.commit_judgement(Judgement(cursor=10))

    swept = await journal.sweep_out(older_than=AT, max_events=3, batch=2)

    assert swept == Swept(events=7)
    assert [event.id for event in await journal.events_after(0)] == [8, 9, 10]


async def test_more_decisions_than_wanted_go_oldest_first(journal: Journal) -> None:
    for number in range(10):
        await journal.commit_judgement(Judgement(decisions=(Decision(at=AT, reason=f"r{number}"),)))

    swept = await journal.sweep_out(older_than=AT, max_events=3, batch=2)

    assert swept == Swept(decisions=7)
    assert [decision.reason for decision in await journal.decisions()] == ["r9", "r8", "r7"]


async def test_a_payload_is_sent_byte_by_byte_as_it_was_made(journal: Journal) -> None:
    odd = msgspec.structs.replace(delivery("a"), payload=bytes(range(256)))
    await journal.commit_judgement(Judgement(), deliveries=[(odd, False)])

    assert await journal.claim("ops", now=AT) == [odd]
