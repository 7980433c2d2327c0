"""What a vendor offers to the pollers, and the closed set of errors it may raise.

A vendor only reads. It holds no state of the fleet, keeps no schedule and retries nothing: one layer does that.
"""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final, Generic, Protocol, TypeVar, runtime_checkable

import msgspec

from fleetpulse.fleet.deployment import Deployment, FailedStep, Rollout, RolloutStatus
from fleetpulse.fleet.device import Aspect, Device, Sighting
from fleetpulse.fleet.flow import UpdateFlow
from fleetpulse.fleet.group import Group
from fleetpulse.fleet.job import BulkJob
from fleetpulse.fleet.summary import Summary
from fleetpulse.fleet.tunnel import Tunnel
from fleetpulse.outbound import Priority

Item = TypeVar("Item")

NO_WORD: Final = "(none)"
"""A page's unknown word for a row that should have a status and has none."""


class SourceError(Exception):
    """A vendor could not be read. The text is for people: redacted, short, it names the place and the cure."""

    reason = "error"


class SourceUnreachable(SourceError):  # noqa: N818 - the names are those of the contract
    """No answer: connection refused or reset, time-out, or 5xx."""

    reason = "unreachable"


class RateLimited(SourceError):  # noqa: N818
    """429, after the budget has slowed down. `retry_after_s` where the vendor gave a sensible one."""

    reason = "rate_limited"

    def __init__(self, text: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class CredentialsRejected(SourceError):  # noqa: N818
    """The key is refused, by the vendor's own table of which answers mean that."""

    reason = "credentials_rejected"


class ResourceUnavailable(SourceError):  # noqa: N818
    """403 or 404. On an optional resource it is switched off alone; on the main one it is a wrong project or id."""

    reason = "resource_unavailable"


class CursorRefused(SourceError):  # noqa: N818
    """The vendor no longer takes the cursor: the walk begins again from its first page, once."""

    reason = "cursor_refused"


class AnswerInvalid(SourceError):  # noqa: N818
    """An answer that is not what the vendor documents: HTML, cut JSON, wrong types, too large, a redirect."""

    reason = "answer_invalid"


class FilterMatchesNothing(SourceError):  # noqa: N818
    """No configured filter matches anything; the text lists what the account has. For one of several, see `Page`."""

    reason = "filter_matches_nothing"


class Kind(StrEnum):
    """What a resource yields, which decides who polls it and which of the protocols below its vendor fulfils."""

    DEVICES = "devices"
    DEPLOYMENTS = "deployments"
    JOBS = "jobs"
    TUNNELS = "tunnels"
    FLOWS = "flows"
    GROUPS = "groups"
    SUMMARY = "summary"
    READINGS = "readings"
    ENROLMENTS = "enrolments"


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be swept: its kind and how often by default.

    `census`: it decides who is missing. `rows_a_request` is how many rows one request brings, 0 where one brings all.
    `per_device`: it takes a request for each device, so it is spread over the interval instead of walked.
    `whole_every`: a census that is walked whole so often, and in between by its stalest devices first.
    """

    kind: Kind
    interval: timedelta
    census: bool = False
    rows_a_request: int = 0
    per_device: bool = False
    whole_every: timedelta | None = None

    @property
    def priority(self) -> Priority:
        """Which requests go first where the budget is short: device state, then work, then inventory."""
        return Priority.STATE if self.census else _PRIORITIES[self.kind]

    def requests(self, rows: int) -> int:
        """How many requests a sweep over so many rows takes; one at the least, for the end has to be seen."""
        if self.per_device:
            return rows
        return max(1, math.ceil(rows / self.rows_a_request)) if self.rows_a_request else 1


_PRIORITIES: Final[Mapping[Kind, Priority]] = {
    Kind.DEVICES: Priority.INVENTORY,
    Kind.DEPLOYMENTS: Priority.WORK,
    Kind.JOBS: Priority.WORK,
    Kind.TUNNELS: Priority.WORK,
    Kind.FLOWS: Priority.INVENTORY,
    Kind.GROUPS: Priority.INVENTORY,
    Kind.SUMMARY: Priority.INVENTORY,
    Kind.READINGS: Priority.INVENTORY,
    Kind.ENROLMENTS: Priority.INVENTORY,
}


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """One page of a walk.

    `resume` continues the walk after this page (None: this was the last one). `total` is the vendor's count of all rows
    where it gives one. `odd` counts rows that were skipped because they could not be understood; `oddity` tells the
    first of them. `unknown_word` is the first status on it that nobody knows, as the vendor spells it, redacted and
    short, or NO_WORD where a row that should have a status has none. `guarded` is set when a paging guard ended the
    walk (repeated cursor, page cap, only known ids): such a walk is never complete. `unmatched` is said by the last
    page alone: which configured filters matched nothing while others did, and what the account has instead. `aspects`
    and `rollouts` (what devices tell of the deployments on them) matter for devices only.
    """

    items: list[Item]
    resume: str | None = None
    total: int | None = None
    odd: int = 0
    oddity: str = ""
    unknown_word: str = ""
    guarded: str = ""
    unmatched: str = ""
    aspects: Aspect = Aspect.ALL
    rollouts: Sequence[Rollout] = ()


class Vendor(Protocol):
    """One account at one vendor. Beside this it fulfils the protocol of each of its resources' kinds.

    All methods raise errors of the closed set above and nothing else, and are safe to cancel (walks: between pages).
    """

    resources: Mapping[str, Resource]
    """The resources by name; the first is the main one."""

    async def check(self) -> str:
        """Ask the cheapest question that needs a good key; what it tells of the account, in a few words, or nothing."""
        ...

    async def device(self, device: str) -> Sighting:
        """Ask for one device by its id, on demand. ResourceUnavailable: there is no such device."""
        ...


@runtime_checkable
class ReadsDevices(Protocol):
    """Devices page by page."""

    def devices(self, resource: str, *, resume: str | None = None) -> AsyncIterator[Page[Sighting]]:
        """Walk the devices from the start, or on from a page's `resume`.

        Shape: pages in vendor order; ids may repeat across pages while the fleet moves.
        Errors: the whole closed set.
        Cancellation: safe between pages.
        """
        ...


@runtime_checkable
class ReadsStalestDevices(Protocol):
    """A census that can be asked for the devices that were silent longest, first."""

    def stalest_devices(self, resource: str) -> AsyncIterator[Page[Sighting]]:
        """Walk the devices from the longest silent on, up to the first page that reaches a fresh one.

        It proves nothing of a device that it does not list: neither absence nor life.
        """
        ...


@runtime_checkable
class ReadsDeployments(Protocol):
    """Deployments, their devices and why they failed."""

    def deployments(self, resource: str) -> AsyncIterator[Page[Deployment]]:
        """Walk the deployments without their devices, in vendor order."""
        ...

    def deployment_devices(self, deployment: str) -> AsyncIterator[Page[tuple[str, RolloutStatus]]]:
        """Walk the devices of one deployment: (device id, status)."""
        ...

    async def failed_steps(self, deployment: str, device: str) -> tuple[FailedStep, ...]:
        """The steps that failed on one device, with the end of their output (2,000 characters at most)."""
        ...

    async def deployment(self, deployment: str) -> Deployment:
        """Ask for one deployment by its id, without its devices, on demand."""
        ...


@runtime_checkable
class ReadsJobs(Protocol):
    """Bulk jobs."""

    def jobs(self, resource: str) -> AsyncIterator[Page[BulkJob]]:
        """Walk the bulk jobs that the vendor lists now. Ids of different resources never meet."""
        ...


@runtime_checkable
class ReadsTunnels(Protocol):
    """Port tunnels."""

    def tunnels(self, resource: str) -> AsyncIterator[Page[Tunnel]]:
        """Walk the tunnels that the vendor lists now."""
        ...

    async def tunnel(self, tunnel: str) -> Tunnel:
        """Ask for one tunnel by its id: how one ended that the list no longer holds."""
        ...


@runtime_checkable
class ReadsFlows(Protocol):
    """Update flows: what may be rolled out, and how dangerous it is known to be."""

    def flows(self, resource: str) -> AsyncIterator[Page[UpdateFlow]]:
        """Walk the update flows."""
        ...


@runtime_checkable
class ReadsGroups(Protocol):
    """Groups of devices by name, where the device list knows their ids alone."""

    def groups(self, resource: str) -> AsyncIterator[Page[Group]]:
        """Walk the groups; the names are used for devices from then on."""
        ...


@runtime_checkable
class ReadsGroupDevices(ReadsGroups, Protocol):
    """Groups whose devices can be asked for."""

    async def group_devices(self, group: str) -> Sequence[Device]:
        """Ask for the devices of one group by its id, on demand. ResourceUnavailable: there is no such group."""
        ...


@runtime_checkable
class ReadsSummary(Protocol):
    """The vendor's own count of the account."""

    async def summary(self, resource: str) -> Summary:
        """Ask for the summary."""
        ...


@runtime_checkable
class ReadsReadings(Protocol):
    """Readings that take a request for each device."""

    async def readings(self, resource: str, device: str) -> Sighting:
        """Ask for one device's readings, and nothing else of it. ResourceUnavailable: there is no such device."""
        ...


@runtime_checkable
class ReadsEnrolments(Protocol):
    """The history of the agent's installation, which takes a request for each device."""

    async def enrolments(self, resource: str, device: str) -> Page[Rollout]:
        """Ask for one device's enrolments, newest first and on one page: each is a deployment on this device alone."""
        ...


PROTOCOLS: Final[Mapping[Kind, type]] = {
    Kind.DEVICES: ReadsDevices,
    Kind.DEPLOYMENTS: ReadsDeployments,
    Kind.JOBS: ReadsJobs,
    Kind.TUNNELS: ReadsTunnels,
    Kind.FLOWS: ReadsFlows,
    Kind.GROUPS: ReadsGroups,
    Kind.SUMMARY: ReadsSummary,
    Kind.READINGS: ReadsReadings,
    Kind.ENROLMENTS: ReadsEnrolments,
}
"""What the vendor of a resource of that kind can do."""
