"""JFrog Connect, API v1: the devices of one account and what they tell of their last updates.

Source: docs/vendors/jfrog-connect-v1.md; Q1 to Q7 in this package are the quirks numbered there.
"""

from fleetpulse.vendors.jfrog_connect_v1.api import JFrogConnectV1
from fleetpulse.vendors.jfrog_connect_v1.settings import JFrogConnectV1Settings

__all__ = ["JFrogConnectV1", "JFrogConnectV1Settings"]
