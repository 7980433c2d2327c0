"""Rows as a careless vendor might send them; a client must survive each and lose no other row of the page."""

from __future__ import annotations

from typing import Final

from fleetpulse.simulator.scalepad.devices import Spoiling


def oddities() -> tuple[Spoiling, ...]:
    """List them, each anew."""
    return (
        Spoiling({"status": None}),
        Spoiling({"status": "hibernating"}),
        Spoiling({"status": 7, "name": 17}),
        Spoiling({"last_seen_at": "0000-00-00 00:00:00", "installed_at": "yesterday"}),
        Spoiling({"last_seen_at": 1772000000, "created_at": None}),
        Spoiling({"last_seen_at": "9999-12-31T23:59:59.999Z"}),
        Spoiling({"hardware": "a laptop", "extensions": []}),
        Spoiling({"hardware": {"manufacturer": None, "model": {}, "ram": 10**30}}),
        Spoiling({"name": "laptop \ud83d", "agent_version": float("nan")}),
        Spoiling({"extensions": {"opera": 1}, "os_name": ["Windows"]}),
        Spoiling(without=frozenset({"status", "last_seen_at", "hardware"})),
        Spoiling(without=frozenset({"id"})),
        Spoiling({"id": {}}),
        Spoiling(raw=b"null"),
        Spoiling(raw=b'"a device"'),
        Spoiling(raw=b"[]"),
        Spoiling(raw=b"{}"),
    )


LOST: Final = 6  # so many of them, the last ones, are no devices at all
