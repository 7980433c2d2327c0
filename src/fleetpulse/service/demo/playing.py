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

from fleetpulse.service.config import load
from fleetpulse.service.demo.config import demo_config
from fleetpulse.service.demo.showing import slack_text, webhook_text
from fleetpulse.service.demo.story import Story
from fleetpulse.service.running import run_service
from fleetpulse.service.supervision import Agents
from fleetpulse.simulator import Hologram, JFrogConnect, SlackReceiver, WebhookReceiver, serve

_PORT: Final = 9720


async def run_demo(devices: int) -> None:
    """Run until Ctrl-C, then print the URLs, the config, and how to make it one's own."""
    console = Console(highlight=False)
    jfrog, hologram = JFrogConnect(devices=devices), Hologram()
    chat, pager = SlackReceiver(), WebhookReceiver()
    jfrog.drop(max(1, devices // 30))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="fleetpulse-demo-")))
        listen = f"127.0.0.1:{_port()}"
        config = demo_config(
            listen=listen,
            devices=devices,
            jfrog_url=await stack.enter_async_context(serve(jfrog)),
            hologram_url=await stack.enter_async_context(serve(hologram)),
            slack_url=await stack.enter_async_context(serve(chat)),
            webhook_url=await stack.enter_async_context(serve(pager)),
        )
        (folder / "config.toml").write_text(config, encoding="utf-8")
        log = stack.enter_context((folder / "fleetpulse.log").open("w", encoding="utf-8"))

        def guests(url: str) -> Agents:
            _welcome(console, url, devices=devices, folder=folder)
            story = Story(jfrog=jfrog, hologram=hologram, narrate=lambda text: _narrate(console, text))
            return {
                "story": story.run(),
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


def _narrate(console: Console, text: str) -> None:
    console.print(f"\n[bold cyan]At the vendor:[/bold cyan] {escape(text)}")


def _welcome(console: Console, url: str, *, devices: int, folder: Path) -> None:
    console.print(f"[bold]fleetpulse demo[/bold]: {devices} simulated devices and a SIM account, until Ctrl-C\n")
    _print_pages(console, url)
    console.print(f"  log: {folder / 'fleetpulse.log'}\n")
    console.print("Both vendors, Slack and the webhook are played over real HTTP.")
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
