"""`fleetpulse sweep`, and the probe of `check-config`: which sources, what is shown, how it ends."""

from collections.abc import Sequence

import msgspec
import typer
from rich.console import Console

from fleetpulse.service.failures import DoneBadlyError, UsageError
from fleetpulse.service.remote import Remote
from fleetpulse.service.settings import Settings
from fleetpulse.service.survey.report import Report
from fleetpulse.service.survey.showing import watching
from fleetpulse.service.survey.surveying import service_for, survey
from fleetpulse.service.tables import indented, table
from fleetpulse.vendors.contract import Kind
from fleetpulse.vendors.settings import SourceSettings
from fleetpulse.web.views import Depth


def chosen(settings: Settings, names: Sequence[str]) -> list[SourceSettings]:
    """The sources of these names, or all that are enabled.

    Errors: UsageError for a name that none has.
    """
    by_name = {source.name: source for source in settings.sources}
    for name in names:
        if name not in by_name:
            raise UsageError(f"no source is called {name!r}; the config has {', '.join(by_name) or 'none'}")
    if names:
        return [by_name[name] for name in dict.fromkeys(names)]
    return [source for source in settings.sources if source.enabled]


async def run_sweep(settings: Settings, names: Sequence[str], *, remote: Remote, alone: bool, json: bool) -> None:
    """Sweep sources once and print what came of it.

    Errors: UsageError; DoneBadlyError where a source failed.
    """
    reports = await look(chosen(settings, names), Depth.SWEEP, remote=remote, alone=alone, quiet=json)
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode([report.document() for report in reports])).decode())
    else:
        table(("source", "devices", "deployments", "jobs", "requests", "seconds"), map(_row, reports))
        for report in reports:
            indented(f"{report.source} was odd", report.oddities())
            indented(f"{report.source} was sampled", report.samples())
            indented(f"{report.source} failed", report.failures())
    fail(reports)


async def look(
    sources: Sequence[SourceSettings], depth: Depth, *, remote: Remote, alone: bool, quiet: bool
) -> list[Report]:
    """Survey sources with their progress on standard error, unless it is to be `quiet`.

    That nobody is there to go through is said in any case, unless whoever calls has said so: then two may ask a vendor
    with one key.
    Errors: those of `service_for` and `survey`.
    """
    service = await service_for(sources, remote, alone=alone)
    if service is None and not alone:
        typer.echo(f"no service at {remote.url}: asking the vendors from here", err=True)
    with watching(Console(stderr=True, quiet=quiet), [source.name for source in sources]) as watcher:
        return await survey(sources, depth, service=service, shown=watcher.line)


def fail(reports: Sequence[Report]) -> None:
    """End with 1 where a source failed.

    Errors: DoneBadlyError.
    """
    failed = [report.source for report in reports if report.failed]
    if failed:
        raise DoneBadlyError(f"{len(failed)} of {len(reports)} sources failed: {', '.join(failed)}")


def _row(report: Report) -> tuple[str, ...]:
    end = report.end
    return (
        report.source,
        *(_cell(report, kind) for kind in (Kind.DEVICES, Kind.DEPLOYMENTS, Kind.JOBS)),
        "" if end is None else f"{end.requests:,}",
        "" if end is None else f"{end.seconds:.1f}",
    )


def _cell(report: Report, kind: Kind) -> str:
    number, statuses = report.number(kind), report.statuses(kind)
    return f"{number}: {statuses}" if statuses else number
