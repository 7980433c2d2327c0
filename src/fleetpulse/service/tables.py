"""What the command line prints: tables and lines, of text that nobody has vetted."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDE: Final = 10_000


def plain(text: str) -> str:
    """The text without what could steer a terminal: a device's name is anyone's to choose."""
    return "".join(character if character.isprintable() else "?" for character in text)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on standard output, as wide as the terminal; into a file or pipe each row is one line."""
    found = list(rows)
    if not found:
        typer.echo("none")
        return
    console = Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in titles:
        shown.add_column(title, overflow="fold")
    for row in found:
        shown.add_row(*(Text(plain(cell)) for cell in row))
    with console.capture() as printed:
        console.print(shown, soft_wrap=not sys.stdout.isatty())
    for line in printed.get().splitlines():
        typer.echo(line.rstrip())


def indented(title: str, lines: Iterable[str]) -> None:
    """A title with lines below it; nothing where there is no line."""
    found = [plain(line) for line in lines]
    if found:
        typer.echo(f"{plain(title)}:")
        for line in found:
            typer.echo(f"  {line}")


def facts(rows: Iterable[tuple[str, str]]) -> None:
    """Names with what they are, one below the other; what is empty is left out."""
    told = [(name, plain(value)) for name, value in rows if value]
    width = max((len(name) for name, _ in told), default=0)
    for name, value in told:
        typer.echo(f"{name.ljust(width)}  {value}")


def document(value: Any) -> None:
    """As JSON, for programs."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
