"""Rows of the port tunnel list become tunnels."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from fleetpulse.fleet.tunnel import Tunnel, TunnelStatus
from fleetpulse.vendors.jfrog_connect.devices import device_id
from fleetpulse.vendors.wire import Rows, Table, parse_time, text, word
from fleetpulse.vendors.wire.rows import refuse_unreadable

_STATUSES: Final[Mapping[str, TunnelStatus]] = {
    "pending": TunnelStatus.PENDING,
    "opened": TunnelStatus.OPEN,
    "open": TunnelStatus.OPEN,
    "closed": TunnelStatus.CLOSED,
    "finished": TunnelStatus.CLOSED,  # the prose's other word for it
    "terminated": TunnelStatus.TERMINATED,
}
_WORD_SHOWN: Final = 40


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


def tunnels(rows: Rows[TunnelRow]) -> Rows[Tunnel]:
    """The page's tunnels; rows without an id are counted as odd and skipped.

    Errors: AnswerInvalid where no row has one.
    """
    items: list[Tunnel] = []
    odd, oddity = rows.odd, rows.oddity
    for index, row in enumerate(rows.items):
        spelled = text(row.port_tunnel_id)
        if not spelled:
            odd += 1
            oddity = oddity or f"row {index}: no port_tunnel_id"
            continue
        finished_at = parse_time(row.finish_time)
        # nobody may think a tunnel closed because its word is new: only an end that is told ends it
        silent = TunnelStatus.OPEN if finished_at is None else TunnelStatus.CLOSED
        items.append(
            Tunnel(
                id=spelled,
                device=device_id(row.device_id),  # it holds the uuid, whatever its name says
                status=_STATUSES.get(word(row.status), silent),
                created_at=parse_time(row.created_time),
                finished_at=finished_at,
            )
        )
    refuse_unreadable(len(items), odd=odd, oddity=oddity)
    return Rows(items=items, beside=rows.beside, odd=odd, oddity=oddity)


def unknown_word(rows: Sequence[TunnelRow], *, redact: Callable[[str], str]) -> str:
    """The first status among the rows that nobody documented; `(none)` where one has no status, empty where all do."""
    strange = [row.status for row in rows if word(row.status) not in _STATUSES]
    shown = (text(redact(text(value)), _WORD_SHOWN) for value in strange)
    return next(filter(None, shown), "(none)" if strange else "")
