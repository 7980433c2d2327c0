"""Playing the demo: simulators, a temporary config, the service on it, and what a person sees of it."""

import shlex
import shutil
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from fleetpulse.service.catalogue import VENDORS
from fleetpulse.service.config import load
from fleetpulse.service.demo.config import demo_config
from fleetpulse.service.demo.fleets import Fleets, invented
from fleetpulse.service.demo.scenes import Beat
from fleetpulse.service.demo.showing import slack_text, webhook_text
from fleetpulse.service.demo.story import tell
from fleetpulse.service.running import run_service
from fleetpulse.service.simulate import source_entry
from fleetpulse.service.supervision import Agents
from fleetpulse.simulator import SlackReceiver, WebhookReceiver, serve

_PORT: Final = 9720


async def run_demo(devices: int) -> None:
    """Run until Ctrl-C, then print the URLs, the config, and how to make it one's own."""
    console = Console(highlight=False)
    fleets = invented(devices)
    chat, pager = SlackReceiver(), WebhookReceiver()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="fleetpulse-demo-")))
        listen = f"127.0.0.1:{_port()}"
        config = demo_config(
            listen=listen,
            devices=devices,
            entries={
                name: source_entry(name, vendor.kind, vendor.settings(await stack.enter_async_context(serve(vendor))))
                for name, vendor in fleets.by_source().items()
            },
            slack_url=await stack.enter_async_context(serve(chat)),
            webhook_url=await stack.enter_async_context(serve(pager)),
        )
        (folder / "config.toml").write_text(config, encoding="utf-8")
        log = stack.enter_context((folder / "fleetpulse.log").open("w", encoding="utf-8"))

        def guests(url: str) -> Agents:
            _welcome(console, url, fleets=fleets, folder=folder)
            return {
                "story": tell(fleets, narrate=lambda beat: _narrate(console, beat, fleets)),
                "chat": _show_chat(console, chat),
                "pager": _show_pager(console, pager),
            }

        await run_service(load(folder / "config.toml", {}), guests=guests, log_stream=log, hangup_stops=True)
        _farewell(console, config, listen=listen)


def _port() -> int:
    """The port everyone expects, or any free one where that is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", _PORT))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _show_chat(console: Console, chat: SlackReceiver) -> None:
    shown = 0
    while True:
        await chat.messages.reached(shown + 1)
        for number, message in chat.messages.past(shown):
            console.print(
                Panel(escape(slack_text(message.body)), title="Slack took this", title_align="left", expand=False)
            )
            shown = number


async def _show_pager(console: Console, pager: WebhookReceiver) -> None:
    shown = 0
    while True:
        await pager.received.reached(shown + 1)
        for number, delivery in pager.received.past(shown):
            console.print(f"[dim]the webhook took:[/dim] {escape(webhook_text(delivery.body))}")
            shown = number


def _narrate(console: Console, beat: Beat, fleets: Fleets) -> None:
    title = VENDORS[fleets.by_source()[beat.source].kind].title
    console.print(f"\n[bold cyan]At {title}, {beat.source}:[/bold cyan] {escape(beat.told)}")


def _welcome(console: Console, url: str, *, fleets: Fleets, folder: Path) -> None:
    console.print("[bold]fleetpulse demo[/bold]: five simulated fleets, until Ctrl-C\n")
    for source, vendor in fleets.by_source().items():
        console.print(f"  {source:<12}{VENDORS[vendor.kind].title:<24}{len(vendor.uuids()):>7,} devices")
    console.print()
    _print_pages(console, url)
    console.print(f"  log: {folder / 'fleetpulse.log'}\n", soft_wrap=True)
    console.print("The vendors, Slack and the webhook are played over real HTTP.")
    console.print("The story begins in a moment.")


def _print_pages(console: Console, url: str) -> None:
    for path, what in _PAGES:
        console.print(f"  {url}{path:<12} {what}", soft_wrap=True)


_PAGES: Final = (
    ("/", "sources and firing alerts"),
    ("/metrics", "for Prometheus"),
    ("/-/sources", "200 while every source is fresh"),
)


def _farewell(console: Console, config: str, *, listen: str) -> None:
    console.print("\n[bold]It served:[/bold]\n")
    _print_pages(console, f"http://{listen}")
    console.print("\n[bold]It ran with this config:[/bold]\n")
    console.print(config, markup=False, soft_wrap=True)
    console.print("[bold]To make it yours:[/bold]\n")
    program = as_typed(sys.argv[0], cwd=Path.cwd(), found=shutil.which(Path(sys.argv[0]).name))
    for command in _YOURS:
        console.print(f"  {command.format(program=program)}", markup=False, soft_wrap=True)


_YOURS: Final = (
    "cp config.example.toml config.toml    # then your vendor's key and your Slack webhook in it",
    "{program} check-config --config config.toml",
    "{program} run --config config.toml",
)


def as_typed(called: str, *, cwd: Path, found: str | None) -> str:
    """How a person in `cwd` types the program that was `called` so; `found` is what a shell takes its name for."""
    path = Path(called).absolute()
    if found is not None and Path(found).absolute() == path:
        return path.name
    near = path.relative_to(cwd) if path.is_relative_to(cwd) else path
    return shlex.quote(str(near) if len(near.parts) > 1 else f"./{near}")
