"""Commands that ask a running service: sources, devices, deployments, jobs."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fleetpulse.service.cli.options import (
    JsonOption,
    PlaceConfigOption,
    TokenFileOption,
    UrlOption,
    ask_service,
)

if TYPE_CHECKING:
    from fleetpulse.service.remote import Remote

_SHOWN: Final = 100

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The source's name in the config.")]
SourceOption = Annotated[str | None, typer.Option("--source", metavar="NAME", help="Only of this source.")]
LimitOption = Annotated[int, typer.Option("--limit", min=0, help="The most that are printed; 0 for all.")]
WhichArgument = Annotated[
    str, typer.Argument(metavar="[SOURCE/]ID|NAME", help="Its id or name, behind the source's where several have it.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for name, about, commands in (
        ("sources", "The watched accounts: how they stand, and what can be done by hand.", _SOURCES),
        ("devices", "Devices as they are known, or asked for at the vendor now.", _DEVICES),
        ("deployments", "Deployments, and why they failed.", _DEPLOYMENTS),
        ("jobs", "Bulk jobs.", _JOBS),
    ):
        group = typer.Typer(name=name, help=about, no_args_is_help=True)
        for word, command in commands.items():
            group.command(word)(command)
        app.add_typer(group)


def list_sources(
    json: JsonOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    config: PlaceConfigOption = None,
) -> None:
    """List the sources: status, last good sweep, devices, what is wrong."""
    _ask(url, token_file, config, lambda browsing, remote: browsing.list_sources(remote, json=json))


def show_source(
    name: NameArgument,
    json: JsonOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    config: PlaceConfigOption = None,
) -> None:
    """Show one source: intervals asked for and kept, credentials, troubles, a walk under way."""
    _ask(url, token_file, config, lambda browsing, remote: browsing.show_source(remote, name, json=json))


def retry_source(
    name: NameArgument,
    json: JsonOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    config: PlaceConfigOption = None,
) -> None:
    """Sweep everything of a source now, also where its key was refused: after you mended it. It ends a pause."""
    _act(name, "retry", None, json, url, token_file, config)


def pause_source(  # noqa: PLR0917 - typer's commands take their options so
    name: NameArgument,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="How long, like 2h; until resumed if left out.")
    ] = None,
    json: JsonOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    config: PlaceConfigOption = None,
) -> None:
    """Sweep nothing of a source for a while; what is known of it stays, and nobody is told that it grows old."""
    _act(name, "pause", for_, json, url, token_file, config)


def resume_source(
    name: NameArgument,
    json: JsonOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    config: PlaceConfigOption = None,
) -> None:
    """End a pause."""
    _act(name, "resume", None, json, url, token_file, config)


def accept_source(
    name: NameArgument,
    json: JsonOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    config: PlaceConfigOption = None,
) -> None:
    """Believe the list of devices that is doubted for being so short: after you removed many of them on purpose."""
    _act(name, "accept", None, json, url, token_file, config)


def list_devices(  # noqa: PLR0917 - typer's commands take their options so
    source: SourceOption = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATUS", help="Only online, offline, unknown or missing ones.")
    ] = None,
    group: Annotated[str | None, typer.Option("--group", metavar="GROUP", help="Only of this group.")] = None,
    tag: Annotated[str | None, typer.Option("--tag", metavar="TAG", help="Only those with this tag.")] = None,
    q: Annotated[
        str | None, typer.Option("--search", "-q", metavar="TEXT", help="Only those with this in their name or id.")
    ] = None,
    limit: LimitOption = _SHOWN,
    json: JsonOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    config: PlaceConfigOption = None,
) -> None:
    """List devices as they are known."""
    filters = {"source": source, "status": status, "group": group, "tag": tag, "q": q}
    _ask(
        url,
        token_file,
        config,
        lambda browsing, remote: browsing.list_devices(remote, filters=filters, limit=limit, json=json),
    )


def show_device(  # noqa: PLR0917 - typer's commands take their options so
    which: WhichArgument,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask the vendor now, through the running service and its budget.")
    ] = False,
    json: JsonOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    config: PlaceConfigOption = None,
) -> None:
    """Show one device as it is known, or as the vendor tells of it now."""
    _ask(url, token_file, config, lambda browsing, remote: browsing.show_device(remote, which, ask=ask, json=json))


def list_deployments(  # noqa: PLR0917 - typer's commands take their options so
    source: SourceOption = None,
    status: Annotated[
        str | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help="Only running, succeeded, partial, failed, aborted or incomplete ones.",
        ),
    ] = None,
    limit: LimitOption = _SHOWN,
    json: JsonOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    config: PlaceConfigOption = None,
) -> None:
    """List the deployments that are followed, the youngest first."""
    filters = {"source": source, "status": status}
    _ask(
        url,
        token_file,
        config,
        lambda browsing, remote: browsing.list_deployments(remote, filters=filters, limit=limit, json=json),
    )


def show_deployment(
    which: WhichArgument,
    json: JsonOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    config: PlaceConfigOption = None,
) -> None:
    """Show one deployment: its devices by status, those it failed on, the steps that failed."""
    _ask(url, token_file, config, lambda browsing, remote: browsing.show_deployment(remote, which, json=json))


def list_jobs(  # noqa: PLR0917 - typer's commands take their options so
    source: SourceOption = None,
    status: Annotated[
        str | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help="Only running, succeeded, partial, failed, canceled, unseen or unknown ones.",
        ),
    ] = None,
    limit: LimitOption = _SHOWN,
    json: JsonOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    config: PlaceConfigOption = None,
) -> None:
    """List the bulk jobs, the youngest first."""
    filters = {"source": source, "status": status}
    _ask(
        url,
        token_file,
        config,
        lambda browsing, remote: browsing.list_jobs(remote, filters=filters, limit=limit, json=json),
    )


def show_job(
    which: WhichArgument,
    json: JsonOption = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    config: PlaceConfigOption = None,
) -> None:
    """Show one bulk job."""
    _ask(url, token_file, config, lambda browsing, remote: browsing.show_job(remote, which, json=json))


_SOURCES: Final[dict[str, Callable[..., None]]] = {
    "list": list_sources,
    "show": show_source,
    "retry": retry_source,
    "pause": pause_source,
    "resume": resume_source,
    "accept": accept_source,
}
_DEVICES: Final[dict[str, Callable[..., None]]] = {"list": list_devices, "show": show_device}
_DEPLOYMENTS: Final[dict[str, Callable[..., None]]] = {"list": list_deployments, "show": show_deployment}
_JOBS: Final[dict[str, Callable[..., None]]] = {"list": list_jobs, "show": show_job}


def _act(  # noqa: PLR0917 - what a command was given
    name: str, action: str, for_: str | None, json: bool, url: str | None, token_file: Path | None, config: Path | None
) -> None:
    _ask(
        url,
        token_file,
        config,
        lambda browsing, remote: browsing.act_on_source(remote, name, action, for_=for_, json=json),
    )


def _ask(url: str | None, token_file: Path | None, config: Path | None, work: Callable[[Any, "Remote"], Any]) -> None:
    """Do some work of `service.browsing` with the service."""

    async def start(remote: "Remote") -> None:
        from fleetpulse.service import browsing  # noqa: PLC0415 - keeps `--help` quick

        await work(browsing, remote)

    ask_service(start, url=url, token_file=token_file, config=config)
