"""A followed deployment, what would change of it, and the laws by which what its devices tell is taken in. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from fleetpulse.fleet.deployment import Deployment, DeploymentStatus, RolloutStatus, overall
from fleetpulse.fleet.events import DeploymentEvent

MOST_DEVICES: Final = 200_000  # of one deployment, as many as a source may have; maps that always differ must end
STEPS_DEVICES: Final = 20  # a request each; a message shows fewer, and the rest fails of the same cause as a rule


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment and what is known about following it.

    `progressed_at` is when a device of it was last seen to do anything, else when it was first seen; of history that
    was not looked at, when it was created. `look_at` is when its devices are asked next; None: asked no more.
    `baseline`: it stood at the first walk and was not looked at since, so what its first look finds is no news.
    `ended_at` is when its end was seen; an end that was found by a baseline's look lies in the past, and the
    deployment's creation stands for it. `reported`: its devices tell of it by themselves, so it is never looked at.
    """

    deployment: Deployment
    first_seen_at: datetime
    progressed_at: datetime
    look_at: datetime | None = None
    baseline: bool = False
    ended_at: datetime | None = None
    reported: bool = False

    @property
    def began_at(self) -> datetime:
        """When it was created, or first seen where the vendor does not say."""
        return self.deployment.created_at or self.first_seen_at


class DeploymentChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What a list, a look or reports would change; a deployment mapped to None is forgotten.

    `told` are the ids that devices told of; `walked`: with it ends a complete walk over the devices.
    """

    events: tuple[DeploymentEvent, ...] = ()
    followed: Mapping[str, Followed | None] = {}
    told: frozenset[str] = frozenset()
    walked: bool = False


def merged(before: Mapping[str, RolloutStatus], told: Mapping[str, RolloutStatus]) -> dict[str, RolloutStatus]:
    """Who has the deployment and how far it is there: nobody is lost, and an end stands until another end is told."""
    after = dict(before)
    for device, status in told.items():
        if device not in after and len(after) >= MOST_DEVICES:
            continue
        if status.settled or not after.get(device, RolloutStatus.PENDING).settled:
            after[device] = status
    return after


def newly_failed(before: Deployment, told: Mapping[str, RolloutStatus]) -> list[str]:
    """The devices on which it failed, and had not before."""
    return [
        device
        for device, status in told.items()
        if status is RolloutStatus.FAILED and before.devices.get(device) is not RolloutStatus.FAILED
    ]


def moved_on(before: Deployment, after: Mapping[str, RolloutStatus]) -> bool:
    """Whether a device of it did anything; that one more is to have it is no progress."""
    return any(status is not before.devices.get(device, RolloutStatus.PENDING) for device, status in after.items())


def settled(devices: Mapping[str, RolloutStatus], *, whole: bool) -> DeploymentStatus:
    """What it comes to; a map that may lack devices, or has more than are kept, settles nothing."""
    return overall(devices) if whole and len(devices) < MOST_DEVICES else DeploymentStatus.RUNNING


def older(at: datetime, since: timedelta, now: datetime) -> bool:
    """Whether something of that time is followed no more."""
    return now - at >= since


def deployment_event(
    kind: type[DeploymentEvent], source: str, deployment: Deployment, *, seen_at: datetime, late: bool
) -> DeploymentEvent:
    """An event about a deployment as it stands."""
    return kind(source=source, subject=deployment.id, seen_at=seen_at, late=late, deployment=deployment)
