"""The one line per vendor and per receiver: what the settings may name, and what is built of it."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from fleetpulse.receivers.contract import Receiver
from fleetpulse.receivers.settings import ReceiverSettings
from fleetpulse.receivers.slack import SlackReceiver, SlackSettings
from fleetpulse.receivers.webhook import WebhookReceiver, WebhookSettings
from fleetpulse.secrets import Redactor, Secret
from fleetpulse.vendors.contract import Vendor
from fleetpulse.vendors.hologram import Hologram, HologramSettings
from fleetpulse.vendors.iomote import Iomote, IomoteSettings
from fleetpulse.vendors.jfrog_connect import JFrogConnect, JFrogConnectSettings
from fleetpulse.vendors.jfrog_connect_v1 import JFrogConnectV1, JFrogConnectV1Settings
from fleetpulse.vendors.scalepad import ScalePad, ScalePadSettings
from fleetpulse.vendors.settings import SourceSettings


class VendorEntry(msgspec.Struct, frozen=True):
    """A vendor: `title` is its name for people; `build(settings, *, account, secret)` makes one account of it."""

    title: str
    settings: type[SourceSettings]
    build: Callable[..., Vendor]


class ReceiverEntry(msgspec.Struct, frozen=True):
    """A kind of receiver: `build(settings, *, outbound, redactor)` makes one destination of it."""

    settings: type[ReceiverSettings]
    build: Callable[..., Receiver]


VENDORS: Final[Mapping[str, VendorEntry]] = {
    "hologram": VendorEntry("Hologram", HologramSettings, Hologram),
    "iomote": VendorEntry("Iomote MyMote", IomoteSettings, Iomote),
    "jfrog-connect": VendorEntry("JFrog Connect", JFrogConnectSettings, JFrogConnect),
    "jfrog-connect-v1": VendorEntry("JFrog Connect (API v1)", JFrogConnectV1Settings, JFrogConnectV1),
    "scalepad": VendorEntry("ScalePad", ScalePadSettings, ScalePad),
}

RECEIVERS: Final[Mapping[str, ReceiverEntry]] = {
    "slack": ReceiverEntry(SlackSettings, SlackReceiver),
    "webhook": ReceiverEntry(WebhookSettings, WebhookReceiver),
}


def credential(settings: SourceSettings, *, redactor: Redactor) -> Secret:
    """The secret of a source, from its setting or its file.

    Errors: SecretUnreadableError.
    """
    return Secret(
        value=getattr(settings, settings.credential),
        file=getattr(settings, f"{settings.credential}_file"),
        redactor=redactor,
    )
