"""Rows as a careless vendor might send them; a client must survive each and lose no other row of the list."""

from __future__ import annotations

from typing import Final

from fleetpulse.simulator.oddity import Oddity

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
