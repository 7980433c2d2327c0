"""A look-alike of ScalePad AMM's REST API v2.

Source: docs/vendors/scalepad.md. Its pages read as a specification, so much here is a promise that nobody has observed.
"""

from fleetpulse.simulator.scalepad.account import ScalePad

__all__ = ["ScalePad"]
