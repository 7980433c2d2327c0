"""The outbox: what receivers are owed, transactions 4 and 5, and what people see of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, false, func, or_, select, true, update

from fleetpulse.journal import rows
from fleetpulse.journal.encoding import Encoder
from fleetpulse.journal.entries import Delivery, DeliveryRecord, OutboxRow
from fleetpulse.journal.errors import JournalRefusedError
from fleetpulse.journal.schema import OUTBOX

OWED: Final = "owed"
CLAIMED: Final = "claimed"
_OPEN: Final = (OWED, CLAIMED)
_NO_OUTCOME: Final = {"reason": "", "detail": "", "status": None, "done_at": None}


def add(connection: Connection, deliveries: Sequence[tuple[Delivery, bool]], *, encoder: Encoder) -> None:
    """New rows; the bool says that a row is born claimed. A payload is stored as it is: it is sent as it is."""
    rows.add(
        connection,
        OUTBOX,
        (
            {
                **msgspec.structs.asdict(delivery),
                "summary": encoder.text(delivery.summary),
                "state": CLAIMED if claimed else OWED,
                **_NO_OUTCOME,
            }
            for delivery, claimed in deliveries
        ),
    )


def claim(connection: Connection, receiver: str, *, now: datetime, limit: int) -> list[Delivery]:
    """Mark due rows as being sent, those due the longest first: of each group the oldest row that has not ended.

    A later row of a group waits for it: told the other way round, what is over would seem to have begun again.
    """
    columns = [OUTBOX.c[name] for name in Delivery.__struct_fields__]
    due = (
        select(*columns)
        .where(OUTBOX.c.receiver == receiver, OUTBOX.c.state == OWED, OUTBOX.c.due_at <= now, _leads_its_group())
        .order_by(OUTBOX.c.due_at, OUTBOX.c.created_at, OUTBOX.c.id)
        .limit(limit)
    )
    claimed = [Delivery(**row._mapping) for row in connection.execute(due)]  # noqa: SLF001 - a Row's public mapping
    if claimed:
        statement = update(OUTBOX).where(OUTBOX.c.id == bindparam("key")).values(state=CLAIMED)
        connection.execute(statement, [{"key": delivery.id} for delivery in claimed])
    return claimed


def record(connection: Connection, outcomes: Sequence[DeliveryRecord], *, encoder: Encoder) -> None:
    """Store what became of tries. A row that has reached its end meanwhile stays as it is, so this may be repeated.

    Errors: JournalRefusedError for a `retry` without `due_at`.
    """
    again, ended = [], []
    for outcome in outcomes:
        told = {
            "key": outcome.id,
            "told_reason": outcome.reason,
            "told_detail": encoder.text(outcome.detail),
            "told_status": outcome.status,
        }
        if outcome.state != "retry":
            ended.append({**told, "told_state": outcome.state, "told_at": outcome.at})
        elif outcome.due_at is None:
            raise JournalRefusedError(f"delivery {outcome.id} is to be tried again, but not when")
        else:
            again.append({**told, "told_due_at": outcome.due_at})
    statement = (
        update(OUTBOX)
        .where(OUTBOX.c.id == bindparam("key"), OUTBOX.c.done_at.is_(None))
        .values(
            attempts=OUTBOX.c.attempts + 1,
            reason=bindparam("told_reason"),
            detail=bindparam("told_detail"),
            status=bindparam("told_status"),
        )
    )
    if again:
        connection.execute(
            statement.values(state=OWED, due_at=bindparam("told_due_at"), doubtful=false()),
            again,
        )
    if ended:
        connection.execute(statement.values(state=bindparam("told_state"), done_at=bindparam("told_at")), ended)


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
    owed = select(func.min(OUTBOX.c.due_at)).where(
        OUTBOX.c.receiver == receiver, OUTBOX.c.state == OWED, _leads_its_group()
    )
    due_at: datetime | None = connection.execute(owed).scalar()
    return due_at


def _leads_its_group() -> ColumnElement[bool]:
    older = OUTBOX.alias()
    return ~exists().where(
        older.c.receiver == OUTBOX.c.receiver,
        older.c.group_key == OUTBOX.c.group_key,
        older.c.state.in_(_OPEN),
        or_(
            older.c.created_at < OUTBOX.c.created_at,
            and_(older.c.created_at == OUTBOX.c.created_at, older.c.id < OUTBOX.c.id),
        ),
    )


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
    wanted = select(*columns).order_by(OUTBOX.c.created_at.desc(), OUTBOX.c.id.desc()).limit(limit)
    if state is not None:
        wanted = wanted.where(OUTBOX.c.state == state)
    if after is not None:
        created_at = connection.execute(select(OUTBOX.c.created_at).where(OUTBOX.c.id == after)).scalar()
        if created_at is None:
            return []
        older = OUTBOX.c.created_at < created_at
        wanted = wanted.where(or_(older, and_(OUTBOX.c.created_at == created_at, OUTBOX.c.id < after)))
    return [OutboxRow(**row._mapping) for row in connection.execute(wanted)]  # noqa: SLF001 - a Row's public mapping
