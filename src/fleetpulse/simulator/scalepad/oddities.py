"""Rows as a careless vendor might send them; a client must survive each and lose no other row of the page."""

from __future__ import annotations

from typing import Final

from fleetpulse.simulator.oddity import Oddity

ODDITIES: Final = (
    Oddity({"status": None}),
    Oddity({"status": "hibernating"}),
    Oddity({"status": 7, "name": 17}),
    Oddity({"last_seen_at": "0000-00-00 00:00:00", "installed_at": "yesterday"}),
    Oddity({"last_seen_at": 1772000000, "created_at": None}),
    Oddity({"last_seen_at": "9999-12-31T23:59:59.999Z"}),
    Oddity({"hardware": "a laptop", "extensions": []}),
    Oddity({"hardware": {"manufacturer": None, "model": {}, "ram": 10**30}}),
    Oddity({"name": "laptop \ud83d", "agent_version": float("nan")}),
    Oddity({"extensions": {"opera": 1}, "os_name": ["Windows"]}),
    Oddity(without=frozenset({"status", "last_seen_at", "hardware"})),
    Oddity(without=frozenset({"id"})),
    Oddity({"id": {}}),
    Oddity(raw=b"null"),
    Oddity(raw=b'"a device"'),
    Oddity(raw=b"[]"),
    Oddity(raw=b"{}"),
)
LOST: Final = 6  # so many of them, the last ones, are no devices at all
