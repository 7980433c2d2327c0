"""The walk of a survey over one source, through the protocols of its vendor."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any, Final, TypeVar

import msgspec
import structlog

from fleetpulse import clock
from fleetpulse.fleet.deployment import Deployment, overall
from fleetpulse.fleet.device import Sighting
from fleetpulse.service.survey.lines import ON_DEMAND, End, Failure, Finding, Line, Progress
from fleetpulse.service.survey.tally import Tally
from fleetpulse.sweeping.pages import closing
from fleetpulse.sweeping.verdict import told
from fleetpulse.vendors.contract import (
    CredentialsRejected,
    CursorRefused,
    Kind,
    Page,
    ReadsDeployments,
    ReadsGroupDevices,
    ReadsTunnels,
    ResourceUnavailable,
    SourceError,
    Vendor,
)
from fleetpulse.web.views import Depth

PROBE_PAGES: Final = 5  # of a resource; a fleet of thousands is seen whole, and nobody waits for a hundred requests
PROBE_S: Final = 45.0  # at 3 requests a minute that is two or three
LOOKS: Final = 20  # deployments whose devices are asked for in a sweep, the youngest first

Found = TypeVar("Found")

Pages = Callable[[Any, str], AsyncIterator[Page[Any]]]
"""How a vendor is asked for the pages of a resource: a method of the protocol of the resource's kind."""
_PAGED: Final[Mapping[Kind, tuple[Pages, Callable[[Tally, Page[Any]], None]]]] = {
    Kind.DEVICES: (lambda vendor, resource: vendor.devices(resource), Tally.devices),
    Kind.DEPLOYMENTS: (lambda vendor, resource: vendor.deployments(resource), Tally.deployments),
    Kind.JOBS: (lambda vendor, resource: vendor.jobs(resource), Tally.things),
    Kind.TUNNELS: (lambda vendor, resource: vendor.tunnels(resource), Tally.things),
    Kind.FLOWS: (lambda vendor, resource: vendor.flows(resource), Tally.things),
    Kind.GROUPS: (lambda vendor, resource: vendor.groups(resource), Tally.things),
}
_ALONE: Final[Sequence[tuple[str, Kind, type, Callable[[Any, str], Awaitable[Any]]]]] = (
    ("device", Kind.DEVICES, object, lambda vendor, id_: vendor.device(id_)),
    ("deployment", Kind.DEPLOYMENTS, ReadsDeployments, lambda vendor, id_: vendor.deployment(id_)),
    ("tunnel", Kind.TUNNELS, ReadsTunnels, lambda vendor, id_: vendor.tunnel(id_)),
    ("group", Kind.GROUPS, ReadsGroupDevices, lambda vendor, id_: vendor.group_devices(id_)),
)
"""What a probe asks for by its id: the first one that was listed of the kind, where the vendor fulfils the protocol."""


class Survey:
    """Walks one source once. It retries nothing; a walk whose cursor the vendor no longer takes begins anew, once.

    `requests` counts what this vendor has been asked so far; `since` is how old a deployment may be to count.
    """

    def __init__(
        self,
        *,
        vendor: Vendor,
        depth: Depth,
        since: timedelta,
        requests: Callable[[], int],
        redact: Callable[[str], str],
    ) -> None:
        self._vendor = vendor
        self._depth = depth
        self._since = since
        self._requests = requests
        self._redact = redact
        self._main = next(iter(vendor.resources))
        self._samples: dict[Kind, str] = {}
        self._tally = self._blank()
        self._over = False  # a refused key is refused for everything, and each further try annoys

    async def lines(self) -> AsyncGenerator[Line, None]:
        """Progress, a finding for each resource, at last the end; failures are told, not raised.

        Cancellation: safe at any time.
        """
        began, asked = clock.monotonic(), self._requests()
        account, failure = "", None
        if self._depth is Depth.PROBE:
            try:
                account = await self._vendor.check()
            except Exception as error:  # noqa: BLE001 - told, as everything that a vendor may do
                failure = self._failure(error)
        for resource in () if failure is not None else self._vendor.resources:
            async with aclosing(self._look(resource)) as lines:
                async for line in lines:
                    yield line
            if self._over:
                break
        for what, kind, protocol, ask in _ALONE if self._depth is Depth.PROBE else ():
            if kind in self._samples and isinstance(self._vendor, protocol) and not self._over:
                yield await self._on_demand(what, self._samples[kind], ask)
        yield End(
            account=self._redact(account),
            since_s=self._since.total_seconds(),
            requests=self._requests() - asked,
            seconds=clock.monotonic() - began,
            failure=failure,
        )

    async def _look(self, resource: str) -> AsyncGenerator[Line, None]:
        began, asked = clock.monotonic(), self._requests()
        kind = self._vendor.resources[resource].kind
        self._tally = self._blank()
        finding = Finding(resource=resource, kind=kind.value)
        try:
            if kind in _PAGED:
                async with aclosing(self._walk(resource)) as walking:
                    async for progress in walking:
                        yield progress
                if kind is Kind.DEPLOYMENTS:
                    await self._look_at(self._tally)
            else:
                finding = await self._single(finding)
        except ResourceUnavailable as error:
            finding = self._unavailable(finding, error)
        except Exception as error:  # noqa: BLE001 - told, as everything that a vendor may do
            finding = msgspec.structs.replace(finding, failure=self._failure(error))
        yield self._summed_up(finding, self._tally, began=began, asked=asked)
        if self._tally.rollouts:
            counts = self._tally.rollout_counts()
            yield Finding(
                resource=resource,
                kind=Kind.DEPLOYMENTS.value,
                rows=len(self._tally.rollouts),
                counts=counts,
                at_least=self._tally.at_least,
            )

    async def _walk(self, resource: str) -> AsyncGenerator[Progress, None]:
        kind = self._vendor.resources[resource].kind
        began, asked = clock.monotonic(), self._requests()
        for last_try in (False, True):
            tally = self._tally
            try:
                async with closing(_PAGED[kind][0](self._vendor, resource)) as pages:
                    async for page in pages:
                        self._take(kind, page, tally)
                        rows = len(tally.recent) if kind is Kind.DEPLOYMENTS else tally.rows
                        done = self._requests() - asked
                        yield Progress(resource=resource, rows=rows, total=tally.total, requests=done)
                        if self._enough(page, tally, began):
                            tally.at_least = True
                            return
            except CursorRefused:
                if last_try:
                    raise
                self._tally = self._blank()  # from the start: what comes again is not odd
                continue
            return

    def _blank(self) -> Tally:
        return Tally(now=clock.now(), since=self._since)

    def _take(self, kind: Kind, page: Page[Any], tally: Tally) -> None:
        tally.note(page)
        _PAGED[kind][1](tally, page)
        if page.items:
            first = page.items[0]
            self._samples.setdefault(kind, first.device.id if kind is Kind.DEVICES else first.id)

    def _enough(self, page: Page[Any], tally: Tally, began: float) -> bool:
        if page.resume is None:
            return False
        if tally.too_many:
            tally.extra.append("the list goes on beyond what any source may have")
            return True
        return self._depth is Depth.PROBE and (tally.pages >= PROBE_PAGES or clock.monotonic() - began > PROBE_S)

    async def _look_at(self, tally: Tally) -> None:
        """How the youngest deployments stand. A request each at the least, so a probe leaves it."""
        youngest = sorted(tally.recent, key=_created, reverse=True)[: LOOKS if self._depth is Depth.SWEEP else 0]
        for deployment in youngest:
            devices: dict[str, Any] = {}
            try:
                async with closing(self._vendor.deployment_devices(deployment.id)) as pages:  # type: ignore[attr-defined]  # its kind says so
                    async for page in pages:
                        devices.update(page.items)
            except ResourceUnavailable:
                tally.extra.append(f"deployment {deployment.id} is listed and cannot be looked at")
                continue
            tally.counts[overall(devices).value] += 1

    async def _single(self, finding: Finding) -> Finding:
        """What one request brings: a summary, or one device of those that take a request each."""
        vendor: Any = self._vendor
        if finding.kind == Kind.SUMMARY.value:
            told_ = msgspec.structs.asdict(await vendor.summary(finding.resource))
            counts = {name: number for name, number in told_.items() if number is not None}
            return msgspec.structs.replace(finding, rows=1, counts=counts)
        sample = self._samples.get(Kind.DEVICES)
        if sample is None:
            return msgspec.structs.replace(finding, skipped="it is asked for each device, and there is none")
        if finding.kind == Kind.READINGS.value:
            await vendor.readings(finding.resource, sample)
            return msgspec.structs.replace(finding, rows=1, sampled=sample)
        page = await vendor.enrolments(finding.resource, sample)
        self._tally.note(page)
        return msgspec.structs.replace(finding, rows=len(page.items), sampled=sample)

    async def _on_demand(self, what: str, id_: str, ask: Callable[[Any, str], Awaitable[Any]]) -> Finding:
        """One thing by its id, as `devices show --ask` asks for a device."""
        began, asked = clock.monotonic(), self._requests()
        finding = Finding(resource=what, kind=ON_DEMAND, sampled=id_)
        try:
            found = await ask(self._vendor, id_)
            finding = msgspec.structs.replace(
                finding,
                rows=len(found) if isinstance(found, Sequence) else 1,
                counts={found.status.value: 1} if isinstance(found, Sighting) else {},
            )
        except ResourceUnavailable as error:
            finding = self._unavailable(finding, error)
        except Exception as error:  # noqa: BLE001 - told, as everything that a vendor may do
            finding = msgspec.structs.replace(finding, failure=self._failure(error))
        seconds, requests = clock.monotonic() - began, self._requests() - asked
        return msgspec.structs.replace(finding, seconds=seconds, requests=requests)

    def _summed_up(self, finding: Finding, tally: Tally, *, began: float, asked: int) -> Finding:
        whole = not tally.at_least and finding.failure is None and not finding.unavailable
        counts = dict(tally.counts) or finding.counts
        if finding.kind == Kind.DEPLOYMENTS.value and counts and (unread := tally.rows - sum(counts.values())) > 0:
            counts["not looked at"] = unread
        announced = None if finding.kind == Kind.DEPLOYMENTS.value else tally.total  # it counts those of years ago too
        return msgspec.structs.replace(
            finding,
            rows=finding.rows or tally.rows,
            total=announced,
            at_least=tally.at_least,
            counts=counts,
            groups=None if tally.groups is None else len(tally.groups),
            requests=self._requests() - asked,
            seconds=clock.monotonic() - began,
            odd=tuple(map(self._redact, tally.odd(whole=whole and finding.kind != Kind.DEPLOYMENTS.value))),
        )

    def _unavailable(self, finding: Finding, error: ResourceUnavailable) -> Finding:
        """The main resource must be there; any other one may be kept from a key."""
        if finding.resource == self._main:
            return msgspec.structs.replace(finding, failure=self._failure(error))
        return msgspec.structs.replace(finding, unavailable=told(error, redact=self._redact))

    def _failure(self, error: Exception) -> Failure:
        if not isinstance(error, SourceError):
            structlog.get_logger(__name__).exception("a survey met what it did not expect", exc_info=error)
        self._over = self._over or isinstance(error, CredentialsRejected)
        return Failure(getattr(error, "reason", "error"), told(error, redact=self._redact))


def _created(deployment: Deployment) -> float:
    return deployment.created_at.timestamp() if deployment.created_at is not None else 0.0
