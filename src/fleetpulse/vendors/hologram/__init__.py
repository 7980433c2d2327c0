"""Hologram, REST API v1: the bulk jobs of one account.

Source: docs/vendors/hologram.md.
"""

from fleetpulse.vendors.hologram.api import Hologram
from fleetpulse.vendors.hologram.settings import HologramSettings

__all__ = ["Hologram", "HologramSettings"]
