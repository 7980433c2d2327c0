"""Transaction 1 and what is read back of it: the known fleets and the events."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, func, select, union

from fleetpulse import clock
from fleetpulse.fleet import known
from fleetpulse.fleet.events import AnyEvent, Event, SourceRemoved
from fleetpulse.fleet.source import SourceRecord
from fleetpulse.journal import rows
from fleetpulse.journal.encoding import Encoder
from fleetpulse.journal.entries import PageWrite, StoredEvent, StoredSource, Undecodable
from fleetpulse.journal.errors import JournalCorruptError
from fleetpulse.journal.schema import CURSORS, EVENTS, FOLLOWED, SEGMENTS, SOURCES

_EVENT: Final[msgspec.json.Decoder[AnyEvent]] = msgspec.json.Decoder(AnyEvent)
_RECORD: Final = msgspec.json.Decoder(SourceRecord)
_NEWEST: Final = select(func.max(EVENTS.c.id))  # made once: to put a statement together takes longer than to run it


def write(connection: Connection, page: PageWrite, *, encoder: Encoder) -> range:
    """Store a page; the ids of its events in their order."""
    rows.put(
        connection,
        SEGMENTS,
        (
            # Segments are not searched for secrets: what is known must be after a restart what it was before.
            (page.source, number, known.dump(segment))
            for number, segment in page.segments.items()
        ),
    )
    rows.remove(connection, FOLLOWED, ((page.source, *key) for key, thing in page.followed.items() if thing is None))
    rows.put(
        connection,
        FOLLOWED,
        (
            (page.source, kind, key, encoder.msgpack(thing))
            for (kind, key), thing in page.followed.items()
            if thing is not None
        ),
    )
    if page.record is not None:
        rows.put(connection, SOURCES, [(page.source, encoder.json(page.record))])
    return _append(connection, page.events, encoder)


def remove_source(connection: Connection, source: str, event: SourceRemoved, *, encoder: Encoder) -> int:
    """Forget a source but for its events; the id of the event that says so."""
    for table in (SEGMENTS, FOLLOWED, SOURCES):
        connection.execute(delete(table).where(table.c.source == source))
    return _append(connection, [event], encoder).start


def load_source(connection: Connection, source: str) -> StoredSource:
    """All that is kept of a source, empty where nothing is.

    Errors: JournalCorruptError when its record cannot be read.
    """
    record = connection.scalar(select(SOURCES.c.payload).where(SOURCES.c.source == source))
    segments = connection.execute(select(SEGMENTS.c.number, SEGMENTS.c.payload).where(SEGMENTS.c.source == source))
    followed = connection.execute(
        select(FOLLOWED.c.kind, FOLLOWED.c.id, FOLLOWED.c.payload).where(FOLLOWED.c.source == source)
    )
    return StoredSource(
        record=None if record is None else _record(source, record),
        segments={row.number: row.payload for row in segments},
        followed={(kind, key): payload for kind, key, payload in followed},
    )


def sources(connection: Connection) -> list[str]:
    """The names of all sources of which anything is kept."""
    kept = union(*(select(table.c.source) for table in (SOURCES, SEGMENTS, FOLLOWED)))
    return sorted(connection.execute(kept).scalars())


def events_after(connection: Connection, event_id: int, *, limit: int) -> list[StoredEvent | Undecodable]:
    """Events in id order."""
    wanted = select(EVENTS.c.id, EVENTS.c.payload).where(EVENTS.c.id > event_id).order_by(EVENTS.c.id).limit(limit)
    return [_event(number, payload) for number, payload in connection.execute(wanted)]


def last_event_id(connection: Connection) -> int:
    """The highest id ever given, 0 when there was none.

    Retention may have deleted that very event, but never past a cursor, so then the cursor says it.
    """
    newest = connection.scalar(_NEWEST) or 0
    return max(newest, connection.scalar(select(func.max(CURSORS.c.event_id))) or 0)


def _append(connection: Connection, events: Sequence[Event], encoder: Encoder) -> range:
    if not events:
        return range(0)
    rows.add(
        connection,
        EVENTS,
        ("source", "subject", "type", "seen_at", "payload"),
        (
            (event.source, event.subject, event.type, clock.to_us(event.seen_at), payload)
            for event, payload in zip(events, encoder.many(events), strict=True)
        ),
    )
    # Nobody else inserts while this transaction is open, so the ids are the last ones and without a gap.
    last = connection.execute(_NEWEST).scalar_one()
    return range(last - len(events) + 1, last + 1)


def _event(number: int, payload: bytes) -> StoredEvent | Undecodable:
    try:
        return StoredEvent(number, _EVENT.decode(payload))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Undecodable(number, str(error))


def _record(source: str, payload: bytes) -> SourceRecord:
    try:
        return _RECORD.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise JournalCorruptError(f"the journal's record of source {source} cannot be read: {error}") from error
