"""A look-alike of Iomote MyMote's REST API.

Source: docs/vendors/iomote.md.
"""

from fleetpulse.simulator.iomote.account import Iomote

__all__ = ["Iomote"]
