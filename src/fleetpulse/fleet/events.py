"""What happened: frozen facts in the past tense, in one closed set.

Outside they are CloudEvents 1.0 (`type` is the tag, `source` is `/sources/NAME`, `subject` the thing's id).
Decisions use `seen_at` (ours); `occurred_at` is the vendor's word and only shown.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from fleetpulse.fleet.deployment import Deployment
from fleetpulse.fleet.device import Device, DeviceStatus, KnownDevice
from fleetpulse.fleet.job import BulkJob
from fleetpulse.fleet.tunnel import Tunnel


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every event has. `late`: it happened while nobody looked and was only found afterwards."""

    source: str
    subject: str
    seen_at: datetime
    occurred_at: datetime | None = None
    late: bool = False

    @property
    def type(self) -> str:
        """The name it has outside, like `fleet.device.went_offline`."""
        return str(self.__struct_config__.tag)


class DeviceEvent(Event, frozen=True, kw_only=True):
    """Something about one device; `status` is what it is now, `was` what it had been."""

    device: Device
    status: DeviceStatus
    was: DeviceStatus | None = None
    ever_online: bool = False
    last_seen_at: datetime | None = None


class DeviceAppeared(DeviceEvent, frozen=True, kw_only=True, tag="fleet.device.appeared"):
    """A device was listed for the first time after the baseline."""


class DeviceWentOffline(DeviceEvent, frozen=True, kw_only=True, tag="fleet.device.went_offline"):
    """A device that was online or unknown is offline."""


class DeviceCameOnline(DeviceEvent, frozen=True, kw_only=True, tag="fleet.device.came_online"):
    """A device that was offline or unknown is online."""


class DeviceBecameUnknown(DeviceEvent, frozen=True, kw_only=True, tag="fleet.device.became_unknown"):
    """The vendor no longer says anything intelligible about the device."""


class DeviceWentMissing(DeviceEvent, frozen=True, kw_only=True, tag="fleet.device.went_missing"):
    """Two complete walks in a row did not list the device."""


class DeviceReturned(DeviceEvent, frozen=True, kw_only=True, tag="fleet.device.returned"):
    """A missing device is listed again, with the status it has now."""


class DeviceMoved(DeviceEvent, frozen=True, kw_only=True, tag="fleet.device.moved"):
    """A device was found in another group than before, or in another source of the same vendor and host.

    A first group is a `DeviceChanged`: the vendor may have told no names so far.
    `before` is the device as it was; `to` names that source, and then this one knows the device no longer.
    """

    before: Device
    to: str = ""


class DeviceForgotten(DeviceEvent, frozen=True, kw_only=True, tag="fleet.device.forgotten"):
    """A missing device was given up after `forget_after`."""


class DeviceChanged(DeviceEvent, frozen=True, kw_only=True, tag="fleet.device.changed"):
    """Name, tags, versions or address differ, or it has a first group; `before` is the device as it was."""

    before: Device


class SimChanged(DeviceEvent, frozen=True, kw_only=True, tag="fleet.sim.changed"):
    """The state of a device's SIM is `device.sim` now; `before` is the device as it was.

    The first state that is told of a known device is no change, unless the system paused the SIM.
    """

    before: Device


class DeploymentEvent(Event, frozen=True, kw_only=True):
    """Something about one deployment, with the whole deployment as it stands."""

    deployment: Deployment


class DeploymentStarted(DeploymentEvent, frozen=True, kw_only=True, tag="fleet.deployment.started"):
    """A deployment was listed for the first time after the baseline."""


class DeploymentProgressed(DeploymentEvent, frozen=True, kw_only=True, tag="fleet.deployment.progressed"):
    """At least one of its devices moved on, or, even after the end, one more speaks against the vendor's success."""


class DeploymentDeviceFailed(DeploymentEvent, frozen=True, kw_only=True, tag="fleet.deployment.device_failed"):
    """It failed on more devices; one event tells all that a look found, newest in `devices`."""

    devices: tuple[str, ...]


class DeploymentFinished(DeploymentEvent, frozen=True, kw_only=True, tag="fleet.deployment.finished"):
    """Nothing more is expected of it; the outcome is `deployment.status`."""


class JobEvent(Event, frozen=True, kw_only=True):
    """Something about one bulk job."""

    job: BulkJob


class JobStarted(JobEvent, frozen=True, kw_only=True, tag="fleet.job.started"):
    """A job was listed for the first time after the baseline."""


class JobProgressed(JobEvent, frozen=True, kw_only=True, tag="fleet.job.progressed"):
    """Its status word or device count differs, and it goes on."""


class JobFinished(JobEvent, frozen=True, kw_only=True, tag="fleet.job.finished"):
    """Nothing more is expected of it; the outcome is `job.status`."""


class TunnelEvent(Event, frozen=True, kw_only=True):
    """Something about one tunnel."""

    tunnel: Tunnel


class TunnelOpened(TunnelEvent, frozen=True, kw_only=True, tag="fleet.tunnel.opened"):
    """A tunnel is open."""


class TunnelClosed(TunnelEvent, frozen=True, kw_only=True, tag="fleet.tunnel.closed"):
    """A tunnel was closed."""


class TunnelTerminated(TunnelEvent, frozen=True, kw_only=True, tag="fleet.tunnel.terminated"):
    """A tunnel was ended by force or fault."""


class Problem(StrEnum):
    """What can be wrong with a source. Each begins with a `degraded` and ends with a `recovered` of its own."""

    DOWN = "down"  # no good sweep of the main resource
    MISCONFIGURED = "misconfigured"  # 404 on the main endpoint, or a filter that matches nothing
    REJECTED = "rejected"  # its credentials are refused
    STALE = "stale"  # the last good sweep of the main resource is older than `stale_after`
    DOUBTED = "doubted"  # complete walks list far fewer devices than are known
    FAILING = "failing"  # a resource other than the main one fails
    RATE_LIMITED = "rate_limited"
    EXPIRING = "expiring"  # its credentials say themselves when they end
    PAUSED = "paused"  # an operator wants no sweeps: nothing that is shown is fresh, and nobody is to be told


class SourceEvent(Event, frozen=True, kw_only=True):
    """Something about a source; `subject` is the resource (`devices`, `jobs`)."""


class SourceBaselined(SourceEvent, frozen=True, kw_only=True, tag="fleet.source.baselined"):
    """A resource was seen for the first time; `counts` are by status, `sims` are SIMs by state.

    Each part carries all counts. Of devices, each holds some of those that were `offline` already, and of those that
    were not but whose SIM the system had `paused`. A part but the first may come later, once it is known that devices
    which were offline then had been online before.
    """

    part: int = 0
    parts: int = 1
    counts: dict[str, int] = {}
    sims: dict[str, int] = {}
    offline: tuple[KnownDevice, ...] = ()
    paused: tuple[KnownDevice, ...] = ()


class SourceDegraded(SourceEvent, frozen=True, kw_only=True, tag="fleet.source.degraded"):
    """Something began to be wrong with the source, or what is wrong changed its text.

    `until_at` is when it comes to a head by itself: when credentials expire, when a pause ends.
    """

    problem: Problem
    detail: str = ""
    since_at: datetime
    until_at: datetime | None = None


class SourceRecovered(SourceEvent, frozen=True, kw_only=True, tag="fleet.source.recovered"):
    """A problem ended."""

    problem: Problem
    since_at: datetime | None = None


class SourceCredentialsRejected(SourceEvent, frozen=True, kw_only=True, tag="fleet.source.credentials_rejected"):
    """The vendor refuses the key, confirmed by a second try."""

    detail: str = ""
    since_at: datetime


class SourceRemoved(SourceEvent, frozen=True, kw_only=True, tag="fleet.source.removed"):
    """The source is no longer configured."""


class SourceResourceUnavailable(SourceEvent, frozen=True, kw_only=True, tag="fleet.source.resource_unavailable"):
    """An optional endpoint answers 403 or 404: that resource alone is switched off."""

    detail: str = ""


AnyEvent = (
    DeviceAppeared
    | DeviceWentOffline
    | DeviceCameOnline
    | DeviceBecameUnknown
    | DeviceWentMissing
    | DeviceReturned
    | DeviceMoved
    | DeviceForgotten
    | DeviceChanged
    | SimChanged
    | DeploymentStarted
    | DeploymentProgressed
    | DeploymentDeviceFailed
    | DeploymentFinished
    | JobStarted
    | JobProgressed
    | JobFinished
    | TunnelOpened
    | TunnelClosed
    | TunnelTerminated
    | SourceBaselined
    | SourceDegraded
    | SourceRecovered
    | SourceCredentialsRejected
    | SourceRemoved
    | SourceResourceUnavailable
)
