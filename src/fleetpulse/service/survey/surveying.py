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


async def survey(
    sources: Sequence[SourceSettings],
    depth: Depth,
    *,
    remote: Remote,
    alone: bool,
    shown: Callable[[Report, Line], None],
) -> list[Report]:
    """Survey all of them at the same time, each within its account's budget; their reports in the same order.

    `alone`: whoever calls says that no other process asks these vendors with these keys.
    Errors: DoneBadlyError where a service may run that nobody can see and a vendor bans who asks too often.
    """
    served = await _served(remote, alone=alone)
    banning = [source.name for source in sources if source.bans]
    if not served and not alone and banning:
        raise DoneBadlyError(
            f"no service answers at {remote.url}, but one may run elsewhere with the same key, and the vendor of "
            f"{', '.join(banning)} bans who asks too often: name the service with --url, or say with --alone that none "
            "runs anywhere"
        )
    reports = [Report(source.name, source.vendor) for source in sources]
    async with AsyncExitStack() as stack:
        if served:
            walks = [_through(remote, source.name, depth) for source in sources]
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
