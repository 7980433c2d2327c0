"""Surveying several sources at once: through the running service where there is one, else from here."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing

from fleetpulse.service.failures import DoneBadlyError
from fleetpulse.service.remote import Remote
from fleetpulse.service.survey.alone import guests
from fleetpulse.service.survey.lines import End, Line, read_line
from fleetpulse.service.survey.report import Report
from fleetpulse.vendors.settings import SourceSettings
from fleetpulse.web.views import Depth

Lines = AsyncGenerator[Line, None]


async def service_for(sources: Sequence[SourceSettings], remote: Remote, *, alone: bool) -> Remote | None:
    """The service to go through; None where these vendors may be asked from here.

    `alone`: whoever calls says that no other process asks these vendors with these keys.
    Errors: DoneBadlyError where a service may run that nobody can see, and somebody named one or a vendor bans who asks
    too often.
    """
    if await _served(remote, alone=alone):
        return remote
    if alone:
        return None
    if remote.named:
        raise DoneBadlyError(
            f"no service answers at {remote.url}, where --url or FLEETPULSE_URL says that one is: "
            "name the right place, or say with --alone that none runs anywhere"
        )
    if banning := [source.name for source in sources if source.bans]:
        raise DoneBadlyError(
            f"no service answers at {remote.url}, but one may run elsewhere with the same key, and the vendor of "
            f"{', '.join(banning)} bans who asks too often: name the service with --url, or say with --alone that none "
            "runs anywhere"
        )
    return None


async def survey(
    sources: Sequence[SourceSettings],
    depth: Depth,
    *,
    service: Remote | None,
    shown: Callable[[Report, Line], None],
) -> list[Report]:
    """Survey all of them at the same time, each within its account's budget; their reports in the same order.

    It goes through the service, or from here where that is None.
    Errors: SecretUnreadableError, from here.
    """
    reports = [Report(source.name, source.vendor) for source in sources]
    async with AsyncExitStack() as stack:
        if service is not None:
            walks = [_through(service, source.name, depth) for source in sources]
        else:
            here = await stack.enter_async_context(guests(sources))
            walks = [here[source.name].survey(depth).lines() for source in sources]
        async with asyncio.TaskGroup() as group:
            for report, walk in zip(reports, walks, strict=True):
                group.create_task(_follow(report, walk, shown), name=f"survey of {report.source}")
    return reports


async def _served(remote: Remote, *, alone: bool) -> bool:
    try:
        return await remote.answers()
    except DoneBadlyError:
        if alone:  # what answers there is something else, and that is known
            return False
        raise


async def _through(remote: Remote, source: str, depth: Depth) -> Lines:
    async with aclosing(remote.lines("sources", source, depth.value)) as lines:
        async for raw in lines:
            try:
                yield read_line(raw)
            except ValueError as error:
                raise DoneBadlyError(f"what answers at {remote.url} is no fleetpulse, or one of another age") from error


async def _follow(report: Report, walk: Lines, shown: Callable[[Report, Line], None]) -> None:
    try:
        async with aclosing(walk) as lines:
            async for line in lines:
                report.take(line)
                shown(report, line)
        if report.end is None:
            report.broken = "the service broke off"
    except DoneBadlyError as error:
        report.broken = str(error)
    if report.broken:
        shown(report, End())
