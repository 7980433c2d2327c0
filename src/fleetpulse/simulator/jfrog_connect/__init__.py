"""A look-alike of JFrog Connect's REST API v2.

Source: docs/vendors/jfrog-connect.md; the quirk numbers (Q8, Q14, ...) in this package are those of that page.
"""

from fleetpulse.simulator.jfrog_connect.account import JFrogConnect

__all__ = ["JFrogConnect"]
