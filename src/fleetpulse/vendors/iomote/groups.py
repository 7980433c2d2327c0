"""Rows of the group list become groups; people and telephones in them are not read."""

from typing import Any

import msgspec

from fleetpulse.fleet.group import Group
from fleetpulse.vendors.wire import Rows, Table, text
from fleetpulse.vendors.wire.rows import refuse_unreadable


class GroupRow(msgspec.Struct):
    """The fields that are used, of any type."""

    id: Any = None
    name: Any = None


def group_table() -> Table[GroupRow]:
    """A bare list is documented."""
    return Table(GroupRow, keys=("groups", "data", "items"), lone="id")


def groups(rows: Rows[GroupRow]) -> Rows[Group]:
    """The groups; rows without an id are counted as odd and skipped.

    Errors: AnswerInvalid where no row has one.
    """
    items: list[Group] = []
    odd, oddity = rows.odd, rows.oddity
    for index, row in enumerate(rows.items):
        spelled = text(row.id)
        if spelled:
            items.append(Group(id=spelled, name=text(row.name) or spelled))
        else:
            odd += 1
            oddity = oddity or f"row {index}: no id"
    refuse_unreadable(len(items), odd=odd, oddity=oddity)
    return Rows(items=items, odd=odd, oddity=oddity)
