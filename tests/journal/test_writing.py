"""One writing thread: group commit, savepoints, waiting out what passes, cancellation."""

import asyncio
import resource
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from fleetpulse.journal import storage
from fleetpulse.journal.entries import PageWrite, StoredEvent
from fleetpulse.journal.errors import JournalUnavailableError, Verdict, told, verdict
from fleetpulse.journal.journal import Journal
from journal.things import AT, Opener, content, offline, record, segment


class Gate:
    """Holds the writing thread at a step until it is opened."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self._entered = threading.Event()
        self._open = threading.Event()

    def at_step(self, step: str) -> None:
        self.steps.append(step)
        self._entered.set()
        self._open.wait(30)

    async def entered(self) -> None:
        await asyncio.to_thread(self._entered.wait, 30)

    def open(self) -> None:
        self._open.set()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program writes, and takes its time."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def until_trouble(journal: Journal) -> None:
    while journal.writable:  # noqa: ASYNC110 - it is found by another thread, which tells nobody
        await asyncio.sleep(0.01)


def page(*numbers: int, name: str = "") -> PageWrite:
    return PageWrite(source="edge", events=[offline(number, name=name) for number in numbers])


async def test_operations_that_wait_share_one_commit(opened: Opener) -> None:
    gate = Gate()
    journal = await opened(gate.at_step)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(journal.commit_page(page(0)))
        await gate.entered()
        for number in range(1, 4):
            tasks.create_task(journal.commit_page(page(number)))
        await asyncio.sleep(0)  # each of them hands its operation over

        gate.open()

    assert gate.steps == [
        "page:before-commit",
        "page:after-commit",
        *["page:before-commit"] * 3,
        *["page:after-commit"] * 3,
    ]
    assert [event.id for event in await journal.events_after(0)] == [1, 2, 3, 4]


async def test_one_that_fails_does_not_spoil_the_others(opened: Opener) -> None:
    gate = Gate()
    journal = await opened(gate.at_step)
    writes = [page(1), page(2, name="\ud800"), page(3)]  # a lone surrogate is no text that can be stored
    first = asyncio.ensure_future(journal.commit_page(page(0)))
    await gate.entered()
    rest = asyncio.gather(*(journal.commit_page(write) for write in writes), return_exceptions=True)
    await asyncio.sleep(0)
    gate.open()

    await first
    good, bad, other = await rest

    assert (good, other) == (range(2, 3), range(3, 4))
    assert isinstance(bad, UnicodeEncodeError)
    assert journal.writable
    stored = await journal.events_after(1)
    assert stored == [StoredEvent(2, offline(1)), StoredEvent(3, offline(3))]


async def test_what_fails_half_way_leaves_nothing(journal: Journal) -> None:
    write = PageWrite(source="edge", segments={0: segment(1)}, events=[offline(1, name="\ud800")], record=record())

    with pytest.raises(UnicodeEncodeError):
        await journal.commit_page(write)

    assert await journal.sources() == []


async def test_an_operation_is_done_though_its_caller_was_cancelled(opened: Opener) -> None:
    gate = Gate()
    journal = await opened(gate.at_step)
    first = asyncio.ensure_future(journal.commit_page(page(1)))
    await gate.entered()
    cancelled, other = (asyncio.ensure_future(journal.commit_page(page(number))) for number in (2, 3))
    await asyncio.sleep(0)

    cancelled.cancel()
    gate.open()

    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert [await first, await other] == [range(1, 2), range(3, 4)]
    assert journal.newest_event_id == 3
    assert journal.owed == 0


async def test_callers_wait_while_another_program_holds_the_lock(journal: Journal, path: Path) -> None:
    with capture_logs() as logs:
        with locked(path):
            waiting = asyncio.ensure_future(journal.commit_page(page(1)))
            await until_trouble(journal)
            assert "locked" in journal.trouble
            assert await journal.last_event_id() == 0  # reading goes on
        ids = await waiting

    assert ids == range(1, 2)
    assert (journal.writable, journal.trouble) == (True, "")
    assert [(line["log_level"], line["event"]) for line in logs] == [
        ("error", "journal cannot be written, trying again"),
        ("info", "journal can be written again"),
    ]


async def test_callers_wait_while_the_disk_takes_nothing(journal: Journal, path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(content(path)), hard))
    with capture_logs() as logs:
        try:
            waiting = asyncio.ensure_future(journal.commit_page(page(*range(5000))))
            await until_trouble(journal)
            await asyncio.sleep(0.25)  # it is tried once or twice more, and not told again
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        ids = await waiting

    assert [line["log_level"] for line in logs] == ["error", "info"]
    assert ids == range(1, 5001)
    assert len(await journal.events_after(0, limit=9999)) == 5000


async def test_closing_gives_up_what_cannot_be_written(journal: Journal, path: Path) -> None:
    with locked(path):
        waiting = asyncio.ensure_future(journal.commit_page(page(1)))
        await until_trouble(journal)

        await journal.close()

        with pytest.raises(JournalUnavailableError, match="closed before this could be written: database is locked"):
            await waiting


async def test_what_was_given_up_at_the_end_is_not_said_to_be_written_again(journal: Journal, path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(content(path)), hard))
    with capture_logs() as logs:
        try:
            large = asyncio.ensure_future(journal.commit_page(page(*range(5000))))
            await until_trouble(journal)
            nothing_due = asyncio.ensure_future(journal.claim("ops", now=AT))
            await asyncio.sleep(0)

            await journal.close()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    with pytest.raises(JournalUnavailableError, match="closed before this could be written"):
        await large
    assert await nothing_due == []
    assert [line["log_level"] for line in logs] == ["error"]


async def test_closing_does_what_waits(opened: Opener) -> None:
    gate = Gate()
    journal = await opened(gate.at_step)
    writes = [asyncio.ensure_future(journal.commit_page(page(number))) for number in range(3)]
    await gate.entered()
    closing = asyncio.ensure_future(journal.close())
    gate.open()

    await closing

    assert [await write for write in writes] == [range(1, 2), range(2, 3), range(3, 4)]


async def test_a_pause_folds_the_log_into_the_file(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetpulse.journal.clerk._REST_AFTER_S", 0.0)

    await journal.commit_page(page(1, name="folded in"))

    async with asyncio.timeout(30):
        while b"folded in" not in content(path):  # noqa: ASYNC110 - another thread writes it, and tells nobody
            await asyncio.sleep(0.01)


async def test_one_that_fails_alone_leaves_the_next_its_transaction(journal: Journal) -> None:
    with pytest.raises(UnicodeEncodeError):
        await journal.commit_page(page(1, name="\ud800"))

    assert await journal.commit_page(page(2)) == range(1, 2)
    assert journal.writable


async def test_a_bug_in_the_journal_ends_everything(opened: Opener) -> None:
    def stumble(step: str) -> None:
        raise ZeroDivisionError(step)

    journal = await opened(stumble)

    with pytest.raises(JournalUnavailableError, match="page:before-commit"):
        await journal.commit_page(page(1))
    with pytest.raises(ZeroDivisionError):
        await journal.failed
    with pytest.raises(ZeroDivisionError):
        await journal.events_after(0)

    assert not journal.writable


def test_a_full_disk_passes_and_a_double_key_is_the_operations_own(path: Path) -> None:
    engine = storage.engine(path, begin="BEGIN IMMEDIATE")
    with engine.connect() as connection:
        with connection.begin():
            connection.exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB)")
        connection.exec_driver_sql("PRAGMA max_page_count = 4")
        with pytest.raises(DBAPIError) as full:
            connection.exec_driver_sql("INSERT INTO t VALUES (1, zeroblob(99999))")
    with engine.connect() as connection, pytest.raises(DBAPIError) as double, connection.begin():
        connection.exec_driver_sql("INSERT INTO t (id) VALUES (1), (1)")

    assert verdict(full.value) is Verdict.PASSING
    assert told(full.value) == "database or disk is full"
    assert verdict(double.value) is Verdict.OWN


def test_an_errors_words_hold_no_parameters(path: Path) -> None:
    engine = storage.engine(path, begin="BEGIN")
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (?)", ("my token",))

    assert "my token" not in str(caught.value)
