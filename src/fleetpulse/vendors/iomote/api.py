"""The walks over Iomote's endpoints, and what is asked of single devices."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final, TypeVar

from fleetpulse.fleet.device import Aspect, Device, DeviceStatus, Readings, Sighting
from fleetpulse.fleet.group import Group
from fleetpulse.outbound import Account, Priority
from fleetpulse.secrets import Secret
from fleetpulse.vendors.contract import (
    AnswerInvalid,
    CredentialsRejected,
    CursorRefused,
    Page,
    Resource,
    ResourceUnavailable,
    SourceError,
)
from fleetpulse.vendors.iomote.devices import (
    connection_state,
    listed,
    plain_devices,
    plain_table,
    stated,
    stated_table,
)
from fleetpulse.vendors.iomote.groups import group_table, groups
from fleetpulse.vendors.iomote.refusals import CENSUS, GROUPS, GUESS, ONE_THING, error_text
from fleetpulse.vendors.iomote.settings import IomoteSettings
from fleetpulse.vendors.iomote.statistics import readings, statistics_table
from fleetpulse.vendors.wire import Refusals, Reply, Rows, ask, segment

Read = TypeVar("Read")

_TOLD: Final = Aspect.STATUS | Aspect.ATTRIBUTES  # the readings come from the statistics
_DEVICE_ID: Final = "device_id"
_ID: Final = "id"


class Iomote:
    """One account at Iomote MyMote. A `contract.Vendor`.

    It keeps what only its answers can teach: the groups' names, each device's other id, and which of the two ids the
    endpoints of one device take.
    """

    def __init__(self, settings: IomoteSettings, *, account: Account, secret: Secret) -> None:
        self.resources: Mapping[str, Resource] = settings.resources
        self._account = account
        self._secret = secret
        self._user = settings.user_id
        self._path_id: str | None = settings.path_id
        self._names: Mapping[str, str] | None = None
        self._names_refused = False
        self._other_ids: Mapping[str, str] = {}
        self._stated_table = stated_table()
        self._plain_table = plain_table()
        self._group_table = group_table()
        self._statistics_table = statistics_table()

    async def check(self) -> str:
        """Ask for the groups, which are few; for the devices where the account has no list of groups.

        Errors: SourceUnreachable, RateLimited, CredentialsRejected, ResourceUnavailable, AnswerInvalid.
        """
        try:
            found = await self._read_groups("groups", priority=Priority.DETAIL)
        except ResourceUnavailable:
            devices = (await self._ask_devices("devices", priority=Priority.DETAIL)).rows(self._stated_table)
            return _counted(len(devices.items), "device")
        return _counted(len(found.items), "group")

    async def devices(self, resource: str, *, resume: str | None = None) -> AsyncIterator[Page[Sighting]]:
        """Walk the device list.

        Shape: one page, for there is no paging. It speaks of statuses alone while the groups' names cannot be had: a
        device must not seem to change its group.
        Errors: SourceUnreachable, RateLimited, CredentialsRejected, ResourceUnavailable, CursorRefused, AnswerInvalid.
        Source: docs/vendors/iomote.md, "Group names".
        """
        if resume is not None:
            raise CursorRefused("a list that comes in one piece is not resumed")
        reply = await self._ask_devices(resource, priority=self.resources[resource].priority)
        rows = reply.rows(self._stated_table)
        names = await self._learned_names()
        with reply.placed():
            page = await listed(rows, names=names, redact=self._account.redact)
        self._other_ids = page.other_ids
        yield Page(
            items=page.rows.items,
            odd=page.rows.odd,
            oddity=page.rows.oddity,
            unknown_word=page.unknown_word,
            aspects=Aspect.STATUS if names is None else _TOLD,
        )

    async def groups(self, resource: str) -> AsyncIterator[Page[Group]]:
        """Walk the groups; devices are listed under their names from then on.

        Shape: one page.
        Errors: as `check`.
        """
        rows = await self._read_groups(resource, priority=self.resources[resource].priority)
        yield Page(items=rows.items, odd=rows.odd, oddity=rows.oddity)

    async def readings(self, resource: str, device: str) -> Sighting:
        """Ask for how much one device has sent in all.

        Errors: as `check`; ResourceUnavailable where there is no such device.
        """
        found = await self._of_device(
            device, "/stat", priority=self.resources[resource].priority, read=self._statistics
        )
        return Sighting(Device(id=device), readings=found)

    async def device(self, device: str) -> Sighting:
        """Ask for one device and, apart from it, for its connection.

        Errors: as `readings`. The device's own word stands where the second answer has none.
        """
        found = await self._of_device(device, "", priority=Priority.DETAIL, read=self._one_of(device))
        try:
            state = await self._of_device(device, "/status", priority=Priority.DETAIL, read=_state)
        except (ResourceUnavailable, AnswerInvalid):
            return found
        return found if state is DeviceStatus.UNKNOWN else Sighting(found.device, state)

    async def group_devices(self, group: str) -> Sequence[Device]:
        """Ask for the devices of one group by its id; the vendor tells no status of them there.

        Errors: as `check`; ResourceUnavailable where there is no such group.
        """
        reply = await self._ask(
            f"/devices/group/{segment(group)}", resource=f"group {group}", refusals=ONE_THING, priority=Priority.DETAIL
        )
        raw = reply.rows(self._plain_table)
        with reply.placed():
            return plain_devices(raw, names=self._names)

    async def _ask_devices(self, resource: str, *, priority: Priority) -> Reply:
        return await self._ask("/devices", resource=resource, refusals=CENSUS, priority=priority)

    async def _read_groups(self, resource: str, *, priority: Priority) -> Rows[Group]:
        reply = await self._ask("/groups", resource=resource, refusals=GROUPS, priority=priority)
        raw = reply.rows(self._group_table)
        with reply.placed():
            rows = await groups(raw)
        if rows.items or self._names is None:  # an empty list would rename the group of every device
            self._names = {group.id: group.name for group in rows.items}
        return rows

    async def _learned_names(self) -> Mapping[str, str] | None:
        """The groups' names by id, asked for where nobody did; empty where there are none to be had, None for now.

        Asked only after the device list came, so that a refused key is met there, where it has one meaning.
        """
        if self._names is None:
            try:
                await self._read_groups("groups", priority=Priority.STATE)
            except ResourceUnavailable:
                self._names = {}
            except CredentialsRejected:  # of a key that was taken a moment ago: believed when it says so again
                self._names = {} if self._names_refused else None
                self._names_refused = True
            except SourceError:
                pass  # the poller of the groups tells it; the devices' statuses need no names
        return self._names

    async def _of_device(self, device: str, path: str, *, priority: Priority, read: Callable[[Reply], Read]) -> Read:
        """Ask below one device's path, and remember which of its ids found it there.

        Source: docs/vendors/iomote.md, "Device ids".
        """
        *guesses, last = await self._spellings(device)
        for kind, spelled in guesses:
            try:
                return await self._of_path(kind, spelled, path, refusals=GUESS, priority=priority, read=read)
            except ResourceUnavailable:
                continue
        return await self._of_path(*last, path, refusals=ONE_THING, priority=priority, read=read)

    async def _of_path(
        self,
        kind: str,
        spelled: str,
        path: str,
        *,
        refusals: Refusals,
        priority: Priority,
        read: Callable[[Reply], Read],
    ) -> Read:
        reply = await self._ask(
            f"/devices/{segment(spelled)}{path}", resource=f"device {spelled}", refusals=refusals, priority=priority
        )
        found = read(reply)
        self._path_id = kind
        return found

    async def _spellings(self, device: str) -> Sequence[tuple[str, str]]:
        """The ids to try for a device, one at least, each with the name of its field.

        Errors: ResourceUnavailable where the id that is wanted is not to be had.
        """
        if self._path_id == _DEVICE_ID:
            return [(_DEVICE_ID, device)]
        if self._path_id == _ID and device not in self._other_ids:
            reply = await self._ask_devices("devices", priority=Priority.DETAIL)
            rows = reply.rows(self._stated_table)
            with reply.placed():
                self._other_ids = (await listed(rows, names=None, redact=self._account.redact)).other_ids
        other = self._other_ids.get(device)
        if self._path_id is None:
            return [(_DEVICE_ID, device), *([(_ID, other)] if other is not None and other != device else ())]
        if other is None:
            raise ResourceUnavailable(f"{self._account.host} device {device}: the list has no such device")
        return [(_ID, other)]

    def _one_of(self, device: str) -> Callable[[Reply], Sighting]:
        def read(reply: Reply) -> Sighting:
            rows = reply.rows(self._stated_table).items
            if not rows:
                raise _absent(reply)
            found = [sighting for row in rows if (sighting := stated(row, names=self._names)) is not None]
            one = next((sighting for sighting in found if sighting.device.id == device), None)
            if one is None:
                raise reply.invalid("about another device")
            return one

        return read

    def _statistics(self, reply: Reply) -> Readings:
        rows = reply.rows(self._statistics_table).items
        if not rows:
            raise _absent(reply)
        found = readings(rows[0])
        if found is None:
            raise reply.invalid("JSON without msg_tot and bytes_tot")
        return found

    async def _ask(self, path: str, *, resource: str, refusals: Refusals, priority: Priority) -> Reply:
        """Ask below the account's path, which holds the key: revealed each time, so that a fresh one counts at once."""
        reply = await ask(
            self._account,
            f"/api/user/{segment(self._user)}/{segment(self._secret.reveal())}{path}",
            resource=resource,
            refusals=refusals,
            headers={"Accept": "application/json"},
            priority=priority,
        )
        if error_text(reply.answer.body) is not None:
            raise reply.refusal(refusals)
        return reply


def _state(reply: Reply) -> DeviceStatus:
    found, _ = reply.document()
    state = connection_state(found)
    if state is None:
        raise reply.invalid("JSON without connectionState")
    return state


def _absent(reply: Reply) -> ResourceUnavailable:
    return ResourceUnavailable(f"{reply.place}: there is no such device")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
