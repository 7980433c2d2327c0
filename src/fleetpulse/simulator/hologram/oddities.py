"""Rows as a careless vendor might send them; a client must survive each and lose no other row of the page."""

from __future__ import annotations

from typing import Final

from fleetpulse.simulator.oddity import Oddity

ODDITIES: Final = (
    Oddity({"name": 17, "model": [], "tags": "spare"}),
    Oddity({"links": "none"}),
    Oddity({"links": {"cellular": None}}),
    Oddity({"links": {"cellular": [None, 7, {"state": {}, "cur_billing_data_used": "much"}]}}),
    Oddity({"lastsession": "yesterday"}),
    Oddity({"lastsession": {"active": "perhaps", "session_end": 0}}),
    Oddity({"lastsession": {"active": None, "session_begin": "never"}}),
    Oddity({"tags": [{"id": 3}, None, {"name": {}}]}),
    Oddity({"name": "pump \ud83d", "imei": None}),
    Oddity({"phonenumber": float("nan"), "orgid": 10**30}),
    Oddity(without=frozenset({"id"})),
    Oddity({"id": "4711"}),
    Oddity(raw=b"null"),
    Oddity(raw=b'"a device"'),
    Oddity(raw=b"[]"),
    Oddity(raw=b"{}"),
)
