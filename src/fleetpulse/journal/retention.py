"""What is old is deleted: never an event that a cursor has not passed, never a delivery that is still owed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from fleetpulse.journal import pages
from fleetpulse.journal.schema import CURSORS, DECISIONS, EVENTS, OUTBOX, SET_ASIDE


def old_events(connection: Connection, *, older_than: datetime, batch: int) -> int:
    """Delete events that were seen before then; how many they were."""
    wanted = EVENTS.c.seen_at < older_than, EVENTS.c.id <= _passed(connection)
    return _delete(connection, EVENTS, *wanted, order=EVENTS.c.seen_at, batch=batch)


def surplus_events(connection: Connection, *, most: int, batch: int) -> int:
    """Delete the first events where there are more than `most`; how many they were.

    Ids stand for the count: they have hardly a gap, and counting half a million rows takes longer than deleting them.
    """
    surplus = min(pages.last_event_id(connection) - most, _passed(connection))
    return _delete(connection, EVENTS, EVENTS.c.id <= surplus, order=EVENTS.c.id, batch=batch)


def old_decisions(connection: Connection, *, older_than: datetime, batch: int) -> int:
    """Delete decisions; how many they were."""
    return _delete(connection, DECISIONS, DECISIONS.c.at < older_than, order=DECISIONS.c.at, batch=batch)


def surplus_decisions(connection: Connection, *, most: int, batch: int) -> int:
    """Delete the first decisions where there are more than `most`, counted by their ids; how many they were."""
    surplus = (connection.scalar(select(func.max(DECISIONS.c.id))) or 0) - most
    return _delete(connection, DECISIONS, DECISIONS.c.id <= surplus, order=DECISIONS.c.id, batch=batch)


def old_deliveries(connection: Connection, *, older_than: datetime, batch: int) -> int:
    """Delete outbox rows that reached their end before then: only those have a `done_at`."""
    return _delete(connection, OUTBOX, OUTBOX.c.done_at < older_than, order=OUTBOX.c.done_at, batch=batch)


def old_set_aside(connection: Connection, *, older_than: datetime, batch: int) -> int:
    """Delete notes on events that could not be judged; how many they were."""
    return _delete(connection, SET_ASIDE, SET_ASIDE.c.at < older_than, order=SET_ASIDE.c.at, batch=batch)


def _passed(connection: Connection) -> int:
    return connection.execute(select(func.min(CURSORS.c.event_id))).scalar() or 0


def _delete(
    connection: Connection, table: Table, *wanted: ColumnElement[bool], order: ColumnElement[Any], batch: int
) -> int:
    (key,) = table.primary_key
    oldest = select(key).where(*wanted).order_by(order).limit(batch)
    return connection.execute(delete(table).where(key.in_(oldest))).rowcount
