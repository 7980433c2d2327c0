"""Rows as a careless vendor might send them; a client must survive each and lose no other row of the page."""

from __future__ import annotations

from typing import Final

from fleetpulse.simulator.oddity import Oddity

ODDITIES: Final = (
    Oddity({"device_status": None, "cpu_usage": "97%", "ram_usage": []}),
    Oddity({"device_status": "hibernating", "disk_usage": 10**30}),
    Oddity({"device_name": "gate \ud83d", "description": "half a surrogate pair"}),
    Oddity({"device_name": 17, "group": None, "lat": float("nan")}),
    Oddity({"last_keepalive": "0000-00-00 00:00:00", "tags": "spare", "is_update_trigger_set": "no"}),
    Oddity({"updates_v2": {"flow_name": "nightly"}, "updates": None, "apps": "v1.4"}),
    Oddity({"updates_v2": [None, 7, {"flow_name": [], "update_status": "success"}], "updates": [{"update_id": {}}]}),
    Oddity(without=frozenset({"device_status", "last_keepalive", "updates", "updates_v2", "apps"})),
    Oddity({"device_uuid": None, "device_id": None}),
    Oddity(raw=b"null"),
    Oddity(raw=b'"a device"'),
    Oddity(raw=b"{}"),
)
