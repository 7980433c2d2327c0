"""Tables for people: what is copied stays whole, whatever the terminal's width, and one long name widens nothing."""

import sys

import pytest
from rich.text import Text

from fleetpulse.service.tables import short, table

UUID = "6f1d2c3b-0a9e-4d58-b7c6-5e4f3a2b1c0d"
TITLES = ("device", "name", "source", "status", "version")
ROW = (UUID, "the gate at the northern end of the yard", "edge-production", "offline", "7.1.0-beta")


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))


def printed(capsys: pytest.CaptureFixture[str], *, spare: tuple[str, ...] = ()) -> list[str]:
    table(TITLES, [ROW], spare=spare)
    return Text.from_ansi(capsys.readouterr().out).plain.splitlines()


@pytest.mark.parametrize("columns", [20, 60, 80, 100, 200])
def test_an_id_is_never_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    on_terminal(monkeypatch, columns)

    lines = printed(capsys, spare=("version",))

    assert any(line.startswith(UUID) for line in lines)


def test_a_narrow_terminal_shows_fewer_columns_before_it_breaks_them_to_pieces(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_terminal(monkeypatch, 80)

    narrow = printed(capsys, spare=("version", "status", "source"))
    on_terminal(monkeypatch, 200)
    wide = printed(capsys, spare=("version", "status", "source"))

    assert narrow[0].split() == ["device", "name", "source", "status"]
    assert max(map(len, narrow)) <= 80
    assert len(narrow) > 3
    assert wide[0].split() == list(TITLES)
    assert len(wide) == 3


def test_into_a_pipe_each_row_is_one_line_with_all_columns(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, spare=TITLES[1:])

    assert lines[0].split() == list(TITLES)
    assert len(lines) == 3


def test_a_long_name_is_cut() -> None:
    assert short("gate-1") == "gate-1"
    assert short("x" * 200) == "x" * 39 + "…"
