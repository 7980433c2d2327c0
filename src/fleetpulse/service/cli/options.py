"""What commands have in common: options, the config, and how they end."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

if TYPE_CHECKING:
    from fleetpulse.service.remote import Remote
    from fleetpulse.service.settings import Settings

FAILED: Final = 1
WRONG_USAGE: Final = 2
_WHERE: Final = "Where the service is"

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The config file; else FLEETPULSE_CONFIG, ./config.toml or /etc/fleetpulse/config.toml.",
    ),
]
PlaceConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The service's config file, whose \\[http] says where it listens and where its token is.",
        rich_help_panel=_WHERE,
    ),
]
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="The running service; else FLEETPULSE_URL, the \\[http] of the config, or http://127.0.0.1:9720.",
        rich_help_panel=_WHERE,
    ),
]
TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help="The file with the service's token; on the service's own machine it is found beside the journal.",
        rich_help_panel=_WHERE,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
AloneOption = Annotated[
    bool,
    typer.Option(
        "--alone",
        help="Say that no fleetpulse runs anywhere with these keys; for vendors that ban who asks too often.",
    ),
]


def config_path(given: Path | None) -> Path:
    """The config to use."""
    from fleetpulse.service.config import ConfigError, find_config  # noqa: PLC0415 - keeps `--help` quick

    try:
        return given or find_config(os.environ, Path.cwd())
    except ConfigError as error:  # no file was found, so it begins with no place in one
        leave([f"fleetpulse: {line}" for line in error.lines], code=WRONG_USAGE)


def read_settings(given: Path | None, *, with_files: bool = True) -> "Settings":
    """The settings of the config; every mistake in it is told, those of the files it names `with_files`."""
    from fleetpulse.service.config import ConfigError, load  # noqa: PLC0415 - keeps `--help` quick

    try:
        return load(config_path(given), os.environ, with_files=with_files)
    except ConfigError as error:
        leave(error.lines, code=WRONG_USAGE)


def run_to_end(start: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine to its end. What people can mend is one clear line; the rest is a crash with its traceback."""
    from fleetpulse.service.config import ConfigError  # noqa: PLC0415 - keeps `--help` quick
    from fleetpulse.service.failures import UsageError, plain  # noqa: PLC0415 - likewise

    try:
        asyncio.run(start())
    except UsageError as error:
        leave([f"fleetpulse: {error}"], code=WRONG_USAGE)
    except ConfigError as error:
        leave(error.lines, code=WRONG_USAGE)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        raise typer.Exit(128 + 2) from None
    except BaseException as error:
        lines = plain(error)
        if not lines:
            raise
        leave(lines, code=FAILED)


def ask_service(
    work: "Callable[[Remote], Awaitable[None]]", *, url: str | None, token_file: Path | None, config: Path | None
) -> None:
    """Run what asks a running service."""

    async def start() -> None:
        from fleetpulse.service.remote import connected, find_place  # noqa: PLC0415 - keeps `--help` quick

        place = find_place(url=url, token_file_given=token_file, config=config, environ=os.environ, cwd=Path.cwd())
        async with connected(place) as remote:
            await work(remote)

    run_to_end(start)


def leave(lines: Iterable[str], *, code: int) -> NoReturn:
    """End with these lines on standard error.

    A mistake in a config begins with its place, as editors know it, all else with the program's name.
    """
    for line in lines:
        sys.stderr.write(f"{line}\n")
    raise typer.Exit(code)
