"""The outbox: what receivers are owed, transactions 4 and 5, and what people see of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, bindparam, exists, false, func, select, true, update

from fleetpulse import clock
from fleetpulse.journal import rows
from fleetpulse.journal.encoding import Encoder
from fleetpulse.journal.entries import Delivery, DeliveryRecord, OutboxRow
from fleetpulse.journal.errors import JournalRefusedError
from fleetpulse.journal.schema import OUTBOX

OWED: Final = "owed"
CLAIMED: Final = "claimed"
_OPEN: Final = (OWED, CLAIMED)
_TIMES: Final = frozenset({"created_at", "noticed_at", "due_at"})


def _leads_its_group() -> ColumnElement[bool]:
    older = OUTBOX.alias()
    return ~exists().where(
        older.c.receiver == OUTBOX.c.receiver,
        older.c.group_key == OUTBOX.c.group_key,
        older.c.state.in_(_OPEN),
        older.c.sequence < OUTBOX.c.sequence,
    )


# Made once: to put a statement together takes several times as long as to run it.
_OWED: Final = (OUTBOX.c.receiver == bindparam("receiver"), OUTBOX.c.state == OWED, _leads_its_group())
_DUE: Final = (
    select(*(OUTBOX.c[name] for name in Delivery.__struct_fields__))
    .where(*_OWED, OUTBOX.c.due_at <= bindparam("now"))
    .order_by(OUTBOX.c.due_at, OUTBOX.c.sequence)
    .limit(bindparam("limit"))
)
_NEXT_DUE: Final = select(func.min(OUTBOX.c.due_at)).where(*_OWED)
_CLAIM: Final = update(OUTBOX).where(OUTBOX.c.id == bindparam("key")).values(state=CLAIMED)
_TRIED: Final = (
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("key"), OUTBOX.c.done_at.is_(None))
    .values(
        attempts=OUTBOX.c.attempts + 1,
        reason=bindparam("told_reason"),
        detail=bindparam("told_detail"),
        status=bindparam("told_status"),
    )
)
_OUTCOMES: Final = {
    "retry": _TRIED.values(state=OWED, due_at=bindparam("told_at"), doubtful=false()),
    # What was delivered is never sent again, and payloads are most of the outbox; a dead row keeps its own.
    "delivered": _TRIED.values(state="delivered", done_at=bindparam("told_at"), payload=b""),
    "dead": _TRIED.values(state="dead", done_at=bindparam("told_at")),
}


def add(connection: Connection, deliveries: Sequence[tuple[Delivery, bool]], *, encoder: Encoder) -> None:
    """New rows; the bool says that a row is born claimed. A payload is stored as it is: it is sent as it is."""
    names = Delivery.__struct_fields__
    rows.add(
        connection,
        OUTBOX,
        (*names, "state", "reason", "detail"),
        (
            (*(_stored(name, getattr(delivery, name), encoder) for name in names), CLAIMED if claimed else OWED, "", "")
            for delivery, claimed in deliveries
        ),
    )


def claim(connection: Connection, receiver: str, *, now: datetime, limit: int) -> list[Delivery]:
    """Mark due rows as being sent, those due the longest first: of each group the oldest row that has not ended.

    A later row of a group waits for it: told the other way round, what is over would seem to have begun again.
    """
    due = connection.execute(_DUE, {"receiver": receiver, "now": now, "limit": limit})
    claimed = [Delivery(**row._mapping) for row in due]  # noqa: SLF001 - a Row's public mapping
    if claimed:
        connection.execute(_CLAIM, [{"key": delivery.id} for delivery in claimed])
    return claimed


def record(connection: Connection, outcomes: Sequence[DeliveryRecord], *, encoder: Encoder) -> None:
    """Store what became of tries. A row that has reached its end meanwhile stays as it is, so this may be repeated.

    Errors: JournalRefusedError for a `retry` without `due_at`.
    """
    told: dict[str, list[dict[str, Any]]] = {state: [] for state in _OUTCOMES}
    for outcome in outcomes:
        again = outcome.state == "retry"
        if again and outcome.due_at is None:
            raise JournalRefusedError(f"delivery {outcome.id} is to be tried again, but not when")
        told[outcome.state].append(
            {
                "key": outcome.id,
                "told_reason": outcome.reason,
                "told_detail": encoder.text(outcome.detail),
                "told_status": outcome.status,
                "told_at": outcome.due_at if again else outcome.at,
            }
        )
    for state, parameters in told.items():
        if parameters:
            connection.execute(_OUTCOMES[state], parameters)


def record_and_claim(
    connection: Connection,
    receiver: str,
    outcomes: Sequence[DeliveryRecord],
    *,
    now: datetime,
    limit: int,
    encoder: Encoder,
) -> tuple[list[Delivery], datetime | None]:
    """What became of tries, the next rows to send, and when the next of those that stay owed is to be sent."""
    record(connection, outcomes, encoder=encoder)
    claimed = claim(connection, receiver, now=now, limit=limit) if limit else []
    return claimed, next_due(connection, receiver)


def release(connection: Connection) -> int:
    """Give every claimed row back: whether it was sent is not known, so it counts as a try and is marked."""
    statement = (
        update(OUTBOX)
        .where(OUTBOX.c.state == CLAIMED)
        .values(state=OWED, doubtful=true(), attempts=OUTBOX.c.attempts + 1)
    )
    return connection.execute(statement).rowcount


def next_due(connection: Connection, receiver: str) -> datetime | None:
    """When the receiver's next row is to be sent; a row that waits for an older one of its group is not next."""
    due_at: datetime | None = connection.execute(_NEXT_DUE, {"receiver": receiver}).scalar()
    return due_at


def counts(connection: Connection) -> Mapping[tuple[str, str], int]:
    """How many rows each (receiver, state) holds."""
    grouped = select(OUTBOX.c.receiver, OUTBOX.c.state, func.count()).group_by(OUTBOX.c.receiver, OUTBOX.c.state)
    return {(receiver, state): number for receiver, state, number in connection.execute(grouped)}


def oldest(connection: Connection) -> Mapping[str, datetime]:
    """When the oldest row that has not reached its end was made, by receiver."""
    unfinished = (
        select(OUTBOX.c.receiver, func.min(OUTBOX.c.created_at).label("created_at"))
        .where(OUTBOX.c.state.in_(_OPEN))
        .group_by(OUTBOX.c.receiver)
    )
    return {row.receiver: row.created_at for row in connection.execute(unfinished)}


def listing(connection: Connection, *, state: str | None, after: str | None, limit: int) -> list[OutboxRow]:
    """Rows newest first, from behind the row `after`; nothing where that row is gone."""
    columns: list[Any] = [OUTBOX.c[name] for name in OutboxRow.__struct_fields__]
    wanted = select(*columns).order_by(OUTBOX.c.sequence.desc()).limit(limit)
    if state is not None:
        wanted = wanted.where(OUTBOX.c.state == state)
    if after is not None:
        # without that row it is compared with NULL, which no row is smaller than
        wanted = wanted.where(
            OUTBOX.c.sequence < select(OUTBOX.c.sequence).where(OUTBOX.c.id == after).scalar_subquery()
        )
    return [OutboxRow(**row._mapping) for row in connection.execute(wanted)]  # noqa: SLF001 - a Row's public mapping


def _stored(name: str, value: Any, encoder: Encoder) -> Any:
    if name in _TIMES:
        return clock.to_us(value)
    return encoder.text(value) if name == "summary" else value
