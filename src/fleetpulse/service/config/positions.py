"""Which line of a TOML text holds which key: tomllib reads values and forgets where they stood.

The text has been read by tomllib before, so it is valid, and this scanner only has to find its way, not to judge.
"""

import re
import tomllib
from collections.abc import Iterator

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY_PART = re.compile(r"""[ \t]*([A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*""")
_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}#\r\n]*")  # numbers, booleans, and times, which may hold a space


class Positions:
    """The first line of every key, table and list element, by its path; lines count from 1."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {(): 1}
        scan = _Scan(text)
        for path, line in scan.positions():
            self._lines.setdefault(path, line)

    def line(self, path: Path) -> int:
        """The line of the path, or of the nearest thing above it that stands in the text."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted_to = 0
        self._line = 1
        self._lengths: dict[Path, int] = {}  # how many elements each array of tables has so far

    def positions(self) -> Iterator[tuple[Path, int]]:
        table: Path = ()
        self._skip_blank()
        while self._at < len(self._text):
            line = self._line_here()
            if self._take("[["):
                table = self._element(self._key())
                self._take("]]")
                yield from self._header(table, line)
            elif self._take("["):
                table = self._resolved(self._key())
                self._take("]")
                yield from self._header(table, line)
            else:
                yield from self._pair(table)
            self._skip_blank()

    @staticmethod
    def _header(table: Path, line: int) -> Iterator[tuple[Path, int]]:
        for end in range(1, len(table) + 1):  # [a.b] makes a too, where nothing did before
            yield table[:end], line

    def _pair(self, table: Path) -> Iterator[tuple[Path, int]]:
        line = self._line_here()
        key = self._key()
        for end in range(1, len(key) + 1):  # a dotted key makes the tables on its way
            yield (*table, *key[:end]), line
        self._take("=")
        yield from self._value((*table, *key))

    def _value(self, path: Path) -> Iterator[tuple[Path, int]]:
        self._skip_blank()
        if self._take("["):
            yield from self._array(path)
        elif self._take("{"):
            self._skip_blank()
            while not self._take("}"):
                yield from self._pair(path)
                self._skip_blank()
                self._take(",")
                self._skip_blank()
        else:
            match = _TEXT.match(self._text, self._at) or _BARE.match(self._text, self._at)
            # A value has one character at least, so every loop here moves on, whatever it meets.
            self._at = max(match.end() if match else 0, self._at + 1)

    def _array(self, path: Path) -> Iterator[tuple[Path, int]]:
        index = 0
        self._skip_blank()
        while not self._take("]"):
            yield (*path, index), self._line_here()
            yield from self._value((*path, index))
            index += 1
            self._skip_blank()
            self._take(",")
            self._skip_blank()

    def _key(self) -> tuple[str, ...]:
        parts = []
        while (match := _KEY_PART.match(self._text, self._at)) is not None:
            parts.append(_plain(match[1]))
            self._at = match.end()
            if not self._take("."):
                break
        return tuple(parts)

    def _element(self, key: tuple[str, ...]) -> Path:
        """The path of a new element of `[[key]]`."""
        array = (*self._resolved(key[:-1]), key[-1])
        index = self._lengths.get(array, 0)
        self._lengths[array] = index + 1
        return (*array, index)

    def _resolved(self, key: tuple[str, ...]) -> Path:
        """The path of a table's name: where it passes an array of tables, the newest element is meant."""
        path: Path = ()
        for part in key:
            path = (*path, part)
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        return path

    def _take(self, token: str) -> bool:
        if not self._text.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _skip_blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        return self._line


def _plain(part: str) -> str:
    if part[0] not in "\"'":
        return part
    return str(tomllib.loads(f"key = {part}")["key"])
