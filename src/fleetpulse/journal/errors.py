"""What can be wrong with a journal, and what the storage's own errors mean."""

import errno
import sqlite3
from enum import Enum, auto
from typing import Final

from sqlalchemy.exc import DBAPIError


class JournalError(Exception):
    """Something is wrong with the journal. The text is for people: it names the journal and the cure."""


class JournalUnavailableError(JournalError):
    """It cannot be opened or written here: no directory, no right to write, another kind of file, already closed."""


class JournalHeldError(JournalError):
    """Another instance holds it: one instance per journal."""


class JournalCorruptError(JournalError):
    """Its bytes are damaged. Nothing can be believed any more, so the process should end."""


class JournalRefusedError(JournalError):
    """One operation can never be stored as it is, such as a delivery id used twice; the others are not touched."""


class Verdict(Enum):
    """What follows from an error of the storage."""

    PASSING = auto()  # the same again may succeed: locked, disk full, I/O
    CORRUPT = auto()
    OWN = auto()  # the fault of the operation itself


_PRIMARY_CODE: Final = 0xFF  # an extended result code keeps its primary one in the low byte (sqlite.org/rescode.html)
_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def verdict(error: BaseException) -> Verdict:
    """What the error means, whether it comes wrapped by SQLAlchemy or, from a connection's hooks, bare."""
    code = getattr(_origin(error), "sqlite_errorcode", None)
    if code is None:
        return Verdict.OWN
    if code & _PRIMARY_CODE in _CORRUPT:
        return Verdict.CORRUPT
    return Verdict.PASSING if code & _PRIMARY_CODE in _PASSING else Verdict.OWN


def told(error: BaseException) -> str:
    """The driver's own words: never SQLAlchemy's, which carry the statement and its parameters."""
    return str(_origin(error))


def full(error: BaseException) -> bool:
    """Whether a full disk may be behind the error; SQLite tells of one as an I/O error where it grows its log."""
    code = getattr(_origin(error), "sqlite_errorcode", 0)
    return code & _PRIMARY_CODE in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def told_with_cure(error: OSError, *, cure: str) -> str:
    """The system's own words and what to do: make room where it is full, else what the caller knows."""
    return f"{error.strerror}; {'free some space there' if error.errno in _FULL else cure}"


def _origin(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
