"""The command line: thin commands; what they need is imported when they are called, so that help is quick."""

import asyncio
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

if TYPE_CHECKING:
    from fleetpulse.service.settings import Settings

FAILED: Final = 1
WRONG_USAGE: Final = 2

app = typer.Typer(
    name="fleetpulse",
    help="Watches device fleets behind vendors' cloud APIs: Prometheus metrics, Slack and webhook notifications.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks print local variables, and with them secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The config file; else FLEETPULSE_CONFIG, ./config.toml or /etc/fleetpulse/config.toml.",
    ),
]


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


@app.command()
def run(config: ConfigOption = None) -> None:
    """Run the service until SIGTERM or Ctrl-C; a second signal kills."""
    from fleetpulse.service.running import run_service  # noqa: PLC0415 - keeps `--help` quick

    settings = _settings(config)
    _run(lambda: run_service(settings))


@app.command()
def demo(
    devices: Annotated[int, typer.Option(min=10, max=200_000, help="How many devices the simulated fleet has.")] = 60,
) -> None:
    """Watch simulated fleets with real HTTP in between: a story that goes on until Ctrl-C."""
    from fleetpulse.service.demo import run_demo  # noqa: PLC0415 - keeps `--help` quick

    _run(lambda: run_demo(devices))


@app.command("check-config")
def check_config(
    config: ConfigOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print them as JSON, for programs.")] = False,
) -> None:
    """Check a config and print the settings, rules and routes that are in force."""
    from fleetpulse.service.config import describe, listing  # noqa: PLC0415 - keeps `--help` quick

    path = _config(config)
    settings = _settings(path)
    if json:
        typer.echo(listing(settings))
        return
    typer.echo(describe(settings), nl=False)
    typer.echo(f"\n{path} is fine")


@app.command()
def simulate(
    vendor: Annotated[str, typer.Option(help="Which vendor to play: jfrog-connect or hologram.")],
    devices: Annotated[int, typer.Option(min=0, max=200_000, help="How many devices it has.")] = 100,
    listen: Annotated[str, typer.Option(help="Address and port to serve on.")] = "127.0.0.1:9721",
) -> None:
    """Serve a look-alike of a vendor's API, to try a config without an account."""
    from fleetpulse.service.simulate import run_simulation  # noqa: PLC0415 - keeps `--help` quick

    _run(lambda: run_simulation(vendor, devices=devices, listen=listen))


@app.command("test-receiver")
def try_receiver(
    name: Annotated[str, typer.Argument(help="The receiver's name in the config.")], config: ConfigOption = None
) -> None:
    """Send one test notification to a receiver and say what it answered."""
    from fleetpulse.service.trying import run_test_receiver  # noqa: PLC0415 - keeps `--help` quick

    settings = _settings(config)
    _run(lambda: run_test_receiver(settings, name))


def _config(given: Path | None) -> Path:
    from fleetpulse.service.config import ConfigError, find_config  # noqa: PLC0415 - keeps `--help` quick

    try:
        return given or find_config(os.environ, Path.cwd())
    except ConfigError as error:
        _quit(error.lines, code=WRONG_USAGE)


def _settings(given: Path | None) -> "Settings":
    from fleetpulse.service.config import ConfigError, load  # noqa: PLC0415 - keeps `--help` quick

    try:
        return load(_config(given), os.environ)
    except ConfigError as error:
        _quit(error.lines, code=WRONG_USAGE)


def _run(start: "Callable[[], object]") -> None:
    """Run a coroutine to its end. What people can mend is one clear line; the rest is a crash with its traceback."""
    from fleetpulse.service.failures import UsageError, plain  # noqa: PLC0415 - keeps `--help` quick

    try:
        asyncio.run(start())  # type: ignore[arg-type]  # the lambdas above return coroutines
    except UsageError as error:
        _quit([str(error)], code=WRONG_USAGE)
    except KeyboardInterrupt:
        raise typer.Exit(128 + 2) from None
    except BaseException as error:
        lines = plain(error)
        if not lines:
            raise
        _quit(lines, code=FAILED)


def _quit(lines: list[str] | tuple[str, ...], *, code: int) -> NoReturn:
    for line in lines:
        sys.stderr.write(f"{line}\n")
    raise typer.Exit(code)
