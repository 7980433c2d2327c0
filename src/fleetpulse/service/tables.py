"""What the command line prints: tables and lines, of text that nobody has vetted."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDE: Final = 10_000
_LONGEST: Final = 40  # of what a vendor's users have written: one long name must not widen every row
_LEAST: Final = 12  # what a column needs at least to be read, where it has more to say
_BETWEEN: Final = 3  # blanks between two columns


def plain(text: str) -> str:
    """The text without what could steer a terminal: a device's name is anyone's to choose."""
    return "".join(character if character.isprintable() else "?" for character in text)


def short(text: str) -> str:
    """A name as it stands in a table."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, spare: Sequence[str] = ()) -> None:
    """A table on standard output, as wide as the terminal; into a file or pipe each row is one line.

    The first column is what people copy, so it is never broken. Where the terminal is too narrow for that, those of the
    columns that are `spare` are left out, the first of them first, then others are broken over lines.
    """
    found = [[plain(cell) for cell in row] for row in rows]
    if not found:
        typer.echo("none")
        return
    columns = [_Column(title, [row[index] for row in found]) for index, title in enumerate(titles)]
    console = Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)
    for title in spare:
        if _needed(columns) > console.width:
            columns = [column for column in columns if column.title != title]
    console.width = max(console.width, _needed(columns))
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, column in enumerate(columns):
        shown.add_column(
            column.title, overflow="fold", no_wrap=index == 0, min_width=column.width if index == 0 else column.least
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        shown.add_row(*map(Text, cells))
    with console.capture() as printed:
        console.print(shown, soft_wrap=not sys.stdout.isatty())
    for line in printed.get().splitlines():
        typer.echo(line.rstrip())


class _Column(NamedTuple):
    title: str
    cells: Sequence[str]

    @property
    def width(self) -> int:
        return max(map(cell_len, (self.title, *self.cells)))

    @property
    def least(self) -> int:
        return min(self.width, _LEAST)


def _needed(columns: Sequence[_Column]) -> int:
    first, *others = columns
    return first.width + sum(column.least + _BETWEEN for column in others)


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
