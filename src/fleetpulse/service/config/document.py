"""A config as written: its tables, and for every place in it the words that find it again."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from fleetpulse.service.config.positions import Path, Positions

_NAMED: Final = frozenset({"sources", "rules", "receivers"})
_DEEPEST = 32  # nested routes go this deep in no sane config, and what walks the tree may recurse
_LONGEST_SHOWN = 60
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_CURES: Final = (
    # how tomllib begins, and what a person does about it
    ("Invalid value", "has a value that is no TOML: texts and durations need quotes"),
    ("Invalid date or datetime", "has a date or time that does not exist"),
    ("Invalid statement", "is neither a [table] nor key = value"),
    ("Unterminated string", "has a text whose closing quotes are missing"),
    ("Illegal character '\\n'", "has a text whose closing quote is not on its line"),
    ("Expected '=' after a key", "has a key without = and a value"),
    ("Invalid initial character for a key part", "has a key that is no TOML: letters, digits, _ and -"),
    ("Expected newline or end of document", "has something left over after the value: texts need quotes"),
    ("Expected ']' at the end of a table", "has a table name whose ] is missing"),
    ("Expected ']]' at the end of an array", "has a table name whose ]] is missing"),
    ("Unclosed array", "has a list whose ] is missing"),
    ("Unclosed inline table", "has a table in braces whose } is missing, or a line break within the braces"),
    ("Cannot overwrite a value", "sets a key, or a table, that is set already above"),
    ("Cannot declare", "begins a table that is there already; lists of tables are written [[name]]"),
    ("Cannot mutate immutable namespace", "adds to a table or list that was closed where it was written"),
    ("Cannot redefine namespace", "begins a list of tables where a table or another list is already"),
    ("Duplicate inline table key", "has a key twice in one table in braces"),
    ("Unescaped '\\'", "has a \\ in a text: double it, or put the text into single quotes"),
    ("Invalid hex value", "has a \\x or \\u in a text without its digits: double the \\, or use single quotes"),
    ("Escaped character is not", "has a \\u in a text that names no character"),
    ('Expected "', "has a text whose closing quotes are missing"),
    ("Found invalid character", "has a character that is not allowed there, or a line break within quotes"),
    ("Illegal character", "has a control character that may not stand there"),
)


class ConfigError(Exception):
    """The config cannot be used. `lines` holds every error found, each with its place, none with a value."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))


class Problem(NamedTuple):
    """Something wrong: with the thing at `keys` within the table or entry at `table`, in finished words."""

    table: Path
    keys: Path
    text: str


class Document:
    """The tables of a config as written, before anything is filled in.

    Errors: ConfigError where it is no TOML.
    """

    def __init__(self, text: str, *, name: str) -> None:
        self.name = name
        self.tables = self._parsed(text)
        self._positions = Positions(text)

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            tables = tomllib.loads(text)
        except RecursionError as error:
            raise ConfigError([f"{self.name}:1 is nested too deep"]) from error
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([f"{self.name}:{_line_of(error, text)} {_cure(error)}"]) from error
        except ValueError as error:  # a number of thousands of digits
            raise ConfigError([f"{self.name}:1 holds a number that is far too long"]) from error
        if _too_deep(tables):
            raise ConfigError([f"{self.name}:1 is nested deeper than {_DEEPEST} tables"])
        return tables

    def tell(self, problems: Iterable[Problem], *, variables: Mapping[Path, str]) -> list[str]:
        """The problems as lines, in the order of the file; `variables` tells what came from the environment instead."""
        rows = []
        for problem in problems:
            path = problem.table + problem.keys
            if variable := variables.get(path[:2]):
                rows.append((1, 0, f"environment {variable}: {problem.text}"))
                continue
            line = self._positions.line(path)
            place = self.place(problem.table)
            rows.append((0, line, f"{self.name}:{line} {place + ': ' if place else ''}{problem.text}"))
        return [text for _, _, text in sorted(rows)]

    def place(self, table: Path) -> str:
        """What people call the table: `http`, `sources 'edge-prod'`, `route.routes #2`."""
        words = ""
        value: Any = self.tables
        for part in table:
            value = _inner(value, part)
            if isinstance(part, str):
                words += f".{part}" if words else part
            else:
                words += f" {_called(value, part, named=table[0] in _NAMED)}"
        return shown(words, longest=200)


def quoted(keys: Path) -> str:
    """What people call a setting: `'interval'`, `'sweep.devices'`, `'matchers' #2`."""
    words = ""
    number = ""
    for part in keys:
        if isinstance(part, int):
            number = f" #{part + 1}"
        else:
            words += f".{part}" if words else part
    return f"'{shown(words)}'{number}"


def shown(text: str, *, longest: int = _LONGEST_SHOWN) -> str:
    """A name from the file, fit for a line on a terminal."""
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return printable if len(printable) <= longest else printable[: longest - 3] + "..."


def _called(entry: Any, index: int, *, named: bool) -> str:
    # The name as written: a placeholder in it is shown, never what it stands for.
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"'{shown(name)}'" if named and isinstance(name, str) and name else f"#{index + 1}"


def _inner(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _too_deep(tables: dict[str, Any]) -> bool:
    level: list[Any] = [tables]
    for _ in range(_DEEPEST):
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _line_of(error: tomllib.TOMLDecodeError, text: str) -> int:
    match = _AT.search(str(error))
    return int(match[1]) if match and match[1] else text.rstrip("\n").count("\n") + 1


def _cure(error: tomllib.TOMLDecodeError) -> str:
    said = str(error)
    for beginning, cure in _CURES:
        if said.startswith(beginning):
            return cure
    return "is no TOML"
