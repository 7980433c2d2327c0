"""How a journal is opened, and when it is refused."""

import asyncio
import errno
import os
import resource
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleetpulse.journal import migration, storage
from fleetpulse.journal.entries import PageWrite
from fleetpulse.journal.errors import (
    JournalCorruptError,
    JournalHeldError,
    JournalUnavailableError,
    told_with_cure,
)
from fleetpulse.journal.journal import Journal
from fleetpulse.journal.lock import FileLock
from fleetpulse.journal.schema import METADATA, REVISIONS
from journal.things import Opener, content, delivery, judgement, offline, record


def _schema(path: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
        found = rows.fetchall()
    connection.close()
    return found


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _make_directory(path: Path) -> None:
    path.mkdir()


def _wide(path: Path) -> None:
    path.touch()
    path.chmod(0o666)


def _write_letters(path: Path) -> None:
    path.write_text("letters to my aunt, and quite a number of them, so that it is longer than a header is\n" * 9)


def _run(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


async def test_a_new_journal_is_for_its_owner_alone(opened: Opener, path: Path) -> None:
    journal = await opened()
    await journal.commit_page(PageWrite(source="edge", events=[offline(1)]))

    assert {_mode(file) for file in path.parent.iterdir()} == {0o600}


async def test_an_open_file_with_a_wider_mode_is_narrowed(opened: Opener, path: Path) -> None:
    _wide(path)

    await opened()

    assert _mode(path) == 0o600


async def test_the_second_instance_is_refused_and_told_who_holds_it(opened: Opener, path: Path) -> None:
    await opened()

    with pytest.raises(JournalHeldError, match=rf"held by another instance \(pid {os.getpid()}\)"):
        await opened()


async def test_another_spelling_of_the_path_is_the_same_journal(opened: Opener, path: Path) -> None:
    await opened()
    link = path.with_name("link.db")
    link.symlink_to(path)

    with pytest.raises(JournalHeldError):
        await Journal.open(f"sqlite:///{link}", redact=str)


async def test_a_closed_journal_may_be_opened_again(opened: Opener, path: Path) -> None:
    first = await opened()
    await first.commit_page(PageWrite(source="edge", events=[offline(1)]))
    await first.close()

    second = await opened()

    assert await second.last_event_id() == second.newest_event_id == 1


async def test_closing_leaves_no_log_behind(opened: Opener, path: Path) -> None:
    journal = await opened()
    await journal.commit_page(PageWrite(source="edge", events=[offline(1)]))

    await journal.close()

    assert {file.name for file in path.parent.iterdir()} == {path.name, f"{path.name}.lock"}


async def test_a_closed_journal_refuses_everything(journal: Journal) -> None:
    await journal.close()
    await journal.close()

    with pytest.raises(JournalUnavailableError, match="closed"):
        await journal.commit_page(PageWrite(source="edge"))
    with pytest.raises(JournalUnavailableError, match="closed"):
        await journal.last_event_id()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////nowhere/fleetpulse.db", "does not exist; create it"),
        ("sqlite:////proc/fleetpulse.db", "journal /proc/fleetpulse.db"),
        ("sqlite://", "no plain file"),
        ("sqlite:///:memory:", "no plain file"),
        ("sqlite:///a.db?mode=ro", "no plain file"),
        ("postgresql://user:hidden@host/x", "kind 'postgresql'"),
        ("no url: hidden", "cannot be read"),
    ],
)
async def test_a_url_that_names_no_usable_file_is_refused_with_its_cure(url: str, words: str) -> None:
    with pytest.raises(JournalUnavailableError, match=words) as caught:
        await Journal.open(url, redact=str)

    assert "hidden" not in str(caught.value)


@contextmanager
def full() -> Iterator[None]:
    """A disk on which files can be made and none can grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("before", [False, True])
async def test_a_full_disk_is_told_with_its_cure(opened: Opener, before: bool) -> None:
    if before:
        await (await opened()).close()

    with full(), pytest.raises(JournalUnavailableError, match="make room on its disk"):
        await opened()

    assert (await opened()).writable


def test_a_lock_holds_where_nobody_can_be_told_who_holds_it(path: Path) -> None:
    with full():
        lock = FileLock.hold(path)

    with pytest.raises(JournalHeldError, match="pid unknown"):
        FileLock.hold(path)
    lock.release()


def test_a_full_disk_is_not_taken_for_a_missing_right() -> None:
    words = told_with_cure(OSError(errno.ENOSPC, "No space left on device"), cure="ask for the right")

    assert words == "No space left on device; free some space there"


async def test_a_directory_is_refused(opened: Opener, path: Path) -> None:
    _make_directory(path)

    with pytest.raises(JournalUnavailableError, match="cannot be written"):
        await opened()


async def test_a_file_of_another_kind_is_refused_and_left_alone(opened: Opener, path: Path) -> None:
    _write_letters(path)
    before = content(path)

    with pytest.raises(JournalUnavailableError, match="some other file"):
        await opened()
    assert content(path) == before


async def test_another_programs_database_is_refused(opened: Opener, path: Path) -> None:
    _run(path, "CREATE TABLE recipes (name TEXT)")

    with pytest.raises(JournalUnavailableError, match="another program's database"):
        await opened()


async def test_a_journal_from_the_future_is_refused(opened: Opener, path: Path) -> None:
    await (await opened()).close()
    _run(path, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(JournalUnavailableError, match="has schema 9999"):
        await opened()


async def test_a_refused_journal_is_not_held(opened: Opener, path: Path) -> None:
    _run(path, "CREATE TABLE recipes (name TEXT)")
    with pytest.raises(JournalUnavailableError):
        await opened()
    _run(path, "DROP TABLE recipes")

    journal = await opened()

    assert journal.writable


async def test_a_damaged_journal_is_refused(opened: Opener, path: Path) -> None:
    journal = await opened()
    await journal.commit_page(PageWrite(source="edge", events=[offline(number) for number in range(500)]))
    await journal.close()
    damage(path)

    with pytest.raises(JournalCorruptError, match="restore a backup"):
        await opened()


async def test_damage_found_later_ends_everything(opened: Opener, path: Path) -> None:
    journal = await opened()
    await journal.commit_page(PageWrite(source="edge", events=[offline(number) for number in range(500)]))
    await journal.close()
    journal = await opened()
    damage(path)

    with pytest.raises(JournalCorruptError):
        await journal.events_after(0)
    with pytest.raises(JournalCorruptError):
        await journal.failed
    with pytest.raises(JournalCorruptError):
        await journal.commit_page(PageWrite(source="edge", record=record()))

    assert not journal.writable


def damage(path: Path) -> None:
    """Overwrite the pages behind the first ones, as a bad disk would."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xa5" * (size // 2))


def _removed(file: Path) -> None:
    file.unlink()


def _replaced(file: Path) -> None:
    file.rename(file.with_name("moved away"))
    file.touch()


@pytest.mark.parametrize("name", ["fleetpulse.db", "fleetpulse.db.lock"])
@pytest.mark.parametrize("lose", [_removed, _replaced])
async def test_a_journal_whose_file_is_lost_while_it_is_open_is_unusable(
    journal: Journal, path: Path, lose: Callable[[Path], None], name: str
) -> None:
    await journal.commit_page(PageWrite(source="edge", events=[offline(1)]))
    await journal.look_after_files()
    assert journal.writable
    lose(path.with_name(name))

    await journal.look_after_files()

    with pytest.raises(JournalUnavailableError, match=f"was removed or replaced: .*{name};"):
        await journal.failed
    with pytest.raises(JournalUnavailableError, match="removed or replaced"):
        await journal.commit_page(PageWrite(source="edge", events=[offline(2)]))
    assert not journal.writable


async def test_the_files_of_a_closed_journal_are_nobodys_business(journal: Journal, path: Path) -> None:
    await journal.close()
    _removed(path)

    await journal.look_after_files()

    assert not journal.failed.done()


async def test_migrations_make_the_same_schema_as_a_new_journal(opened: Opener, path: Path, tmp_path: Path) -> None:
    await (await opened()).close()
    migrated = tmp_path / "migrated.db"
    engine = storage.engine(migrated, begin="BEGIN IMMEDIATE")
    with engine.connect() as connection, connection.begin():
        migration.migrate(connection)

    assert _schema(migrated) == _schema(path)
    with sqlite3.connect(migrated) as plain:
        assert plain.execute("SELECT version_num FROM alembic_version").fetchall() == [(REVISIONS[-1],)]
    plain.close()


async def test_an_older_journal_is_brought_up_to_date(opened: Opener, path: Path) -> None:
    _run(path, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")

    journal = await opened()

    await journal.commit_judgement(judgement(1), deliveries=[(delivery("a"), True)])
    assert {name for name, _ in _schema(path)} > set(METADATA.tables)


def test_alembic_is_not_imported_for_a_journal_of_today(path: Path) -> None:
    program = (
        "import asyncio, sys; from fleetpulse.journal.journal import Journal\n"
        "async def main():\n    await (await Journal.open(sys.argv[1], redact=str)).close()\n"
        "asyncio.run(main()); asyncio.run(main()); print('alembic' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{path}"], capture_output=True, text=True, check=True, timeout=50
    )

    assert done.stdout.strip() == "False"


async def test_two_that_open_at_once_give_one_journal(opened: Opener) -> None:
    both = await asyncio.gather(opened(), opened(), return_exceptions=True)

    assert sorted(type(one).__name__ for one in both) == ["Journal", "JournalHeldError"]
