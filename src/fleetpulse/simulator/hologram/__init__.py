"""A look-alike of Hologram's REST API v1.

Source: docs/vendors/hologram.md.
"""

from fleetpulse.simulator.hologram.account import Hologram

__all__ = ["Hologram"]
