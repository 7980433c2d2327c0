"""Rows in and out of tables, in batches and in SQL that every database understands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Table, and_, bindparam, delete, insert

BATCH_ROWS: Final = 2000  # past a few thousand rows a batch gets no faster, only larger

Item = TypeVar("Item")


def batches(items: Iterable[Item], size: int = BATCH_ROWS) -> Iterator[list[Item]]:
    """The items in lists of `size`, the last one shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def add(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert new rows; rows may be made as they are asked for."""
    for batch in batches(rows):
        connection.execute(insert(table), batch)


def append(connection: Connection, table: Table, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert many rows fast, their values in the order of `names` and as the driver takes them.

    Past SQLAlchemy's handling of each parameter, which takes longer than the database itself.
    """
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    marks = ", ".join([mark] * len(names))
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - all names are ours
    for batch in batches(rows):
        connection.exec_driver_sql(statement, batch)


def remove(connection: Connection, table: Table, keys: Iterable[Sequence[Any]]) -> None:
    """Delete rows by primary key, given in the order of its columns; a key without a row is passed over."""
    columns = list(table.primary_key)
    statement = delete(table).where(and_(*(column == bindparam(f"key_{column.name}") for column in columns)))
    names = [f"key_{column.name}" for column in columns]
    for batch in batches(keys):
        connection.execute(statement, [dict(zip(names, key, strict=True)) for key in batch])


def put(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows or replace those with the same primary key.

    Deleting first is portable where each database has its own upsert, and safe because only one writer exists.
    """
    names = [column.name for column in table.primary_key]
    for batch in batches(rows):
        remove(connection, table, ([row[name] for name in names] for row in batch))
        connection.execute(insert(table), batch)
