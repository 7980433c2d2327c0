"""A look-alike of JFrog Connect's REST API v1.

Source: docs/vendors/jfrog-connect-v1.md; the quirk numbers (Q1 to Q7) in this package are those of that page.
"""

from fleetpulse.simulator.jfrog_connect_v1.account import JFrogConnectV1

__all__ = ["JFrogConnectV1"]
