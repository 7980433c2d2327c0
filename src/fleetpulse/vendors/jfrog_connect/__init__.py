"""JFrog Connect, API v2: the devices, deployments, tunnels and update flows of one project.

Source: docs/vendors/jfrog-connect.md; Q8 to Q16 in this package are the quirks numbered there.
"""

from fleetpulse.vendors.jfrog_connect.api import JFrogConnect
from fleetpulse.vendors.jfrog_connect.settings import JFrogConnectSettings

__all__ = ["JFrogConnect", "JFrogConnectSettings"]
