"""Rows of the update flow list become flows."""

from typing import Any

import msgspec

from fleetpulse.fleet.flow import UpdateFlow
from fleetpulse.vendors.jfrog_connect.severities import worst
from fleetpulse.vendors.wire import Rows, Table, identifier, made_of, parse_time, text


class FlowRow(msgspec.Struct):
    """The fields that are used, of any type; the severity may be null."""

    uuid: Any = None
    name: Any = None
    created_time: Any = None
    cve_severity: Any = None


def flow_table() -> Table[FlowRow]:
    """The envelope is documented; the other names are those the device list may have (Q8)."""
    return Table(FlowRow, keys=("update_flows", "data", "items"), lone="uuid")


async def flows(rows: Rows[FlowRow]) -> Rows[UpdateFlow]:
    """The page's flows; rows without an id are counted as odd and skipped.

    Errors: AnswerInvalid where no row has one.
    """
    return await made_of(rows, _flow, lacking="no uuid")


def _flow(row: FlowRow) -> UpdateFlow | None:
    spelled = identifier(row.uuid)
    if not spelled:
        return None
    return UpdateFlow(
        id=spelled,
        name=text(row.name) or spelled,
        severity=worst(row.cve_severity),
        created_at=parse_time(row.created_time),
    )
