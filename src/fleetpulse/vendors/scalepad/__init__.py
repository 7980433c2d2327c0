"""ScalePad AMM, API v2: the devices of one client organisation, and how their agents were enrolled.

Source: docs/vendors/scalepad.md.
"""

from fleetpulse.vendors.scalepad.api import ScalePad
from fleetpulse.vendors.scalepad.settings import ScalePadSettings

__all__ = ["ScalePad", "ScalePadSettings"]
