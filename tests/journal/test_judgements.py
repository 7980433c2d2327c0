"""Transactions 2 and 3: what was decided, and what a restart takes up again."""

import sqlite3
from pathlib import Path

import msgspec
import pytest

from fleetpulse.alerting.state import Decision, Judgement, Remembered
from fleetpulse.journal.entries import PageWrite
from fleetpulse.journal.errors import JournalCorruptError, JournalRefusedError
from fleetpulse.journal.journal import Journal
from journal.things import AT, KEY, Opener, content, delivery, judgement, offline


async def test_a_new_journal_remembers_nothing(journal: Journal) -> None:
    assert await journal.remember() == Remembered()


async def test_a_restart_takes_up_what_was_decided(opened: Opener) -> None:
    first = await opened()
    decided = judgement(7)
    await first.commit_judgement(decided)
    await first.close()

    remembered = await (await opened()).remember()

    assert (remembered.cursor, remembered.conditions, remembered.alerts) == (7, decided.conditions, decided.alerts)
    assert (remembered.groups, remembered.told) == (decided.groups, decided.told)


async def test_none_removes_an_entry_and_no_cursor_leaves_it(journal: Journal) -> None:
    await journal.commit_judgement(judgement(7))

    await journal.commit_judgement(
        Judgement(conditions={KEY: None}, alerts={"f1": None}, groups={"g": None}, told={("ops", "f1"): None})
    )

    assert await journal.remember() == Remembered(cursor=7)


async def test_judging_again_gives_the_same(journal: Journal) -> None:
    await journal.commit_judgement(judgement(7))
    before = await journal.remember()

    await journal.commit_judgement(judgement(7))

    assert await journal.remember() == before


async def test_what_cannot_be_read_is_not_forgotten_silently(journal: Journal, path: Path) -> None:
    await journal.commit_judgement(judgement(7))
    with sqlite3.connect(path) as other:
        other.execute("UPDATE alerts SET payload = ?", (b"{}",))
    other.close()

    with pytest.raises(JournalCorruptError, match="alerts"):
        await journal.remember()


async def test_decisions_are_found_by_what_they_are_about_newest_first(journal: Journal) -> None:
    decisions = tuple(
        Decision(at=AT, reason=f"r{number}", source=source, subject=f"d-{number % 2}", fingerprint=f"f{number}")
        for number, source in enumerate(["edge", "edge", "lab", "edge"])
    )
    await journal.commit_judgement(Judgement(decisions=decisions))

    reasons = {
        "all": [decision.reason for decision in await journal.decisions()],
        "two": [decision.reason for decision in await journal.decisions(limit=2)],
        "fingerprint": [decision.reason for decision in await journal.decisions(fingerprint="f2")],
        "subject": [decision.reason for decision in await journal.decisions(subject="d-1", source="edge")],
    }

    assert reasons == {
        "all": ["r3", "r2", "r1", "r0"],
        "two": ["r3", "r2"],
        "fingerprint": ["r2"],
        "subject": ["r3", "r1"],
    }
    assert (await journal.decisions(limit=1))[0] == decisions[3]


async def test_text_of_decisions_and_of_what_was_set_aside_holds_no_secret(journal: Journal, path: Path) -> None:
    secret = 'hook"s3cret'
    await journal.commit_page(PageWrite(source="edge", events=[offline(1)]))

    await journal.commit_judgement(
        Judgement(cursor=1, decisions=(Decision(at=AT, reason="muted", detail=f"by {secret}"),)),
        deliveries=[(msgspec.structs.replace(delivery("a"), summary=secret), False)],
        set_aside=[(1, f"ValueError: {secret}")],
    )

    await journal.close()
    assert b"s3cret" not in content(path)


async def test_a_judgement_whose_delivery_cannot_be_stored_changes_nothing(journal: Journal) -> None:
    await journal.commit_judgement(Judgement(), deliveries=[(delivery("a"), False)])

    with pytest.raises(JournalRefusedError, match="UNIQUE"):
        await journal.commit_judgement(judgement(7), deliveries=[(delivery("a"), False)])

    assert await journal.remember() == Remembered()
    assert await journal.decisions() == []


async def test_an_event_may_be_set_aside_twice(journal: Journal, path: Path) -> None:
    await journal.commit_judgement(Judgement(cursor=1), set_aside=[(1, "first")])

    await journal.commit_judgement(Judgement(cursor=1), set_aside=[(1, "second")])

    await journal.close()
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT event_id, error FROM set_aside").fetchall() == [(1, "second")]
    other.close()
