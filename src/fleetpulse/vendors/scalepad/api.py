"""The walks and questions to ScalePad's endpoints."""

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from fleetpulse import clock
from fleetpulse.fleet.deployment import Rollout
from fleetpulse.fleet.device import Sighting
from fleetpulse.fleet.summary import Summary
from fleetpulse.outbound import Account, Priority
from fleetpulse.secrets import Secret
from fleetpulse.vendors.contract import (
    CredentialsRejected,
    FilterMatchesNothing,
    Page,
    Resource,
    ResourceUnavailable,
    SourceError,
)
from fleetpulse.vendors.scalepad import enrolments as enrolment_rows
from fleetpulse.vendors.scalepad.devices import DeviceRow, Freshness, device_table, sightings, strange
from fleetpulse.vendors.scalepad.enrolments import ENROLMENTS_MAX, enrolment_table, enrolments
from fleetpulse.vendors.scalepad.place import count, onward, resumed
from fleetpulse.vendors.scalepad.settings import ScalePadSettings
from fleetpulse.vendors.scalepad.summary import summary, told
from fleetpulse.vendors.wire import Paging, Refusals, Reply, Rows, ask, segment, text, unknown_word

_PAGE_SIZE = 500  # the most the vendor gives
_PAGES_MAX = 4000  # two million devices: beyond that the list goes in circles
_STALEST_PAGES_MAX = 40  # 20,000 silent devices: where more are asleep, the next whole walk tells who joined them
_FILTERS = ("status", "os_name", "user_id", "q")
# The vendor's default order, last heartbeat first, changes while its pages are read; the day of creation never does
_BY_AGE = (("sort_by", "created_at"), ("sort_order", "asc"))
_SILENT_FIRST = (("sort_by", "last_seen_at"), ("sort_order", "asc"))
# 403 on the census is a token without any right to this client; elsewhere it may lack the right to one resource
_CENSUS = Refusals({401: CredentialsRejected, 403: CredentialsRejected, 404: ResourceUnavailable})
_ELSEWHERE = Refusals({401: CredentialsRejected, 403: ResourceUnavailable, 404: ResourceUnavailable})


class ScalePad:
    """One client organisation at ScalePad AMM. A `contract.Vendor`."""

    def __init__(self, settings: ScalePadSettings, *, account: Account, secret: Secret) -> None:
        self.resources: Mapping[str, Resource] = settings.resources
        self._account = account
        self._secret = secret
        self._client = settings.client_id
        self._offline_after = settings.offline_after
        self._filters: tuple[tuple[str, str], ...] = tuple(
            (name, value) for name in _FILTERS if (value := getattr(settings, name)) is not None
        )
        self._device_table = device_table()
        self._enrolment_table = enrolment_table()

    async def devices(self, resource: str, *, resume: str | None = None) -> AsyncIterator[Page[Sighting]]:
        """Walk the device list in order of creation.

        Shape: pages of up to 500, each with the count of all that match the filters. Where they match nothing while
        the client has devices, the error comes in place of the empty page.
        Errors: SourceUnreachable, RateLimited, CredentialsRejected, ResourceUnavailable, CursorRefused, AnswerInvalid,
        FilterMatchesNothing.
        Cancellation: safe between pages.
        Source: docs/vendors/scalepad.md, "Paging" and "Filters".
        """
        paging = Paging(pages_max=_PAGES_MAX)
        cursor = resumed(resume)
        while True:
            page, _ = await self._page(resource, _BY_AGE, cursor=cursor, paging=paging)
            if cursor is None and not page.items and not page.guarded:
                await self._refuse_vain_filters()
            yield page
            cursor = page.resume
            if cursor is None:
                return

    async def stalest_devices(self, resource: str) -> AsyncIterator[Page[Sighting]]:
        """Walk the devices from the longest silent on, up to the first page that reaches a fresh one.

        Shape: pages of up to 500, usually one. Who was never heard of may come first or last, and neither is fresh nor
        ends the walk.
        Errors: as `devices` but for FilterMatchesNothing.
        Cancellation: safe between pages.
        Source: docs/vendors/scalepad.md, "Between whole walks".
        """
        paging = Paging(pages_max=_STALEST_PAGES_MAX)
        cursor: str | None = None
        while True:
            page, reached = await self._page(resource, _SILENT_FIRST, cursor=cursor, paging=paging)
            yield msgspec.structs.replace(page, resume=None, guarded="") if reached else page
            cursor = page.resume
            if reached or cursor is None:
                return

    async def device(self, device: str) -> Sighting:
        """Ask for one device by its id, on demand.

        Errors: as `stalest_devices`; ResourceUnavailable when there is no such device.
        """
        wanted = text(device)
        reply = await self._ask(f"/devices/{segment(wanted)}", resource=f"device {wanted}", priority=Priority.DETAIL)
        _, found = await self._read(reply, self._fresh())
        for sighting in found.items:
            if sighting.device.id.casefold() == wanted.casefold():
                return sighting
        raise reply.invalid("not the device that was asked for")

    async def summary(self, resource: str) -> Summary:
        """Ask for the vendor's count of the client's devices, whatever filters are configured.

        Errors: as `device`.
        """
        return await self._summary(resource, self.resources[resource].priority)

    async def enrolments(self, resource: str, device: str) -> Page[Rollout]:
        """Ask for one device's enrolments, the 50 newest, newest first.

        Errors: as `device`.
        """
        wanted = text(device)
        reply = await self._ask(
            f"/devices/{segment(wanted)}/deployments",
            resource=f"{resource} of device {wanted}",
            params=(("page_size", str(ENROLMENTS_MAX)),),
            priority=self.resources[resource].priority,
        )
        raw = reply.rows(self._enrolment_table)
        with reply.placed():
            rows = await enrolments(raw, device=device)
        return Page(
            items=rows.items,
            odd=rows.odd,
            oddity=rows.oddity,
            unknown_word=unknown_word(enrolment_rows.strange(raw.items), redact=self._account.redact),
        )

    async def check(self) -> str:
        """Ask for the summary, the cheapest question: how many devices the client has.

        Errors: as `device`.
        """
        return told(await self._summary("summary", Priority.DETAIL))

    async def _page(
        self, resource: str, order: Sequence[tuple[str, str]], *, cursor: str | None, paging: Paging
    ) -> tuple[Page[Sighting], bool]:
        """One page in this order, and whether a device on it was heard of lately."""
        reply = await self._ask(
            "/devices",
            resource=resource,
            # the filters stay the same throughout a walk: what a cursor means under others is not documented
            params=(
                ("page_size", str(_PAGE_SIZE)),
                *order,
                *self._filters,
                *((("cursor", cursor),) if cursor is not None else ()),
            ),
            priority=self.resources[resource].priority,
            cursor=cursor is not None,
        )
        fresh = self._fresh()
        raw, found = await self._read(reply, fresh)
        rows = len(found.items) + found.odd
        further = onward(raw.beside.get("next_cursor"), rows=rows)
        # its total ends no walk: rows may repeat while they are read, and would be counted twice
        step = paging.after(
            [sighting.device.id for sighting in found.items], rows=rows, cursor=further.cursor, total=None
        )
        page = Page(
            items=found.items,
            resume=step.cursor,
            total=count(raw.beside.get("total_count")),
            odd=found.odd,
            oddity=found.oddity,
            unknown_word=unknown_word(strange(raw.items, found.items), redact=self._account.redact),
            guarded=step.guard or further.problem,
        )
        return page, fresh.reached(found.items)

    async def _read(self, reply: Reply, fresh: Freshness) -> tuple[Rows[DeviceRow], Rows[Sighting]]:
        raw = reply.rows(self._device_table)
        with reply.placed():
            return raw, await sightings(raw, fresh=fresh)

    async def _summary(self, resource: str, priority: Priority) -> Summary:
        reply = await self._ask("/devices/summary", resource=resource, priority=priority)
        document, _ = reply.document()
        found = summary(document)
        if found is None:
            raise reply.invalid("JSON that is no summary")
        return found

    async def _refuse_vain_filters(self) -> None:
        """Ask whether there are devices that the filters hide; where that cannot be told, nothing is claimed.

        Errors: FilterMatchesNothing.
        """
        if not self._filters:
            return
        try:
            found = await self._summary("summary", Priority.DETAIL)
        except SourceError:
            return
        if found.devices:
            named = ", ".join(f"{name} {value!r}" for name, value in self._filters)
            verb = "matches" if len(self._filters) == 1 else "together match"
            instead = f"the client has {found.devices:,} devices without that"
            raise FilterMatchesNothing(self._account.redact(f"{named} {verb} no device; {instead}"))

    async def _ask(
        self,
        path: str,
        *,
        resource: str,
        priority: Priority,
        params: Sequence[tuple[str, str]] = (),
        cursor: bool = False,
    ) -> Reply:
        census = path == "/devices"
        return await ask(
            self._account,
            f"/clients/{segment(self._client)}{path}",
            resource=resource,
            refusals=_CENSUS if census else _ELSEWHERE,
            params=params,
            # revealed at each request, so that a refreshed token counts at once
            headers={"Authorization": f"Bearer {self._secret.reveal()}", "Accept": "application/json"},
            priority=priority,
            cursor=cursor,
            hints={
                403: f"the token has no right to client {self._client}",
                404: f"client {self._client} not found: client_id is wrong",
            }
            if census
            else None,
        )

    def _fresh(self) -> Freshness:
        return Freshness.at(clock.now(), offline_after=self._offline_after)
