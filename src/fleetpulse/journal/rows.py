"""Rows in and out of tables, in batches and in SQL that SQLite and PostgreSQL both understand.

Past SQLAlchemy's handling of each statement and parameter, which takes longer than the database itself: values stand as
the driver takes them, a time as its microseconds.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Table

BATCH_ROWS: Final = 2000  # past a few thousand rows a batch gets no faster, only larger

Item = TypeVar("Item")


def batches(items: Iterable[Item], size: int = BATCH_ROWS) -> Iterator[list[Item]]:
    """The items in lists of `size`, the last one shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def add(connection: Connection, table: Table, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert new rows, their values in the order of `names`; rows may be made as they are asked for."""
    _execute(connection, _insertion(connection, table, names), rows)


def put(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert rows or change those with the same primary key, their values in the order of the table's columns."""
    quote = connection.dialect.identifier_preparer.quote
    keys = ", ".join(quote(column.name) for column in table.primary_key)
    others = (quote(column.name) for column in table.columns if not column.primary_key)
    values = ", ".join(f"{name} = excluded.{name}" for name in others)
    insertion = _insertion(connection, table, [column.name for column in table.columns])
    _execute(connection, f"{insertion} ON CONFLICT ({keys}) DO UPDATE SET {values}", rows)


def remove(connection: Connection, table: Table, keys: Iterable[tuple[Any, ...]]) -> None:
    """Delete rows by primary key, given in the order of its columns; a key without a row is passed over."""
    quote = connection.dialect.identifier_preparer.quote
    wanted = " AND ".join(f"{quote(column.name)} = {_mark(connection)}" for column in table.primary_key)
    _execute(connection, f"DELETE FROM {quote(table.name)} WHERE {wanted}", keys)  # noqa: S608 - all names are ours


def _insertion(connection: Connection, table: Table, names: Sequence[str]) -> str:
    quote = connection.dialect.identifier_preparer.quote
    columns, marks = ", ".join(map(quote, names)), ", ".join([_mark(connection)] * len(names))
    return f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({marks})"  # noqa: S608 - all names are ours


def _mark(connection: Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


def _execute(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    for batch in batches(rows):
        connection.exec_driver_sql(statement, batch)
