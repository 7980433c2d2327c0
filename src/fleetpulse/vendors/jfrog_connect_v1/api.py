"""The walks over the device lists of JFrog Connect's API v1, and the questions asked on demand."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from fleetpulse import clock
from fleetpulse.fleet.device import Aspect, Device, Sighting
from fleetpulse.outbound import Account, Priority
from fleetpulse.secrets import Secret
from fleetpulse.vendors.contract import (
    AnswerInvalid,
    CredentialsRejected,
    FilterMatchesNothing,
    Page,
    RateLimited,
    Resource,
    ResourceUnavailable,
    SourceError,
)
from fleetpulse.vendors.jfrog_connect_v1.identity import Identities, ids_in, with_prefix
from fleetpulse.vendors.jfrog_connect_v1.place import Place
from fleetpulse.vendors.jfrog_connect_v1.rows import Listed, detail_table, details, state_table, states, status_of
from fleetpulse.vendors.jfrog_connect_v1.settings import PAGE_ROWS, JFrogConnectV1Settings
from fleetpulse.vendors.wire import Paging, Refusals, Reply, ask, text, word

_STATES = "/v1/get_devices_state"
_DETAILS = "/v1/devices_details"
_STATE = "/v1/get_device_state"
_DEFAULT_ROWS = 20  # what a page has where the vendor did not take `limit`
_PAGES_MAX = 4000  # 200,000 devices, the most one source may have
_QUIET_S = 60.0  # after a 429, which names no time: the rate is counted by the minute
_NAMES_SHOWN = 10
# Every refusal but 429 is documented as 400 with a text in words that nobody lists, so only unmistakable ones count.
# "unexpected token" is what a JSON parser says of a body; a device's token is never sent.
_TOKEN_TEXTS: tuple[tuple[str, type[SourceError]], ...] = (
    ("rate limit", RateLimited),  # also one that speaks of a token bucket
    ("unexpected token", AnswerInvalid),
    ("user_token", CredentialsRejected),
    ("user token", CredentialsRejected),
    ("device_token", ResourceUnavailable),
    ("device token", ResourceUnavailable),
    ("token", CredentialsRejected),
    ("credential", CredentialsRejected),
    ("unauthorized", CredentialsRejected),
    ("authenticat", CredentialsRejected),
)
_ABSENCE_TEXTS: tuple[tuple[str, type[SourceError]], ...] = tuple(
    (piece, ResourceUnavailable) for piece in ("not found", "not exist", "doesn't exist", "no such", "unknown project")
)
_BAD_REQUEST = frozenset({400})
_CENSUS_STATUSES: Mapping[int, type[SourceError]] = {403: CredentialsRejected}
_HINTS = {
    404: "is base_url right? the paths /v1/... follow it",
    429: "the vendor may ban who asks too often",
}


class JFrogConnectV1:
    """One account at JFrog Connect's API v1, or one project or group of it. A `contract.Vendor` of devices."""

    def __init__(self, settings: JFrogConnectV1Settings, *, account: Account, secret: Secret) -> None:
        self.resources: Mapping[str, Resource] = settings.resources
        self._account = account
        self._secret = secret
        self._project = settings.project
        self._group = settings.group
        self._scope = {
            **({"project_name": settings.project} if settings.project is not None else {}),
            **({"group_name": settings.group} if settings.group is not None else {}),
        }
        self._identities = Identities()
        self._state_table = state_table()
        self._detail_table = detail_table()

    async def devices(self, resource: str, *, resume: str | None = None) -> AsyncIterator[Page[Sighting]]:
        """Walk the states, which decide who is there, or the details, which tell no status and of deployments.

        Shape: pages of up to 50 in vendor order, without the devices that came before; there is no `total`.
        Errors: SourceUnreachable, RateLimited, CredentialsRejected, ResourceUnavailable, CursorRefused, AnswerInvalid,
        FilterMatchesNothing (of the states alone).
        Cancellation: safe between pages.
        Source: docs/vendors/jfrog-connect-v1.md, "Paging".
        """
        census = self.resources[resource].census
        place = Place.read(resume)
        paging = Paging(pages_max=_PAGES_MAX, seen=place.seen, pages=place.pages)
        known: set[str] = set()
        while True:
            listed, more = await self._page(resource, offset=place.offset)
            rows = len(listed.sightings) + listed.odd
            fresh = [sighting for sighting in listed.sightings if sighting.device.id not in known]
            offset = _next_offset(listed, census=census) if more else None
            step = paging.after(
                [sighting.device.id for sighting in listed.sightings],
                rows=rows,
                cursor=None if offset is None else str(offset),
                total=None,
            )
            guard = step.guard or (_dead_end(fresh, offset) if more and rows else "")
            last = bool(guard) or step.cursor is None
            if last and census and self._scope and not paging.seen:
                raise FilterMatchesNothing(await self._told_unmatched())
            known.update(sighting.device.id for sighting in fresh)
            place = Place(offset=offset, seen=paging.seen, pages=paging.pages)
            yield Page(
                items=fresh,
                resume=None if last else place.write(),
                odd=listed.odd,
                oddity=listed.oddity,
                unknown_word=listed.unknown_word,
                guarded=guard,
                aspects=Aspect.STATUS if census else Aspect.ATTRIBUTES | Aspect.READINGS,
                rollouts=listed.rollouts,
            )
            if last:
                return

    async def check(self) -> str:
        """Ask for one device's state; says only where there is none.

        Errors: as `devices`, without CursorRefused and FilterMatchesNothing.
        """
        reply = await self._ask(
            _STATES,
            resource="states",
            body={**self._scope, "limit": 1},
            refusals=_refusals(census=True, cursor=False),
            priority=Priority.DETAIL,
        )
        rows = reply.rows(self._state_table)
        return "" if rows.items else "no device is listed"

    async def device(self, device: str) -> Sighting:
        """Ask for one device's state by its uuid; nothing else is told of it.

        Errors: as `check`; ResourceUnavailable: there is no such device, or its agent is 7.0 or later.
        """
        reply = await self._ask(
            _STATE,
            resource=f"device {device}",
            body={"device_id": device},
            refusals=Refusals(
                by_text=(*_TOKEN_TEXTS, ("device", ResourceUnavailable), *_ABSENCE_TEXTS), text_statuses=_BAD_REQUEST
            ),
            priority=Priority.DETAIL,
        )
        found, _ = reply.document()
        told = _state(found)
        if told is None:
            raise reply.invalid("JSON without a device_status")
        answered = ids_in(told).uuid  # Q3: it may be a number, or missing
        if answered and with_prefix(answered) != device:
            raise reply.invalid("the state of another device")
        return Sighting(Device(device, text(told.get("device_name"))), status_of(told["device_status"]))

    async def _page(self, resource: str, *, offset: str | int | None) -> tuple[Listed, bool]:
        """One page, and whether there is a further one."""
        census = self.resources[resource].census
        reply = await self._ask(
            _STATES if census else _DETAILS,
            resource=resource,
            body={**self._scope, "limit": PAGE_ROWS, **({} if offset is None else {"offset": offset})},
            refusals=_refusals(census=census, cursor=offset is not None),
            priority=self.resources[resource].priority,
            cursor=offset is not None,
        )
        beside, listed = await self._read(reply, census=census)
        says = _said_more(beside.get("more"))
        rows = len(listed.sightings) + listed.odd
        # without a flag a short page is the last; one as long as the default may only mean that `limit` was not taken
        return listed, rows == _DEFAULT_ROWS or rows >= PAGE_ROWS if says is None else says

    async def _read(self, reply: Reply, *, census: bool) -> tuple[Mapping[str, Any], Listed]:
        redact, identities = self._account.redact, self._identities
        if census:
            state_rows = reply.rows(self._state_table)
            with reply.placed():
                return state_rows.beside, states(state_rows, identities=identities, redact=redact)
        detail_rows = reply.rows(self._detail_table)
        with reply.placed():
            listed = await details(detail_rows, identities=identities, redact=redact, now=clock.now())
            return detail_rows.beside, listed

    async def _ask(
        self,
        path: str,
        *,
        resource: str,
        body: Mapping[str, Any],
        refusals: Refusals,
        priority: Priority,
        cursor: bool = False,
    ) -> Reply:
        """Q7: a GET whose question and key stand in its body; the key is revealed each time, for it may be renewed."""
        return await ask(
            self._account,
            path,
            resource=resource,
            refusals=refusals,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            # the standard encoder, for it escapes what is no UTF-8: a key from the environment may hold anything
            body=json.dumps({"user_token": self._secret.reveal(), **body}).encode(),
            priority=priority,
            cursor=cursor,
            quiet_s=_QUIET_S,
            hints=_HINTS,
        )

    async def _told_unmatched(self) -> str:
        """The text for people, with what there is instead, learned from the first devices if they can be had."""
        inside = f"group {self._group!r} of " if self._group is not None else ""
        told = f"{inside}project {self._project!r} matches no device"
        try:
            reply = await self._ask(
                _DETAILS,
                resource="details",
                body={"limit": PAGE_ROWS},
                refusals=_refusals(census=False, cursor=False),
                priority=Priority.DETAIL,
            )
            found, _ = reply.document()
        except SourceError:
            return self._account.redact(told)
        places = _places(found)
        groups = sorted({group for project, group in places if project == self._project and group})
        projects = sorted({project for project, _ in places if project})
        if self._group is not None and groups:
            told += f"; that project has {_listed(groups)}"
        elif projects:
            told += f"; the account has {_listed(projects)}"
        else:
            told += "; the account lists no device at all"
        return self._account.redact(told)


def _refusals(*, census: bool, cursor: bool) -> Refusals:
    """What a refused list means. What is not found is the offset where there is one, and else the project."""
    return Refusals(
        by_status=_CENSUS_STATUSES if census else {},
        by_text=_TOKEN_TEXTS if cursor else (*_TOKEN_TEXTS, *_ABSENCE_TEXTS),
        text_statuses=_BAD_REQUEST,
    )


def _dead_end(fresh: Sequence[Sighting], offset: str | int | None) -> str:
    """Why a page that is not the last one leads no further; empty where it does."""
    if offset is None:
        return "a page names no device to go on from"
    return "" if fresh else "a page lists only devices that came before"


def _next_offset(listed: Listed, *, census: bool) -> str | int | None:
    """The last row's uuid for states, its number for details; states go by number where there is no uuid (Q2)."""
    return (listed.last.uuid or listed.last.number) if census else listed.last.number


def _said_more(value: object) -> bool | None:
    """The `more` flag of details; None where it is missing or something else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(word(value))


def _state(found: Any) -> Mapping[str, Any] | None:
    """The one state in an answer: an object under `message`, or one in a list there (Q1), or bare."""
    message = found.get("message", found) if isinstance(found, dict) else found
    candidates = message if isinstance(message, list) else [message]
    return next((each for each in candidates if isinstance(each, dict) and "device_status" in each), None)


def _places(found: Any) -> list[tuple[str, str]]:
    """The (project, group) of each listed device."""
    listed = found.get("message") if isinstance(found, dict) else None
    rows = [row for row in listed[:PAGE_ROWS] if isinstance(row, dict)] if isinstance(listed, list) else []
    return [(text(row.get("project")), text(row.get("group"))) for row in rows]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"{shown}, +{len(names) - _NAMES_SHOWN}" if len(names) > _NAMES_SHOWN else shown
