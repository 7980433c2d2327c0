"""The journal's tables. A change here is a new file in `migrations/versions` and a new name in `REVISIONS`."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
)

from fleetpulse import clock

REVISIONS: Final = ("0001",)
"""Every version of the schema, oldest first; the last one is what `METADATA` says."""


class Microseconds(TypeDecorator[datetime]):
    """An aware time, stored as whole microseconds since 1970: exact, sortable, the same in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's hook
        """To the database."""
        return None if value is None else clock.to_us(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's hook
        """From the database."""
        return None if value is None else clock.from_us(value)


_ID: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only a column declared INTEGER

METADATA: Final = MetaData()

EVENTS: Final = Table(
    "events",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("source", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("seen_at", Microseconds, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("events_seen_at", "seen_at"),
    sqlite_autoincrement=True,  # without it SQLite gives the ids of deleted rows again
)
SEGMENTS: Final = Table(
    "segments",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("payload", LargeBinary, nullable=False),
)
FOLLOWED: Final = Table(
    "followed",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)
SOURCES: Final = Table(
    "sources",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)
CURSORS: Final = Table(
    "cursors",
    METADATA,
    Column("consumer", Text, primary_key=True),
    Column("event_id", BigInteger, nullable=False),
)
CONDITIONS: Final = Table(
    "conditions",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)
ALERTS: Final = Table(
    "alerts",
    METADATA,
    Column("fingerprint", Text, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)
GROUPS: Final = Table(
    "groups",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)
TOLD: Final = Table(
    "told",
    METADATA,
    Column("receiver", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)
DECISIONS: Final = Table(
    "decisions",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("at", Microseconds, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("decisions_at", "at"),
    Index("decisions_fingerprint", "fingerprint"),
    Index("decisions_subject", "subject", "source"),
    sqlite_autoincrement=True,
)
OUTBOX: Final = Table(
    "outbox",
    METADATA,
    Column("sequence", _ID, primary_key=True),  # the order they were made in, which no clock can turn around
    Column("id", Text, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", Microseconds, nullable=False),
    Column("created_at", Microseconds, nullable=False),
    Column("noticed_at", Microseconds, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("doubtful", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("status", Integer),
    Column("done_at", Microseconds),
    Column("summary", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("outbox_id", "id", unique=True),
    Index("outbox_due", "receiver", "state", "due_at", "sequence"),
    Index("outbox_group", "receiver", "group_key", "state", "sequence"),
    Index("outbox_state", "state", "sequence"),
    Index("outbox_done_at", "done_at"),
    sqlite_autoincrement=True,
)
SET_ASIDE: Final = Table(
    "set_aside",
    METADATA,
    Column("event_id", BigInteger, primary_key=True, autoincrement=False),
    Column("error", Text, nullable=False),
    Column("at", Microseconds, nullable=False),
)
VERSION: Final = Table(  # as alembic itself would make it, so that it takes it for its own
    "alembic_version",
    METADATA,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
