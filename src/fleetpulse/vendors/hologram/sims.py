"""What a SIM may do, by the beginning of the vendor's word for it: no list of these words is complete.

Source: docs/vendors/hologram.md, "SIM states".
"""

import re
from typing import Final

from fleetpulse.fleet.device import SimState
from fleetpulse.vendors.wire import word

_BY_PREFIX: Final = (  # the first that fits
    ("live", SimState.ACTIVE),
    ("active", SimState.ACTIVE),
    ("paused", SimState.PAUSED),
    ("frozen", SimState.PAUSED),
    ("dead", SimState.RETIRED),
    ("deactivated", SimState.RETIRED),
    ("inactive", SimState.INACTIVE),
    ("factory", SimState.INACTIVE),
    ("test", SimState.INACTIVE),
)
_BY_SYSTEM: Final = re.compile(r"(?:paused|[^a-z])sys(?:tem)?(?![a-z])")  # PAUSED-SYS, PAUSED-BY-SYSTEM, PAUSED (SYS)


def sim_state(state: object) -> SimState:
    """The state that a link's `state` stands for."""
    spelled = word(state)
    if "pending" in spelled:
        return SimState.PENDING
    found = next((ours for prefix, ours in _BY_PREFIX if spelled.startswith(prefix)), SimState.UNKNOWN)
    return SimState.PAUSED_BY_SYSTEM if found is SimState.PAUSED and _BY_SYSTEM.search(spelled) else found
