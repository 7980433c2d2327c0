"""Transactions 2 and 3 and what a restart takes up again: conditions, alerts, groups, what was told, the cursor."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, Table, select

from fleetpulse import clock
from fleetpulse.alerting.condition import Condition, ConditionKey, ConditionKind
from fleetpulse.alerting.state import Alert, Decision, Group, Judgement, Remembered, Told
from fleetpulse.journal import outbox, rows
from fleetpulse.journal.encoding import Encoder
from fleetpulse.journal.entries import Delivery
from fleetpulse.journal.errors import JournalCorruptError
from fleetpulse.journal.schema import ALERTS, CONDITIONS, CURSORS, DECISIONS, GROUPS, SET_ASIDE, TOLD

EVALUATOR: Final = "evaluator"

Key = TypeVar("Key", bound=tuple[str, ...])
Value = TypeVar("Value", bound=msgspec.Struct)


def write(
    connection: Connection,
    judgement: Judgement,
    *,
    deliveries: Sequence[tuple[Delivery, bool]],
    set_aside: Sequence[tuple[int, str]],
    at: datetime,
    encoder: Encoder,
) -> None:
    """Store what one look decided and what is to be sent of it; a delivery's bool says that it is born claimed."""
    conditions = {(key.kind.value, key.source, key.subject): value for key, value in judgement.conditions.items()}
    _keep(connection, CONDITIONS, conditions, encoder)
    _keep(connection, ALERTS, {(key,): value for key, value in judgement.alerts.items()}, encoder)
    _keep(connection, GROUPS, {(key,): value for key, value in judgement.groups.items()}, encoder)
    _keep(connection, TOLD, judgement.told, encoder)
    rows.add(
        connection,
        DECISIONS,
        ("at", "reason", "source", "subject", "fingerprint", "detail"),
        (
            (clock.to_us(each.at), each.reason, each.source, each.subject, each.fingerprint, encoder.text(each.detail))
            for each in judgement.decisions
        ),
    )
    outbox.add(connection, deliveries, encoder=encoder)
    rows.put(connection, SET_ASIDE, ((event, encoder.text(error), clock.to_us(at)) for event, error in set_aside))
    if judgement.cursor is not None:
        rows.put(connection, CURSORS, [(EVALUATOR, judgement.cursor)])


def remember(connection: Connection) -> Remembered:
    """All of it, from one snapshot.

    Errors: JournalCorruptError when a row cannot be read: going on without it would tell things twice, or never.
    """
    cursor = select(CURSORS.c.event_id).where(CURSORS.c.consumer == EVALUATOR)
    return Remembered(
        cursor=connection.execute(cursor).scalar() or 0,
        conditions={
            ConditionKey(ConditionKind(kind), source, subject): condition
            for (kind, source, subject), condition in _kept(connection, CONDITIONS, Condition).items()
        },
        alerts={key: alert for (key,), alert in _kept(connection, ALERTS, Alert).items()},
        groups={key: group for (key,), group in _kept(connection, GROUPS, Group).items()},
        told={(receiver, key): told for (receiver, key), told in _kept(connection, TOLD, Told).items()},
    )


def decisions(
    connection: Connection, *, fingerprint: str | None, source: str | None, subject: str | None, limit: int
) -> list[Decision]:
    """Decisions about what is asked for, newest first."""
    columns = [DECISIONS.c[name] for name in Decision.__struct_fields__]
    wanted = select(*columns).order_by(DECISIONS.c.id.desc()).limit(limit)
    for column, value in (
        (DECISIONS.c.fingerprint, fingerprint),
        (DECISIONS.c.source, source),
        (DECISIONS.c.subject, subject),
    ):
        wanted = wanted if value is None else wanted.where(column == value)
    return [Decision(**row._mapping) for row in connection.execute(wanted)]  # noqa: SLF001 - a Row's public mapping


def _keep(
    connection: Connection,
    table: Table,
    values: Mapping[Key, msgspec.Struct | None],
    encoder: Encoder,
) -> None:
    rows.remove(connection, table, (key for key, value in values.items() if value is None))
    kept = ((*key, encoder.json(value)) for key, value in values.items() if value is not None)
    rows.put(connection, table, kept)


def _kept(connection: Connection, table: Table, kind: type[Value]) -> dict[tuple[Any, ...], Value]:
    decoder = msgspec.json.Decoder(kind)
    found: dict[tuple[Any, ...], Value] = {}
    for *key, payload in connection.execute(select(*table.primary_key, table.c.payload)):
        try:
            found[tuple(key)] = decoder.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise JournalCorruptError(f"the journal's {table.name} {key} cannot be read: {error}") from error
    return found
