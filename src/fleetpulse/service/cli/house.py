"""Commands that run something of their own: the service, the demo, a simulation, a sweep, and checks of a config."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from fleetpulse.service.cli.options import (
    AloneOption,
    ConfigOption,
    JsonOption,
    TokenFileOption,
    UrlOption,
    ask_service,
    config_path,
    read_settings,
    run_to_end,
)

if TYPE_CHECKING:
    from fleetpulse.service.remote import Remote


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(run)
    app.command()(demo)
    app.command("check-config")(check_config)
    app.command()(sweep)
    app.command(cls=_SimulateCommand)(simulate)
    app.command("test-receiver")(try_receiver)


class _SimulateCommand(TyperCommand):
    """Names the vendors in its help; the registry is read when the help is asked for."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        for parameter in self.params:
            if parameter.name == "vendor":
                parameter.metavar = f"[{'|'.join(_simulated())}]"
        super().format_help(ctx, formatter)


def _simulated() -> list[str]:
    from fleetpulse.simulator import VENDORS  # noqa: PLC0415 - keeps `--help` of the others quick

    return sorted(VENDORS)


def run(config: ConfigOption = None) -> None:
    """Run the service until SIGTERM or Ctrl-C; a second signal kills."""
    from fleetpulse.service.running import run_service  # noqa: PLC0415 - keeps `--help` quick

    settings = read_settings(config)
    run_to_end(lambda: run_service(settings))


def demo(
    devices: Annotated[
        int,
        typer.Option(min=10, max=200_000, help="How many devices there are at JFrog Connect; the others have a few."),
    ] = 60,
) -> None:
    """Watch simulated fleets with real HTTP in between: a story that goes on until Ctrl-C."""
    from fleetpulse.service.demo import run_demo  # noqa: PLC0415 - keeps `--help` quick

    run_to_end(lambda: run_demo(devices))


def check_config(  # noqa: PLR0917 - typer's commands take their options so
    config: ConfigOption = None,
    json: JsonOption = False,
    devices: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=200_000,
            help="Also tell what sweeping so many devices takes of each budget, and how soon a drop is told.",
        ),
    ] = None,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe", help="Also ask each vendor what its key can see, with a few requests; --devices is then known."
        ),
    ] = False,
    alone: AloneOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Check a config and print the settings, rules and routes that are in force. It asks nobody, unless told to."""
    from fleetpulse.service.checking import Wanted, run_check  # noqa: PLC0415 - keeps `--help` quick

    path = config_path(config)
    settings = read_settings(path)
    wanted = Wanted(path=path, devices=devices, json=json)
    if probe:
        work = partial(run_check, settings, wanted, alone=alone)
        ask_service(work, url=url, token_file=token_file, config=path)
    else:
        run_to_end(lambda: run_check(settings, wanted))


def sweep(  # noqa: PLR0917 - typer's commands take their options so
    sources: Annotated[
        list[str] | None, typer.Argument(help="Names of sources in the config; all enabled ones if left out.")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
    alone: AloneOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Walk every source once and print what is there; nobody is told, nothing is kept.

    It goes through the running service and its budget where one answers. Ends with 1 if a source failed.
    """
    path = config_path(config)
    settings = read_settings(path, with_files=False)

    async def work(remote: "Remote") -> None:
        from fleetpulse.service.survey.command import run_sweep  # noqa: PLC0415 - keeps `--help` quick

        await run_sweep(settings, sources or (), remote=remote, alone=alone, json=json)

    ask_service(work, url=url, token_file=token_file, config=path)


def simulate(
    vendor: Annotated[str, typer.Option(help="Which vendor to play.")],
    devices: Annotated[int, typer.Option(min=0, max=200_000, help="How many devices it has.")] = 100,
    listen: Annotated[str, typer.Option(help="Address and port to serve on.")] = "127.0.0.1:9721",
    limits: Annotated[
        bool,
        typer.Option(help="Refuse with 429 what comes faster than the vendor documents, or answer it all."),
    ] = True,
) -> None:
    """Serve a look-alike of a vendor's API, to try a config without an account."""
    from fleetpulse.service.simulate import run_simulation  # noqa: PLC0415 - keeps `--help` quick

    run_to_end(lambda: run_simulation(vendor, devices=devices, listen=listen, limits=limits))


def try_receiver(
    name: Annotated[str, typer.Argument(help="The receiver's name in the config.")], config: ConfigOption = None
) -> None:
    """Send one test notification to a receiver and say what it answered."""
    from fleetpulse.service.trying import run_test_receiver  # noqa: PLC0415 - keeps `--help` quick

    settings = read_settings(config, with_files=False)
    run_to_end(lambda: run_test_receiver(settings, name))
