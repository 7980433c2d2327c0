"""The walk over Hologram's bulk jobs."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fleetpulse.fleet.deployment import Deployment, FailedStep, RolloutStatus
from fleetpulse.fleet.device import Sighting
from fleetpulse.fleet.job import BulkJob
from fleetpulse.outbound import Account, Priority
from fleetpulse.secrets import Secret
from fleetpulse.vendors.contract import (
    CredentialsRejected,
    Page,
    RateLimited,
    Resource,
    ResourceUnavailable,
)
from fleetpulse.vendors.hologram.settings import HologramSettings
from fleetpulse.vendors.hologram.tasks import bulk_jobs
from fleetpulse.vendors.wire import Refusals, Reply, ask, number, text
from fleetpulse.vendors.wire.values import COUNT_MAX

_PATH = "/devices/batch/state"
_QUIET_S = 10.0  # after a 429: "refrain from making requests for 5-10 seconds" (the vendor)
_PAGES_MAX = 100
_REFUSALS = Refusals(
    by_status={401: CredentialsRejected, 403: ResourceUnavailable},
    by_text=(("not logged in", CredentialsRejected), ("rate limit exceeded", RateLimited)),
)
_HINTS = {403: "the organisation's plan lacks activity history, or the key may not see it"}


class Hologram:
    """One account at Hologram, or one organisation of it. A `contract.Vendor`."""

    def __init__(self, settings: HologramSettings, *, account: Account, secret: Secret) -> None:
        self.resources: Mapping[str, Resource] = settings.resources
        self._account = account
        self._secret = secret
        self._org_id = settings.org_id

    async def jobs(self, resource: str) -> AsyncIterator[Page[BulkJob]]:
        """Walk the bulk jobs, as long as the vendor lists them; one that is absent has not necessarily ended.

        Shape: usually one page. How further pages are asked for is not documented: by an id of `startAfterIds`, it
        seems, so a page of known jobs alone ends the walk by a guard.
        Errors: SourceUnreachable, RateLimited, CredentialsRejected, ResourceUnavailable, CursorRefused, AnswerInvalid.
        Cancellation: safe between pages.
        Source: docs/vendors/hologram.md, "Paging" and "Ends".
        """
        known: set[str] = set()
        ahead: list[str] = []
        after: str | None = None
        guard = ""
        while True:
            reply, data = await self._ask(resource, after=after)
            tasks = data.get("tasks")
            if tasks is not None and not isinstance(tasks, list):
                raise reply.invalid("an envelope whose tasks are no list")
            rows = bulk_jobs(tasks or [])
            ids = {job.id for job in rows.items}
            if after is None:
                ahead, guard = _further_pages(data)
            elif ids <= known:
                ahead, guard = [], "a further page lists no further job"
            known |= ids
            after = ahead.pop(0) if ahead else None
            total = number(data.get("totalTasks"))
            yield Page(
                items=rows.items,
                resume=after,
                total=None if total is None else int(min(total, COUNT_MAX)),
                odd=rows.odd,
                oddity=rows.oddity,
                guarded=guard if after is None else "",
            )
            if after is None:
                return

    def devices(
        self,
        resource: str,
        *,
        resume: str | None = None,  # noqa: ARG002 - the contract's argument
    ) -> AsyncIterator[Page[Sighting]]:
        """Nothing yet: `resources` names no devices."""
        raise _not_offered(resource)

    def deployments(self, resource: str) -> AsyncIterator[Page[Deployment]]:
        """Nothing: Hologram rolls out no software."""
        raise _not_offered(resource)

    def deployment_devices(self, deployment: str) -> AsyncIterator[Page[tuple[str, RolloutStatus]]]:
        """Nothing: Hologram rolls out no software."""
        raise _not_offered(deployment)

    async def failed_steps(self, deployment: str, device: str) -> tuple[FailedStep, ...]:
        """Nothing: Hologram rolls out no software."""
        raise _not_offered(f"{deployment} on {device}")

    async def _ask(self, resource: str, *, after: str | None) -> tuple[Reply, Mapping[str, Any]]:
        """The `data` of one answer. Success is decided by status and body both: either may say no."""
        credential = b64encode(f"apikey:{self._secret.reveal()}".encode()).decode()
        reply = await ask(
            self._account,
            _PATH,
            resource=resource,
            refusals=_REFUSALS,
            params=(
                *((("orgid", str(self._org_id)),) if self._org_id is not None else ()),
                *((("startafter", after),) if after is not None else ()),
            ),
            headers={"Authorization": f"Basic {credential}", "Accept": "application/json"},
            priority=Priority.WORK,
            cursor=after is not None,
            quiet_s=_QUIET_S,
            hints=_HINTS,
        )
        found, _ = reply.document()
        if not isinstance(found, dict):
            raise reply.invalid("JSON that is no envelope")
        if found.get("success") is not True:
            raise reply.refusal(_REFUSALS, cursor=after is not None)
        data = found.get("data")
        if not isinstance(data, dict) or "tasks" not in data:
            raise reply.invalid("an envelope without tasks")
        return reply, data


def _further_pages(data: Mapping[str, Any]) -> tuple[list[str], str]:
    """The cursors of the pages after the first, and the guard that ends the walk where they are not all given."""
    pages = int(min(number(data.get("totalPages")) or 1, COUNT_MAX))
    if pages <= 1:
        return [], ""
    listed = data.get("startAfterIds")
    ids = listed if isinstance(listed, list) else []
    if len(ids) == pages:  # one for each page: the first one's is behind us
        ids = ids[1:]
    cursors = [cursor for each in ids if (cursor := text(each)) and cursor != "0"]
    if len(cursors) < pages - 1:
        return cursors, f"{pages} pages are announced and the way to {len(cursors) + 1} of them is given"
    if len(cursors) >= _PAGES_MAX:
        return cursors[: _PAGES_MAX - 1], f"more than {_PAGES_MAX} pages"
    return list(dict.fromkeys(cursors)), ""


def _not_offered(what: str) -> NotImplementedError:
    return NotImplementedError(f"Hologram offers no {what}")
