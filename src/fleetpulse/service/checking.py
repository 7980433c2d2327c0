"""`fleetpulse check-config`: what is in force, and on request what it takes and what the keys can see."""

from pathlib import Path

import msgspec
import typer

from fleetpulse.secrets import Redactor
from fleetpulse.service.catalogue import credential
from fleetpulse.service.config import describe, listing
from fleetpulse.service.forecast import Forecast, forecasts
from fleetpulse.service.remote import Remote
from fleetpulse.service.settings import Settings
from fleetpulse.service.survey.command import chosen, fail, look
from fleetpulse.service.survey.report import Report
from fleetpulse.service.tables import indented
from fleetpulse.web.views import Depth


class Wanted(msgspec.Struct, frozen=True):
    """What is to be told of the config at `path`; `devices` is how many each source is reckoned with."""

    path: Path
    devices: int | None
    json: bool


async def run_check(settings: Settings, wanted: Wanted, remote: Remote | None = None, *, alone: bool = False) -> None:
    """Print what is in force; with a `remote` what each key sees, asked through it where it answers.

    Errors: DoneBadlyError where a key sees not what it should; SecretUnreadableError.
    """
    reports = []
    if remote is not None:
        sources = chosen(settings, ())
        reports = await look(sources, Depth.PROBE, remote=remote, alone=alone, quiet=wanted.json)
    foretold = _foretold(settings, wanted, reports)
    if wanted.json:
        typer.echo(
            listing(
                settings,
                forecasts=[each.document() for each in foretold],
                probes=[report.document() for report in reports],
            )
        )
    else:
        typer.echo(describe(settings), nl=False)
        _print_probes(reports)
        _print_forecasts(foretold)
        if not any(report.failed for report in reports):
            typer.echo(f"\n{wanted.path} is fine")
    fail(reports)


def _foretold(settings: Settings, wanted: Wanted, reports: list[Report]) -> list[Forecast]:
    """With the number of devices that was counted, else with the one that was given."""
    devices: dict[str, int] = {}
    for source in chosen(settings, ()):
        counted = next((report.devices for report in reports if report.source == source.name), None)
        if (number := wanted.devices if counted is None else counted) is not None:
            devices[source.name] = number
    redactor = Redactor()
    credentials = {
        source.name: credential(source, redactor=redactor).reveal()
        for source in settings.sources
        if source.name in devices
    }
    return forecasts(settings, devices, credentials=credentials)


def _print_probes(reports: list[Report]) -> None:
    indented("what the keys see", (f"{report.source}: {report.sentence()}" for report in reports if not report.broken))
    indented("not as it should be", (f"{each.source}: {text}" for each in reports for text in each.failures()))
    indented("worth knowing", (f"{each.source}: {text}" for each in reports for text in each.oddities()))


def _print_forecasts(foretold: list[Forecast]) -> None:
    indented("what it takes", (each.sentence() for each in foretold))
    indented("stretched", (f"{each.source}: {text}" for each in foretold for text in each.stretched()))
