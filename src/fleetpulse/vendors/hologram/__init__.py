"""Hologram, REST API v1: the devices of one account with their SIMs and sessions, and its bulk changes.

Source: docs/vendors/hologram.md.
"""

from fleetpulse.vendors.hologram.api import Hologram
from fleetpulse.vendors.hologram.settings import HologramSettings

__all__ = ["Hologram", "HologramSettings"]
