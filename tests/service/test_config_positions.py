"""Promises of the scanner that finds the line of a key."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.service.config.positions import Positions


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, below in inner for found in paths(below, (*path, key)))]


def lines_of(text: str) -> dict[tuple[str | int, ...], int]:
    positions = Positions(text)
    return {path: positions.line(path) for path in paths(tomllib.loads(text))}


def test_keys_and_tables_have_their_lines() -> None:
    text = """
[http]
listen = "x"  # [no]

[journal]
"url" = 'y'
a.b . "c d" = 1
"""

    assert lines_of(text) == {
        (): 1,
        ("http",): 2,
        ("http", "listen"): 3,
        ("journal",): 5,
        ("journal", "url"): 6,
        ("journal", "a"): 7,
        ("journal", "a", "b"): 7,
        ("journal", "a", "b", "c d"): 7,
    }


def test_lists_of_tables_count_on_within_the_newest_one() -> None:
    text = """[[route.routes]]
a = 1
[[route.routes.routes]]
[[route.routes.routes]]
b = 1
[[route.routes]]
[route.routes.labels]
c = 1
[[route.routes.routes]]
"""

    lines = lines_of(text)

    assert lines[("route", "routes", 0)] == 1
    assert lines[("route", "routes", 0, "a")] == 2
    assert lines[("route", "routes", 0, "routes", 0)] == 3
    assert lines[("route", "routes", 0, "routes", 1)] == 4
    assert lines[("route", "routes", 0, "routes", 1, "b")] == 5
    assert lines[("route", "routes", 1)] == 6
    assert lines[("route", "routes", 1, "labels", "c")] == 8
    assert lines[("route", "routes", 1, "routes", 0)] == 9


@pytest.mark.parametrize(
    "value",
    [
        '"""\n[no.table]\nkey = "a" \\""" \\\\"""',
        '"""a"""""',
        '""""""',
        "'''\n[no]\n'a' ''b'''''",
        '"a \\" = [ # b"',
        "'\\'",
        "[\n 1, # ] [x]\n [2, '],', {a = ']'}],\n]",
        "{a = [1, 2], b.c = '}', \"d}\" = {}}",
        "1979-05-27 07:32:00 # a time",
        "-1_000.5e+3",
        "[]",
        "{}",
    ],
)
def test_no_value_leads_astray(value: str) -> None:
    text = f"first = {value}\nsecond = 1\n[third]\n"
    expected = text[: text.index("\nsecond")].count("\n") + 2

    positions = Positions(text)

    assert tomllib.loads(text)["second"] == 1
    assert positions.line(("second",)) == expected
    assert positions.line(("third",)) == expected + 1


def test_what_stands_within_a_value_has_its_own_line() -> None:
    text = """sources = [
  { name = "a", labels = { x = 1 } },

  { name = "b" },
]
"""

    positions = Positions(text)

    assert positions.line(("sources", 0, "labels", "x")) == 2
    assert positions.line(("sources", 1, "name")) == 4


def test_what_is_not_there_has_the_line_of_what_is_around_it() -> None:
    positions = Positions("\n[[sources]]\nname = 'a'\n")

    assert positions.line(("sources", 0, "vendor")) == 2
    assert positions.line(("sources", 7, "vendor")) == 2
    assert positions.line(("http", "listen")) == 1


_KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=4)
_VALUES = st.recursive(
    st.integers() | st.booleans() | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=6,
)


def _basic(text: str) -> str:
    escaped = (
        f"\\u{ord(character):04x}" if ord(character) < 32 or character in '"\\\x7f' else character for character in text
    )
    return f'"{"".join(escaped)}"'


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _basic(value)
    if isinstance(value, list):
        return "[ # ]\n" + "".join(f"  {_written(inner)},\n" for inner in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_basic(key)} = {_written(inner)}" for key, inner in value.items()) + " }"
    return str(value)


@given(
    st.dictionaries(_KEYS, st.lists(st.dictionaries(_KEYS, _VALUES, max_size=3), min_size=1, max_size=3), max_size=3)
)
def test_every_key_of_any_document_is_found_on_a_line_that_holds_it(tables: dict[str, list[dict[str, Any]]]) -> None:
    text = "".join(
        f"[[{_basic(name)}]]\n" + "".join(f"{_basic(key)} = {_written(value)}\n" for key, value in table.items())
        for name, entries in tables.items()
        for table in entries
    )
    lines = text.split("\n")
    positions = Positions(text)

    assert tomllib.loads(text) == tables
    for path in paths(tables):
        key = path[-1] if path else None
        if isinstance(key, str):
            assert _basic(key) in lines[positions.line(path) - 1]
        assert path in positions._lines
