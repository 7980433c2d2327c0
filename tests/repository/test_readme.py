"""Promises of README: what it tells to type works, and its config is one that fleetpulse takes."""

import re
import shlex
import shutil
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from typer.testing import CliRunner

from fleetpulse.service.cli import app
from fleetpulse.service.config import load

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS: Final = [
    shlex.split(line, comments=True) for line in re.findall(r"^ {4}\.venv/bin/fleetpulse (.+)$", README, re.MULTILINE)
]


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the config that README's `cp` makes, to type the commands in."""
    assert "cp config.example.toml config.toml" in README
    shutil.copy(ROOT / "config.example.toml", tmp_path / "config.toml")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "config.toml"


def test_its_commands_are_found() -> None:
    assert [command[0] for command in COMMANDS] == [
        *("check-config", "test-receiver", "run"),
        *("check-config", "check-config", "sweep", "sources"),
    ]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_can_be_typed_so(copied: Path, command: list[str]) -> None:
    chosen: Any = typer.main.get_command(app)
    context, rest = chosen.make_context("fleetpulse", list(command)), command

    while hasattr(chosen, "resolve_command"):  # a group of commands
        name, chosen, rest = chosen.resolve_command(context, list(rest))
        context = chosen.make_context(name, list(rest))

    assert context.params["config"] in {None, Path(copied.name)}  # None finds the one in this directory


def test_the_copied_example_passes_its_check(copied: Path) -> None:
    command = next(command for command in COMMANDS if command[0] == "check-config")

    ended = CliRunner().invoke(app, command)

    assert (ended.exit_code, ended.stdout.splitlines()[-1]) == (0, f"{copied.name} is fine")


def test_the_receiver_that_it_tests_is_one_of_the_example_and_of_its_own_config(copied: Path, tmp_path: Path) -> None:
    (command,) = [command for command in COMMANDS if command[0] == "test-receiver"]

    names = [{receiver.name for receiver in load(path, {}).receivers} for path in (copied, first_screen(tmp_path))]

    assert all(command[1] in each for each in names)


def test_its_config_loads(tmp_path: Path) -> None:
    settings = load(first_screen(tmp_path), {})

    assert [source.name for source in settings.sources] == ["edge-prod"]


def first_screen(directory: Path) -> Path:
    """The config that README shows, with the files that it names."""
    (text,) = re.findall(r"^```toml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    (directory / "jfrog-token").write_text("invented-token\n")
    (directory / "slack-webhook-url").write_text("https://hooks.example.com/services/invented\n")
    path = directory / "readme.toml"
    path.write_text(text)
    return path
