"""What a vendor offers to the pollers, and the closed set of errors it may raise.

A vendor only reads. It holds no state of the fleet, keeps no schedule and retries nothing: one layer does that.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

import msgspec

from fleetpulse.fleet.deployment import Deployment, FailedStep, RolloutStatus
from fleetpulse.fleet.device import Aspect, Sighting
from fleetpulse.fleet.job import BulkJob

Item = TypeVar("Item")


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
    """What a resource yields, which decides who polls it."""

    DEVICES = "devices"
    DEPLOYMENTS = "deployments"
    JOBS = "jobs"


class Resource(msgspec.Struct, frozen=True):
    """One thing that can be swept: its kind and how often by default. `census`: it decides who is missing."""

    kind: Kind
    interval: timedelta
    census: bool = False


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """One page of a walk.

    `resume` continues the walk after this page (None: this was the last one). `total` is the vendor's count of all rows
    where it gives one. `odd` counts rows that were skipped because they could not be understood; `oddity` tells the
    first of them. `unknown_word` is the first status on it that nobody knows, as the vendor spells it, redacted and
    short. `guarded` is set when a paging guard ended the walk (repeated cursor, page cap, only known ids):
    such a walk is never complete. `unmatched` is said by the last page alone: which configured filters matched nothing
    while others did, and what the account has instead. `aspects` matters for devices only.
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


class Vendor(Protocol):
    """One account at one vendor."""

    resources: Mapping[str, Resource]
    """The resources by name; the first is the main one."""

    def devices(self, resource: str, *, resume: str | None = None) -> AsyncIterator[Page[Sighting]]:
        """Walk the devices from the start, or on from a page's `resume`.

        Shape: pages in vendor order; ids may repeat across pages while the fleet moves.
        Errors: the whole closed set.
        Cancellation: safe between pages.
        """
        ...

    def deployments(self, resource: str) -> AsyncIterator[Page[Deployment]]:
        """Walk the deployments without their devices, in vendor order."""
        ...

    def deployment_devices(self, deployment: str) -> AsyncIterator[Page[tuple[str, RolloutStatus]]]:
        """Walk the devices of one deployment: (device id, status)."""
        ...

    async def failed_steps(self, deployment: str, device: str) -> tuple[FailedStep, ...]:
        """The steps that failed on one device, with the end of their output (2,000 characters at most)."""
        ...

    def jobs(self, resource: str) -> AsyncIterator[Page[BulkJob]]:
        """Walk the bulk jobs that the vendor lists now."""
        ...
