"""The walks over JFrog Connect's endpoints."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from fleetpulse.fleet.deployment import Deployment, FailedStep, RolloutStatus
from fleetpulse.fleet.device import Sighting
from fleetpulse.fleet.flow import UpdateFlow
from fleetpulse.fleet.tunnel import Tunnel
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
from fleetpulse.vendors.jfrog_connect import deployments as deployment_rows
from fleetpulse.vendors.jfrog_connect import devices as device_rows
from fleetpulse.vendors.jfrog_connect import tunnels as tunnel_rows
from fleetpulse.vendors.jfrog_connect.deployments import deployment_table, deployments, failed_steps, rollout
from fleetpulse.vendors.jfrog_connect.devices import device_id, device_table, group_names, sightings
from fleetpulse.vendors.jfrog_connect.flows import flow_table, flows
from fleetpulse.vendors.jfrog_connect.place import Place, cursor_of, total_of
from fleetpulse.vendors.jfrog_connect.settings import JFrogConnectSettings
from fleetpulse.vendors.wire import Paging, Refusals, Reply, Rows, ask, segment, unknown_word

Item = TypeVar("Item")

_LIMIT = 1000  # the most the vendor gives; constant within a walk, for the cursor carries it (Q14)
_PAGES_MAX = 2000  # two million devices in one group: beyond that the list goes in circles
_GLANCE = 100  # devices looked at to learn which groups and tags there are
_NAMES_SHOWN = 10
# 403 on the census is what an expired token gets; elsewhere a token may lack the right to one resource
_CENSUS = Refusals({401: CredentialsRejected, 403: CredentialsRejected, 404: ResourceUnavailable})
_ELSEWHERE = Refusals({401: CredentialsRejected, 403: ResourceUnavailable, 404: ResourceUnavailable})


class JFrogConnect:
    """One project at JFrog Connect. A `contract.Vendor`."""

    def __init__(self, settings: JFrogConnectSettings, *, account: Account, secret: Secret) -> None:
        self.resources: Mapping[str, Resource] = settings.resources
        self._account = account
        self._secret = secret
        self._project = settings.project_key
        self._groups: tuple[str | None, ...] = tuple(settings.groups) or (None,)
        self._tags = tuple(settings.tags)
        self._detail_flag = settings.detail_flag
        self._device_table = device_table()
        self._deployment_table = deployment_table()
        self._tunnel_table = tunnel_rows.tunnel_table()
        self._flow_table = flow_table()

    async def check(self) -> str:
        """Ask for one device; tells how many there are, where the vendor's count cannot be the page's own.

        Errors: as `devices` but for CursorRefused and FilterMatchesNothing.
        """
        reply = await self._ask("/devices", resource="devices", params=(("limit", "1"),), priority=Priority.DETAIL)
        rows = reply.rows(self._device_table)
        total = total_of(rows.beside.get("pagination_info"))
        if total is None or 0 < total <= len(rows.items):
            return ""
        return f"{total:,} devices" if total else "no device"

    async def device(self, device: str) -> Sighting:
        """Ask for one device. Its tags are told only where `detail_flag` has the name that the vendor gives to it.

        Errors: SourceUnreachable, RateLimited, CredentialsRejected, ResourceUnavailable, AnswerInvalid.
        """
        reply = await self._ask(
            f"/devices/{segment(device_id(device))}",
            resource=f"device {device}",
            params=((self._detail_flag, "true"),) if self._detail_flag else (),
            priority=Priority.DETAIL,
        )
        raw = reply.rows(self._device_table)
        with reply.placed():
            found = (await sightings(raw)).items
        return _the_one(reply, {sighting.device.id: sighting for sighting in found}, device_id(device))

    async def devices(self, resource: str, *, resume: str | None = None) -> AsyncIterator[Page[Sighting]]:
        """Walk the device list, group by group where groups are configured.

        Shape: pages of up to 1,000 in vendor order; `total` sums the groups walked so far. Where a configured group or
        tag matched nothing, an empty last page says so; where none matched, the error comes in its place.
        Errors: SourceUnreachable, RateLimited, CredentialsRejected, ResourceUnavailable, CursorRefused, AnswerInvalid,
        FilterMatchesNothing.
        Cancellation: safe between pages.
        Source: docs/vendors/jfrog-connect.md, "Paging" and "Filters".
        """
        place = Place.read(resume, groups=len(self._groups))
        paging = Paging(limit=_LIMIT, pages_max=_PAGES_MAX, seen=place.seen, pages=place.pages)
        while place.group < len(self._groups):
            reply = await self._ask_devices(resource, place)
            raw = reply.rows(self._device_table)
            with reply.placed():
                rows = await sightings(raw)
            info = rows.beside.get("pagination_info")
            total = total_of(info)
            step = paging.after(
                [sighting.device.id for sighting in rows.items],
                rows=len(rows.items) + rows.odd,
                cursor=cursor_of(info),
                total=total,
            )
            told = None if total is None else place.total + total
            place = self._onward(place, rows, cursor=step.cursor, paging=paging, total=total)
            last = step.guard or (place.group == len(self._groups) and not self._unmatched(place))
            yield Page(
                items=rows.items,
                resume=None if last else place.write(),
                total=told,
                odd=rows.odd,
                oddity=rows.oddity or _miscounted(rows, total, paging),
                unknown_word=unknown_word(device_rows.strange(raw.items, rows.items), redact=self._account.redact),
                guarded=step.guard,
            )
            if last:
                return
            if step.cursor is None:
                paging = Paging(limit=_LIMIT, pages_max=_PAGES_MAX)
        unmatched = await self._told_unmatched(self._unmatched(place))
        if not place.rows:
            raise FilterMatchesNothing(unmatched)
        yield Page(items=[], unmatched=unmatched)

    async def deployments(self, resource: str) -> AsyncIterator[Page[Deployment]]:
        """Walk the deployments, without their devices, in vendor order (newest or oldest first, nobody documents it).

        Errors: the same as `devices` but for FilterMatchesNothing.
        Cancellation: safe between pages.
        """
        paging = Paging(limit=_LIMIT, pages_max=_PAGES_MAX)
        cursor: str | None = ""
        while cursor is not None:
            reply = await self._ask(
                "/deployments",
                resource=resource,
                params=_window(cursor),
                cursor=bool(cursor),
                priority=self.resources[resource].priority,
            )
            raw = reply.rows(self._deployment_table)
            with reply.placed():
                rows = await deployments(raw)
            page = _paged(rows, [row.id for row in rows.items], paging)
            yield page
            cursor = page.resume

    async def deployment_devices(self, deployment: str) -> AsyncIterator[Page[tuple[str, RolloutStatus]]]:
        """Walk the devices of one deployment: (device id, status).

        Errors: as `deployments`; ResourceUnavailable when there is no such deployment any more.
        Cancellation: safe between pages.
        """
        paging = Paging(limit=_LIMIT, pages_max=_PAGES_MAX)
        path = f"/deployments/{segment(deployment)}/devices"
        cursor: str | None = ""
        while cursor is not None:
            # `after` and `limit` are not documented here, but its own cursor carries a limit (Q14)
            reply = await self._ask(
                path, resource=f"deployment {deployment}", params=_window(cursor), cursor=bool(cursor)
            )
            found, mended = reply.document()
            with reply.placed():
                rows = await rollout(found)
            if rows is None:
                raise reply.invalid("JSON without deployment_by_device_uuid")
            page = msgspec.structs.replace(
                _paged(rows, [row[0] for row in rows.items], paging),
                oddity=rows.oddity or mended,
                unknown_word=unknown_word(deployment_rows.strange(found), redact=self._account.redact),
            )
            yield page
            cursor = page.resume

    async def failed_steps(self, deployment: str, device: str) -> tuple[FailedStep, ...]:
        """The steps that failed on one device; nothing when it has not failed.

        Errors: as `deployments`.
        """
        path = f"/deployments/{segment(deployment)}/devices/{segment(device)}"
        reply = await self._ask(path, resource=f"deployment {deployment}")
        found, _ = reply.document()
        steps = failed_steps(found, device=device, redact=self._account.redact)
        if steps is None:
            raise reply.invalid("JSON without a status")
        return steps

    async def deployment(self, deployment: str) -> Deployment:
        """Ask for one deployment, without its devices.

        Errors: as `device`.
        """
        reply = await self._ask(
            f"/deployments/{segment(deployment)}", resource=f"deployment {deployment}", priority=Priority.DETAIL
        )
        raw = reply.rows(self._deployment_table)
        with reply.placed():
            found = (await deployments(raw)).items
        return _the_one(reply, {row.id: row for row in found}, deployment)

    async def tunnels(self, resource: str) -> AsyncIterator[Page[Tunnel]]:
        """Walk the port tunnels, ended ones included as long as the vendor lists them.

        Shape: one page, for the list has no paging.
        Errors: as `device`.
        """
        reply = await self._ask("/port_tunnel", resource=resource, priority=self.resources[resource].priority)
        raw = reply.rows(self._tunnel_table)
        with reply.placed():
            rows = await tunnel_rows.tunnels(raw)
        yield Page(
            items=rows.items,
            odd=rows.odd,
            oddity=rows.oddity,
            unknown_word=unknown_word(tunnel_rows.strange(raw.items), redact=self._account.redact),
        )

    async def tunnel(self, tunnel: str) -> Tunnel:
        """Ask for one port tunnel.

        Errors: as `device`.
        """
        reply = await self._ask(
            f"/port_tunnel/{segment(tunnel)}", resource=f"tunnel {tunnel}", priority=Priority.DETAIL
        )
        raw = reply.rows(self._tunnel_table)
        with reply.placed():
            found = (await tunnel_rows.tunnels(raw)).items
        return _the_one(reply, {row.id: row for row in found}, tunnel)

    async def flows(self, resource: str) -> AsyncIterator[Page[UpdateFlow]]:
        """Walk the update flows.

        Shape: pages of up to 1,000. A full page that shows no way to a next one ends the walk by a guard, for where the
        cursor stands is not documented.
        Errors: as `deployments`.
        Source: docs/vendors/jfrog-connect.md, "Update flows".
        """
        paging = Paging(limit=_LIMIT, pages_max=_PAGES_MAX)
        cursor: str | None = ""
        while cursor is not None:
            reply = await self._ask(
                "/update-flows",
                resource=resource,
                params=_window(cursor),
                cursor=bool(cursor),
                priority=self.resources[resource].priority,
            )
            raw = reply.rows(self._flow_table)
            with reply.placed():
                rows = await flows(raw)
            page = _paged(rows, [row.id for row in rows.items], paging)
            told = isinstance(rows.beside.get("pagination_info"), dict)
            if len(rows.items) + rows.odd >= _LIMIT and not told:
                page = msgspec.structs.replace(page, guarded="a full page does not say how the next one is asked for")
            yield page
            cursor = page.resume

    async def _ask_devices(self, resource: str, place: Place) -> Reply:
        group = self._groups[place.group]
        params = [
            *_window(place.cursor),
            ("enrich_info", "true"),  # without it the list leaves the tags out
            *((("group_name", group),) if group is not None else ()),
            *(("tags", tag) for tag in self._tags),
        ]
        return await self._ask(
            "/devices",
            resource=resource,
            params=params,
            cursor=bool(place.cursor),
            priority=self.resources[resource].priority,
        )

    async def _ask(
        self,
        path: str,
        *,
        resource: str,
        params: Sequence[tuple[str, str]] = (),
        cursor: bool = False,
        priority: Priority = Priority.WORK,
    ) -> Reply:
        return await ask(
            self._account,
            f"/api/v2/{segment(self._project)}{path}",
            resource=resource,
            refusals=_CENSUS if path == "/devices" else _ELSEWHERE,
            params=params,
            # Q16: some documented examples leave it out; it is always needed. Revealed at each request, so that a
            # refreshed token counts at once
            headers={"Authorization": f"Bearer {self._secret.reveal()}", "Accept": "application/json"},
            priority=priority,
            cursor=cursor,
            hints={404: f"project {self._project!r} not found"} if path == "/devices" else None,
        )

    def _onward(
        self, place: Place, rows: Rows[Sighting], *, cursor: str | None, paging: Paging, total: int | None
    ) -> Place:
        """Where the walk stands after a page: further in the group, or at the start of the next one."""
        met = {tag for sighting in rows.items for tag in sighting.device.tags} if self._tags else set()
        folded = {tag.casefold() for tag in met}  # whether the vendor's filter minds the case is not documented
        learned = msgspec.structs.replace(
            place,
            rows=place.rows + len(rows.items) + rows.odd,
            tags=tuple(n for n, tag in enumerate(self._tags) if n in place.tags or tag.casefold() in folded),
            tagged=place.tagged or bool(met),
        )
        if cursor is not None:
            return msgspec.structs.replace(learned, cursor=cursor, seen=paging.seen, pages=paging.pages)
        return msgspec.structs.replace(
            learned,
            group=place.group + 1,
            cursor="",
            seen=0,
            pages=0,
            total=place.total + (paging.seen if total is None else total),
            empty=place.empty if paging.seen else (*place.empty, place.group),
        )

    def _unmatched(self, place: Place) -> list[str]:
        """The configured groups and tags that a finished walk found nothing for, as people would name them."""
        groups = [f"group {group!r}" for n in place.empty if (group := self._groups[n]) is not None]
        # rows without any tag at all mean that the vendor told none, not that none matched
        tags_told = place.tagged or place.rows == 0
        return groups + [f"tag {tag!r}" for n, tag in enumerate(self._tags) if tags_told and n not in place.tags]

    async def _told_unmatched(self, unmatched: Sequence[str]) -> str:
        """The text for people, with what the account has instead, learned from its first devices if they can be had."""
        verb = "matches" if len(unmatched) == 1 else "match"
        text = f"{', '.join(unmatched)} {verb} no device"
        try:
            reply = await self._ask(
                "/devices",
                resource="devices",
                params=(("limit", str(_GLANCE)), ("enrich_info", "true")),
                priority=Priority.DETAIL,
            )
            found = (await sightings(reply.rows(self._device_table))).items
        except SourceError:
            return self._account.redact(text)
        tags = sorted({tag for sighting in found for tag in sighting.device.tags})
        has = [
            *([_listed(group_names(found))] if any(name.startswith("group") for name in unmatched) else ()),
            *([f"tags {_listed(tags)}"] if any(name.startswith("tag") for name in unmatched) else ()),
        ]
        instead = f"the account has {' and '.join(has)}" if found else "the account lists no device at all"
        return self._account.redact(f"{text}; {instead}")


def _window(cursor: str) -> tuple[tuple[str, str], ...]:
    limit = ("limit", str(_LIMIT))
    return (limit, ("after", cursor)) if cursor else (limit,)


def _paged(rows: Rows[Any], ids: Sequence[str], paging: Paging) -> Page[Any]:
    info = rows.beside.get("pagination_info")
    total = total_of(info)
    step = paging.after(ids, rows=len(rows.items) + rows.odd, cursor=cursor_of(info), total=total)
    return Page(
        items=rows.items,
        resume=step.cursor,
        total=total,
        odd=rows.odd,
        oddity=rows.oddity or _miscounted(rows, total, paging),
        guarded=step.guard,
    )


def _miscounted(rows: Rows[Any], total: int | None, paging: Paging) -> str:
    """What is odd about a total that is as large as its page where other pages came before: it announces nothing."""
    counts_the_page = total is not None and total == len(rows.items) + rows.odd < paging.seen
    return "the total counts the rows of a page, not those of the list" if counts_the_page else ""


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"{shown}, +{len(names) - _NAMES_SHOWN}" if len(names) > _NAMES_SHOWN else shown or "none"


def _the_one(reply: Reply, found: Mapping[str, Item], wanted: str) -> Item:
    """What was asked for by its id.

    Errors: AnswerInvalid where the answer is about something else.
    """
    if wanted not in found:
        raise reply.invalid("about another one")
    return found[wanted]
