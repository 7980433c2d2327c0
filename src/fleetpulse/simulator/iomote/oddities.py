"""Rows as a careless vendor might send them; a client must survive each and lose no other row of the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Oddity(NamedTuple):
    """What is wrong with a row: overridden fields, missing fields, or another body altogether."""

    odd: Mapping[str, Any] = {}
    without: frozenset[str] = frozenset()
    raw: bytes | None = None


ODDITIES: Final = (
    Oddity({"status": None}),
    Oddity({"status": "Hibernating"}),
    Oddity(without=frozenset({"status"})),
    Oddity({"name": 17, "group_id": None, "type": []}),
    Oddity({"fwversion": 0.8, "location": {"lat": 1}}),
    Oddity({"name": "boiler \ud83d"}),
    Oddity({"ICCID": float("nan")}),
    Oddity({"device_id": 4711}),
    Oddity(without=frozenset({"device_id"})),
    Oddity(raw=b"null"),
    Oddity(raw=b'"a device"'),
    Oddity(raw=b"{}"),
    Oddity(raw=b'{"device":null,"status":"Connected"}'),
)
