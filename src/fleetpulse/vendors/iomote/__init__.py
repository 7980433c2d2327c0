"""Iomote MyMote, REST API: the gateways and groups of one account.

Source: docs/vendors/iomote.md.
"""

from fleetpulse.vendors.iomote.api import Iomote
from fleetpulse.vendors.iomote.settings import IomoteSettings

__all__ = ["Iomote", "IomoteSettings"]
