"""Deployments in words: how many of its devices one failed on, why, and how they are now."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from fleetpulse.alerting.phrases import count, named
from fleetpulse.fleet.causes import causes
from fleetpulse.fleet.deployment import Deployment, DeploymentStatus
from fleetpulse.fleet.device import DeviceStatus

DEVICES_SHOWN: Final = 10
"""How many of the devices that a deployment failed on are named."""
_CAUSES_SHOWN: Final = 3
_CAUSE_CHARACTERS: Final = 200


def troubled(deployment: Deployment) -> list[str]:
    """The devices it failed on, then those of which the vendor says success although they report another version."""
    failed = deployment.failed()
    return [*failed, *(device for device in deployment.contradicted if device not in set(failed))]


def sentence(deployment: Deployment, statuses: Mapping[str, DeviceStatus]) -> str:
    """What went wrong, in one sentence. `statuses` are those that its devices have now."""
    # an id that was made of what devices tell begins with the name
    name = "" if deployment.id.startswith(deployment.name) else f' "{deployment.name}"'
    told = [text for text in (_failed(deployment), _contradicted(deployment), _now(deployment, statuses)) if text]
    return f"Deployment {deployment.id}{name} {'; '.join(told)}"


def failed_on(deployment: Deployment, names: Mapping[str, str]) -> str:
    """The devices it failed on, `gate-17 (d-1), d-2 and 3 more`: the first ten, by name where that is known."""
    failed = troubled(deployment)
    shown = ", ".join(named(names.get(device, ""), device) for device in failed[:DEVICES_SHOWN])
    rest = len(failed) - DEVICES_SHOWN
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def errors(deployment: Deployment) -> str:
    """Why it failed, causes that are alike counted: `"disk full" (2), "killed" (1)`, three at most."""
    return _counted(causes(deployment.steps), "error")


def _failed(deployment: Deployment) -> str:
    failed = len(deployment.failed())
    if not failed and deployment.contradicted:
        return ""
    said = errors(deployment)
    return f"failed on {failed:,} of {_devices(deployment)}" + (f": {said}" if said else "")


def _contradicted(deployment: Deployment) -> str:
    """What devices say against the vendor's word of success."""
    number = len(deployment.contradicted)
    if not number:
        return ""
    whose = f"{number:,}" if deployment.failed() else f"is done in name only: {number:,} of {_devices(deployment)}"
    reports = "reports" if number == 1 else "report"
    versions = Counter(deployment.contradicted.values()).most_common()
    if len(versions) == 1:
        said = versions[0][0][:_CAUSE_CHARACTERS]
    else:
        said = _counted([(version, times) for version, times in versions if version], "version")
    return f"{whose} {reports} success but another version" + (f": {said}" if said else "")


def _now(deployment: Deployment, statuses: Mapping[str, DeviceStatus]) -> str:
    """How many of its devices are offline now; none is worth a word only once nothing more is expected of it."""
    offline = sum(statuses.get(device) is DeviceStatus.OFFLINE for device in deployment.devices)
    if not offline and (deployment.status is DeploymentStatus.RUNNING or not deployment.devices):
        return ""
    words = f"{offline:,} {'is' if offline == 1 else 'are'}" if offline else "none is"
    return f"of the {len(deployment.devices):,}, {words} offline now"


def _devices(deployment: Deployment) -> str:
    return count(len(deployment.devices), "device")


def _counted(texts: Sequence[tuple[str, int]], noun: str) -> str:
    shown = [f'"{text[:_CAUSE_CHARACTERS]}" ({times:,})' for text, times in texts[:_CAUSES_SHOWN]]
    rest = len(texts) - len(shown)
    return ", ".join(shown) + (f" and {count(rest, f'other {noun}')}" if rest > 0 else "")
