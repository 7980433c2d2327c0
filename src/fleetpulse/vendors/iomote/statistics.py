"""A device's statistics become readings."""

from typing import Any, Final

import msgspec

from fleetpulse.fleet.device import Readings
from fleetpulse.vendors.wire import Table, number

_MOST: Final = 1e18  # an exabyte, or as many messages: beyond that it is a fault, and sums of it lose their units


class StatisticsRow(msgspec.Struct):
    """The totals; the counts by weekday beside them are not used."""

    msg_tot: Any = None
    bytes_tot: Any = None


def statistics_table() -> Table[StatisticsRow]:
    """One bare object is documented; a list of one, as for a single device, will do."""
    return Table(StatisticsRow, keys=("stat", "data", "items"), lone="msg_tot")


def readings(row: StatisticsRow) -> Readings | None:
    """How much the device has sent in all; None where it tells neither messages nor bytes."""
    messages, transferred = _total(row.msg_tot), _total(row.bytes_tot)
    if messages is None and transferred is None:
        return None
    return Readings(messages=messages, transferred_bytes=transferred)


def _total(value: object) -> float | None:
    found = number(value)
    return found if found is not None and 0 <= found <= _MOST else None
