"""Rows as a careless vendor might send them; a client must survive each and lose no other row of the page."""

from __future__ import annotations

from typing import Final

from fleetpulse.simulator.oddity import Oddity

ODDITIES: Final = (
    Oddity({"cpu_usage": "97%", "ram_usage": [], "disk_size": "big"}),
    Oddity({"device_status": None}),
    Oddity({"device_status": "hibernating"}),
    Oddity(without=frozenset({"device_status", "last_keepalive"})),
    Oddity({"device_name": 17, "group_name": None}),
    Oddity({"last_keepalive": "0000-00-00 00:00:00", "registered_date": "yesterday"}),
    Oddity({"tags": "spare", "is_update_trigger_set": "no"}),
    Oddity({"device_name": "gate \ud83d", "description": "half a surrogate pair"}),
    Oddity({"current_disk_usage": 10**30, "lat": float("nan")}),
    Oddity(without=frozenset({"device_uuid"})),
    Oddity({"device_uuid": 4711}),
    Oddity(raw=b"null"),
    Oddity(raw=b'"a device"'),
    Oddity(raw=b"[]"),
    Oddity(raw=b"{}"),
)
