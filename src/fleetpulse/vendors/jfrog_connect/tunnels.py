"""Rows of the port tunnel list become tunnels."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from fleetpulse.fleet.tunnel import Tunnel, TunnelStatus
from fleetpulse.vendors.jfrog_connect.devices import device_id
from fleetpulse.vendors.wire import Rows, Table, identifier, made_of, parse_time, word

_STATUSES: Final[Mapping[str, TunnelStatus]] = {
    "pending": TunnelStatus.PENDING,
    "opened": TunnelStatus.OPEN,
    "open": TunnelStatus.OPEN,
    "closed": TunnelStatus.CLOSED,
    "finished": TunnelStatus.CLOSED,  # the prose's other word for it
    "terminated": TunnelStatus.TERMINATED,
}


class TunnelRow(msgspec.Struct):
    """The fields that are used, of any type; the address under which a tunnel is reached is not among them."""

    port_tunnel_id: Any = None
    device_id: Any = None
    status: Any = None
    created_time: Any = None
    finish_time: Any = None


def tunnel_table() -> Table[TunnelRow]:
    """A bare list is documented; an envelope would name it like the path, or as the device list may be named (Q8)."""
    return Table(TunnelRow, keys=("port_tunnels", "data", "items"), lone="port_tunnel_id")


async def tunnels(rows: Rows[TunnelRow]) -> Rows[Tunnel]:
    """The page's tunnels, ended ones included; rows without an id are counted as odd and skipped.

    Errors: AnswerInvalid where no row has one.
    """
    return await made_of(rows, _tunnel, lacking="no port_tunnel_id")


def strange(rows: Sequence[TunnelRow]) -> list[object]:
    """The statuses among the rows that nobody documented."""
    return [row.status for row in rows if word(row.status) not in _STATUSES]


def _tunnel(row: TunnelRow) -> Tunnel | None:
    spelled = identifier(row.port_tunnel_id)
    if not spelled:
        return None
    finished_at = parse_time(row.finish_time)
    # nobody may think a tunnel closed because its word is new: only an end that is told ends it
    silent = TunnelStatus.OPEN if finished_at is None else TunnelStatus.CLOSED
    return Tunnel(
        id=spelled,
        device=device_id(row.device_id),  # it holds the uuid, whatever its name says
        status=_STATUSES.get(word(row.status), silent),
        created_at=parse_time(row.created_time),
        finished_at=finished_at,
    )
