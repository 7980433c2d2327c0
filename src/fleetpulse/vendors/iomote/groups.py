"""Rows of the group list become groups; people and telephones in them are not read."""

from typing import Any

import msgspec

from fleetpulse.fleet.group import Group
from fleetpulse.vendors.wire import Rows, Table, identifier, made_of, text


class GroupRow(msgspec.Struct):
    """The fields that are used, of any type."""

    id: Any = None
    name: Any = None


def group_table() -> Table[GroupRow]:
    """A bare list is documented."""
    return Table(GroupRow, keys=("groups", "data", "items"), lone="id")


async def groups(rows: Rows[GroupRow]) -> Rows[Group]:
    """The groups; rows without an id are counted as odd and skipped.

    Errors: AnswerInvalid where no row has one.
    """
    return await made_of(rows, _group, lacking="no id")


def _group(row: GroupRow) -> Group | None:
    spelled = identifier(row.id)
    return Group(id=spelled, name=text(row.name) or spelled) if spelled else None
