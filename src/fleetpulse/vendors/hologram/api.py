"""The walks over Hologram's lists, and the questions about one device and the key."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import msgspec

from fleetpulse import clock
from fleetpulse.fleet.device import DeviceStatus, Sighting
from fleetpulse.fleet.job import BulkJob
from fleetpulse.outbound import Account, Priority
from fleetpulse.secrets import Secret
from fleetpulse.vendors.contract import CursorRefused, Page, Resource, ResourceUnavailable
from fleetpulse.vendors.hologram.changes import ChangeRow, bulk_changes, row_ids
from fleetpulse.vendors.hologram.devices import DeviceRow, open_session_ids, sighting, sightings, strange, unclear
from fleetpulse.vendors.hologram.envelope import CENSUS, ELSEWHERE, Lists, onward, opened
from fleetpulse.vendors.hologram.settings import HologramSettings
from fleetpulse.vendors.hologram.tasks import bulk_jobs, count, further_pages
from fleetpulse.vendors.wire import Paging, Refusals, Reply, ask, text, unknown_word

_LIMIT: Final = 500  # neither default nor most are documented; clients in use ask for 500 and 1,000
_PAGES_MAX: Final = 2000  # a million devices; beyond that the list goes in circles
_CHANGE_PAGES_MAX: Final = 20
_QUIET_S: Final = 10.0  # after a 429: "refrain from making requests for 5-10 seconds" (the vendor)
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_HINTS: Final[Mapping[str, Mapping[int, str]]] = {  # by resource, our own words to a status
    "devices": {
        _FORBIDDEN: "the key may not read the devices, or is of no member of the organisation",
        _NOT_FOUND: "no such organisation, or base_url does not end in /api/1",
    },
    "jobs": {_FORBIDDEN: "the organisation's plan lacks activity history, or the key may not see it"},
    "changes": {_FORBIDDEN: "the key may not see change requests, or the plan lacks them"},
}


class Hologram:
    """One account at Hologram, or one organisation of it. A `contract.Vendor` that reads devices and jobs."""

    def __init__(self, settings: HologramSettings, *, account: Account, secret: Secret) -> None:
        self.resources: Mapping[str, Resource] = settings.resources
        self._account = account
        self._secret = secret
        self._org_id = settings.org_id
        self._changes_since = settings.deployments_since
        self._device_lists = Lists(DeviceRow)
        self._change_lists = Lists(ChangeRow)
        self._job_walks = {"jobs": self._tasks, "changes": self._changes}

    async def check(self) -> str:
        """Ask whose key this is, which costs the vendor least.

        Errors: the whole closed set but CursorRefused and FilterMatchesNothing.
        Source: docs/vendors/hologram.md, "Endpoints".
        """
        reply = await self._ask("/users/me", resource="users/me")
        user = opened(reply, ELSEWHERE).get("data")
        if not isinstance(user, dict):
            raise reply.invalid("an envelope without a user")
        name = " ".join(part for part in (text(user.get("first")), text(user.get("last"))) if part)
        whose = name or text(user.get("email")) or text(user.get("id"))
        return self._account.redact(f"the key of {whose}") if whose else ""

    def devices(self, resource: str, *, resume: str | None = None) -> AsyncIterator[Page[Sighting]]:
        """Walk the device list, newest first.

        Shape: pages of up to 500; the vendor gives no total.
        Errors: the whole closed set but FilterMatchesNothing.
        Cancellation: safe between pages.
        Source: docs/vendors/hologram.md, "Paging" and "Sessions".
        """
        return self._walk(resource, after=resume)

    async def device(self, device: str) -> Sighting:
        """Ask for one device; where its row does not tell of a session, the list of open ones is asked too.

        Errors: as `check`; ResourceUnavailable: there is no such device.
        """
        if not (device.isascii() and device.isdigit()):  # anything else would ask another path
            raise ResourceUnavailable(f"{self._account.host}: there is no device {text(device)!r}: ids are numbers")
        reply = await self._ask(f"/devices/{device}", resource=f"device {device}")
        data = opened(reply, ELSEWHERE).get("data")
        if data is None or data in ([], {}):
            raise ResourceUnavailable(f"{reply.place}: there is no such device")
        row = _device_row(data)
        found = None if row is None else sighting(row)
        if row is None or found is None or found.device.id != device:
            raise reply.invalid("an envelope without that device")
        return msgspec.structs.replace(found, status=await self._looked_up(found)) if unclear(row) else found

    def jobs(self, resource: str) -> AsyncIterator[Page[BulkJob]]:
        """Walk the bulk jobs (`jobs`) or the change requests (`changes`) that the vendor lists.

        Shape: newest first. One that is absent has not necessarily ended; of change requests those count that were
        made within `deployments_since`.
        Errors: as `devices`.
        Cancellation: safe between pages.
        Source: docs/vendors/hologram.md, "Ends", "Paging" and "Change requests".
        """
        return self._job_walks[resource](resource)

    async def _walk(self, resource: str, *, after: str | None) -> AsyncIterator[Page[Sighting]]:
        if after is not None and not (after.isascii() and after.isdigit()):
            raise CursorRefused("the place of the broken walk cannot be read")
        paging = Paging(pages_max=_PAGES_MAX)
        while True:
            reply = await self._ask(
                "/devices", resource=resource, refusals=CENSUS, params=self._window(after), after=after
            )
            listing = self._device_lists.read(reply, CENSUS, cursor=after is not None)
            with reply.placed():
                rows = await sightings(listing.rows)
            step = onward(paging, listing, [found.device.id for found in rows.items])
            after = step.cursor
            yield Page(
                items=rows.items,
                resume=after,
                odd=rows.odd,
                oddity=rows.oddity,
                unknown_word=unknown_word(strange(listing.rows.items, rows.items), redact=self._account.redact),
                guarded=step.guard,
            )
            if after is None:
                return

    async def _changes(self, resource: str) -> AsyncIterator[Page[BulkJob]]:
        paging = Paging(pages_max=_CHANGE_PAGES_MAX)
        since_s = max(0, int(clock.now().timestamp() - self._changes_since.total_seconds()))
        after: str | None = None
        while True:
            reply = await self._ask(
                "/asyncchangerequests",
                resource=resource,
                params=(*self._window(after), ("start_after", str(since_s))),
                after=after,
            )
            listing = self._change_lists.read(reply, ELSEWHERE, cursor=after is not None)
            with reply.placed():
                rows = await bulk_changes(listing.rows)
            step = onward(paging, listing, row_ids(listing.rows.items))
            after = step.cursor
            yield Page(items=rows.items, resume=after, odd=rows.odd, oddity=rows.oddity, guarded=step.guard)
            if after is None:
                return

    async def _tasks(self, resource: str) -> AsyncIterator[Page[BulkJob]]:
        """Usually one page. How further ones are asked for is not documented: by an id of `startAfterIds`, it seems."""
        known: set[str] = set()
        ahead: list[str] = []
        after: str | None = None
        guard = ""
        while True:
            params = (*self._organisation(), *_startafter(after))
            reply = await self._ask("/devices/batch/state", resource=resource, params=params, after=after)
            data = opened(reply, ELSEWHERE, cursor=after is not None).get("data")
            if not isinstance(data, dict) or "tasks" not in data:
                raise reply.invalid("an envelope without tasks")
            tasks = data["tasks"]
            if tasks is not None and not isinstance(tasks, list):
                raise reply.invalid("an envelope whose tasks are no list")
            with reply.placed():
                rows = await bulk_jobs(tasks or [])
            ids = {job.id for job in rows.items}
            if after is None:
                ahead, guard = further_pages(data)
            elif ids <= known:
                ahead, guard = [], "a further page lists no further job"
            known |= ids
            after = ahead.pop(0) if ahead else None
            yield Page(
                items=rows.items,
                resume=after,
                total=count(data.get("totalTasks")),
                odd=rows.odd,
                oddity=rows.oddity,
                guarded=guard if after is None else "",
            )
            if after is None:
                return

    async def _looked_up(self, found: Sighting) -> DeviceStatus:
        """The status by the list of open sessions; as it is where this key may not read it."""
        try:
            reply = await self._ask("/devices/opensessions", resource="open sessions", params=self._organisation())
        except ResourceUnavailable:
            return found.status
        ids = open_session_ids(opened(reply, ELSEWHERE).get("data"))
        if ids is None:
            raise reply.invalid("an envelope without open sessions")
        return DeviceStatus.ONLINE if found.device.id in ids else DeviceStatus.OFFLINE

    def _organisation(self) -> tuple[tuple[str, str], ...]:
        return () if self._org_id is None else (("orgid", str(self._org_id)),)

    def _window(self, after: str | None) -> tuple[tuple[str, str], ...]:
        return (("limit", str(_LIMIT)), *self._organisation(), *_startafter(after))

    async def _ask(
        self,
        path: str,
        *,
        resource: str,
        refusals: Refusals = ELSEWHERE,
        params: Sequence[tuple[str, str]] = (),
        after: str | None = None,
    ) -> Reply:
        """Ask once; what is no resource is asked on demand, after all that is swept."""
        credential = b64encode(f"apikey:{self._secret.reveal()}".encode(errors="replace")).decode()
        return await ask(
            self._account,
            path,
            resource=resource,
            refusals=refusals,
            params=params,
            headers={"Authorization": f"Basic {credential}", "Accept": "application/json"},
            priority=swept.priority if (swept := self.resources.get(resource)) else Priority.DETAIL,
            cursor=after is not None,
            quiet_s=_QUIET_S,
            hints=_HINTS.get(resource),
        )


def _startafter(after: str | None) -> tuple[tuple[str, str], ...]:
    return () if after is None else (("startafter", after),)


def _device_row(data: object) -> DeviceRow | None:
    """The row of a lone device, also where it came as a list of one."""
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    return msgspec.convert(data, DeviceRow) if isinstance(data, dict) else None
