"""The command line: thin commands; what they need is imported when they are called, so that help is quick."""

from importlib.metadata import version
from typing import Annotated

import typer

from fleetpulse.service.cli import browse, house

app = typer.Typer(
    name="fleetpulse",
    help="Watches device fleets behind vendors' cloud APIs: Prometheus metrics, Slack and webhook notifications.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks print local variables, and with them secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)
house.register(app)
browse.register(app)


def main() -> None:
    """Run the command line; exit codes: 0 done, 1 failed, 2 wrong usage or config."""
    app()


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fleetpulse {version('fleetpulse')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Nothing but the options that stand before a command."""
