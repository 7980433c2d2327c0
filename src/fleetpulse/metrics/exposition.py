"""The text exposition format 0.0.4: families, label values, numbers, and pieces cut for the network."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

import msgspec

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
SMALL_CHUNK_BYTES: Final = 64 * 1024  # smaller pieces are joined: a write costs more than a copy
LARGE_CHUNK_BYTES: Final = 1024 * 1024  # larger ones are cut: one write must not hold the event loop

_ODD = re.compile(r'["\\\x00-\x1f\x7f-\x9f\ud800-\udfff]')
_ESCAPES: Final = {'"': r"\"", "\\": r"\\", "\n": r"\n"}


class Family(msgspec.Struct, frozen=True):
    """One metric family: all its samples stand together under one head."""

    name: str
    help: str
    type: str = "gauge"

    def head(self) -> bytes:
        """The HELP and TYPE lines."""
        text = self.help.replace("\\", r"\\").replace("\n", r"\n")
        return f"# HELP {self.name} {text}\n# TYPE {self.name} {self.type}\n".encode()


def escape(value: str) -> str:
    r"""A label value as it stands between its quotes.

    Quotes, backslashes and line feeds are escaped as the format says. Other control characters, which act on the
    terminal of who looks at the page, and lone surrogates, which are no UTF-8, are spelled out: `\\u001b`.
    """
    return value if _ODD.search(value) is None else _ODD.sub(_escaped, value)


def escape_all(values: Collection[str]) -> Iterable[str]:
    """Each of the values escaped, in order; one look at all of them where none needs it, as is usual."""
    return values if _ODD.search("".join(values)) is None else map(escape, values)


def labels(**values: str) -> str:
    """Label pairs in braces, in the order given."""
    return "{" + ",".join(f'{name}="{escape(value)}"' for name, value in values.items()) + "}"


def chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in chunks that are neither tiny nor huge; pieces of a good size pass uncopied."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= SMALL_CHUNK_BYTES:
            yield from _cut(waiting)
            waiting, size = [], 0
    yield from _cut(waiting)


def _cut(pieces: list[bytes]) -> Iterator[bytes]:
    joined = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    for start in range(0, len(joined), LARGE_CHUNK_BYTES):
        yield joined[start : start + LARGE_CHUNK_BYTES]


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return _ESCAPES.get(character) or rf"\\u{ord(character):04x}"
