"""The file behind the journal: where it is, how connections to it are made, and that it is sound at the start."""

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from fleetpulse.journal import migration, pages
from fleetpulse.journal.errors import (
    JournalCorruptError,
    JournalError,
    JournalUnavailableError,
    Verdict,
    full,
    told,
    told_with_cure,
    verdict,
)

_BUSY_S: Final = 0.5  # how long one try waits for another program's lock; who calls tries again
_WAL_PAGES: Final = 4000  # 16 MiB that a commit folds in itself where there is never a pause to do it in
_WAL_KEPT_BYTES: Final = 64 * 1024 * 1024  # one huge transaction must not leave its log's size behind for ever


def location(url: str) -> Path:
    """The file that `sqlite:///PATH` names, without links, so that two spellings share one lock.

    Errors: JournalUnavailableError for any other kind of URL.
    """
    cure = "write it as sqlite:///PATH"
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise JournalUnavailableError(f"the journal's url cannot be read; {cure}") from None  # it may hold a password
    if parsed.drivername != "sqlite":
        raise JournalUnavailableError(f"the journal's url is of the kind {parsed.drivername!r}; {cure}")
    if not parsed.database or parsed.database == ":memory:" or parsed.query:
        raise JournalUnavailableError(f"the journal's url names no plain file; {cure}")
    return Path(parsed.database).resolve()


def engine(path: Path, *, begin: str) -> Engine:
    """Connections to the file whose transactions begin with these words.

    The driver alone would begin late and only before some statements, so that is taken out of its hands: a reader
    gets one snapshot from its first SELECT on, and a writer has the lock before it reads what it will change.
    """
    made = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None),
        poolclass=NullPool,
        pool_reset_on_return=None,  # a closed connection rolls back by itself
        hide_parameters=True,
    )
    event.listen(made, "connect", _prepare_connection)
    event.listen(made, "begin", lambda connection: connection.exec_driver_sql(begin))
    return made


def make_ready(path: Path) -> int:
    """Create the journal where there is none, check it, bring its schema up to date; the highest event id ever given.

    Errors: JournalUnavailableError, JournalCorruptError.
    """
    _create_file(path)
    ready = engine(path, begin="BEGIN IMMEDIATE")
    try:
        with ready.connect() as connection:
            _check(connection, path)
            with connection.begin():
                migration.bring_up_to_date(connection, path)
                return pages.last_event_id(connection)
    except (DBAPIError, sqlite3.Error) as error:
        raise _explained(error, path) from error
    finally:
        ready.dispose()


def fold_log(connection: Connection) -> None:
    """Copy the log into the file as far as no reader stands in the way.

    Left to the commits, every twentieth page would wait for it.
    """
    _asked(connection, "PRAGMA wal_checkpoint(PASSIVE)")


def _create_file(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        words = told_with_cure(error, cure="give the user of this process the right to")
        raise JournalUnavailableError(f"journal {path} cannot be written: {words}") from error
    if not stat.S_ISREG(path.stat().st_mode):
        raise JournalUnavailableError(f"journal {path} is no plain file; name another one")
    with suppress(PermissionError):  # another user's file that its group may write: its owner decides
        path.chmod(0o600)  # before the log beside it is made, which takes over its mode


def _prepare_connection(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit={_WAL_KEPT_BYTES}")


def _check(connection: Connection, path: Path) -> None:
    mode = _asked(connection, "PRAGMA journal_mode=WAL")
    if mode != "wal":
        raise JournalUnavailableError(
            f"journal {path}: its file system has no shared memory for SQLite; put it on a local disk"
        )
    found = _asked(connection, "PRAGMA quick_check(1)")
    if found != "ok":
        raise JournalCorruptError(_damaged(path, found))


def _asked(connection: Connection, pragma: str) -> str:
    cursor = connection.connection.cursor()  # outside of any transaction, where alone the log may be switched on
    cursor.execute(pragma)
    return str((cursor.fetchone() or ("",))[0])


def _explained(error: Exception, path: Path) -> JournalError:
    if getattr(getattr(error, "orig", error), "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
        return JournalUnavailableError(f"journal {path} is not a journal but some other file; name another one")
    if verdict(error) is Verdict.CORRUPT:
        return JournalCorruptError(_damaged(path, told(error)))
    cure = "; make room on its disk if that is full" if full(error) else ""
    return JournalUnavailableError(f"journal {path} cannot be opened: {told(error)}{cure}")


def _damaged(path: Path, words: str) -> str:
    return f"journal {path} is damaged ({words}); restore a backup, or move it away to begin anew"
