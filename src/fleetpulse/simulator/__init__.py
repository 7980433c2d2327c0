"""Stateful look-alikes of vendors' APIs and of notification receivers, over real HTTP.

They share no code with what they test: a shared parser would hide a shared mistake.

    async with serve(JFrogConnect(devices=100)) as url:
        ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fleetpulse.simulator.faults import Faults
from fleetpulse.simulator.hologram import Hologram
from fleetpulse.simulator.iomote import Iomote
from fleetpulse.simulator.jfrog_connect import JFrogConnect
from fleetpulse.simulator.jfrog_connect_v1 import JFrogConnectV1
from fleetpulse.simulator.party import Party, Seen
from fleetpulse.simulator.scalepad import ScalePad
from fleetpulse.simulator.serve import serve
from fleetpulse.simulator.slack import SlackReceiver
from fleetpulse.simulator.vendor import Vendor
from fleetpulse.simulator.webhook import WebhookReceiver

if TYPE_CHECKING:
    from collections.abc import Mapping

VENDORS: Final[Mapping[str, type[Vendor]]] = {
    "hologram": Hologram,
    "iomote": Iomote,
    "jfrog-connect": JFrogConnect,
    "jfrog-connect-v1": JFrogConnectV1,
    "scalepad": ScalePad,
}
RECEIVERS: Final[Mapping[str, type[Party]]] = {"slack": SlackReceiver, "webhook": WebhookReceiver}

__all__ = [
    "RECEIVERS",
    "VENDORS",
    "Faults",
    "Hologram",
    "Iomote",
    "JFrogConnect",
    "JFrogConnectV1",
    "Party",
    "ScalePad",
    "Seen",
    "SlackReceiver",
    "WebhookReceiver",
    "serve",
]
