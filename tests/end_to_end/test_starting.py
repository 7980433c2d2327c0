"""A start that can't be: one clear line, the right exit code, nothing begun."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from end_to_end import config
from end_to_end.processes import Process
from end_to_end.stage import Stage

NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens
SECRETS = ("hush-token", "hush-signature", "hush-path")


def watching(stage: Stage, **tables: Any) -> Path:
    return stage.configure(
        **{
            "sources": [config.jfrog(NOWHERE, token=SECRETS[0])],
            "rules": config.rules(),
            "receivers": [config.webhook(f"{NOWHERE}/{SECRETS[2]}")],
            **tables,
        }
    )


def refused(process: Process, *, code: int) -> str:
    """The one line of a start that was refused, the log aside."""
    assert process.ended() == code, process.told()
    assert "Traceback" not in process.said(), process.told()
    (line,) = [line for line in process.said().splitlines() if not line.startswith("ts=")]
    return line


@pytest.mark.parametrize("command", ["run", "check-config"])
def test_a_wrong_config_tells_every_error_with_its_place_and_starts_nothing(stage: Stage, command: str) -> None:
    vendor = stage.party("jfrog-connect", devices=3)
    path = watching(
        stage,
        sources=[
            config.jfrog(vendor.url, token=SECRETS[0], intervall="5s"),
            config.jfrog(vendor.url, name="other", token=SECRETS[0], interval=f"{SECRETS[0]}s"),
        ],
        receivers=[config.webhook(vendor.url, secret=SECRETS[1], format=SECRETS[1], headers=[SECRETS[2]])],
    )

    process = stage.program(command, "--config", str(path))
    code = process.ended()
    lines = process.said().splitlines()

    assert code == 2
    assert len(lines) == 4, process.told()
    assert all(line.startswith(f"{path}:") for line in lines)
    assert any("unknown key 'intervall', did you mean 'interval'?" in line for line in lines)
    assert not [secret for secret in SECRETS if secret in process.said()]
    assert vendor.state()["requests"] == 0
    assert not list(stage.home.glob("*.db*"))


def test_a_config_that_makes_no_sense_is_refused_without_its_secrets(stage: Stage) -> None:
    twice = [config.webhook(NOWHERE, secret=SECRETS[1]), config.webhook(NOWHERE)]

    process = stage.program("run", "--config", str(watching(stage, receivers=twice, route=config.route("pagr"))))

    assert process.ended() == 2
    assert "did you mean 'pager'?" in process.said()
    assert not [secret for secret in SECRETS if secret in process.said()]


def test_no_config_at_all_is_told_with_the_places_that_were_looked_at(stage: Stage) -> None:
    process = stage.program("run", "--config", str(stage.home / "nowhere.toml"))

    assert "there is no such file" in refused(process, code=2)


def test_a_taken_port_is_one_line(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"

        process = stage.program("run", "--config", str(watching(stage, http={"listen": listen})))

        line = refused(process, code=1)
    assert line.startswith(f"fleetpulse: {listen} is taken by another process")


def test_a_journal_held_by_another_instance_is_one_line_and_the_other_goes_on(stage: Stage) -> None:
    path = watching(stage)
    first = stage.service(path).ready()

    second = stage.program("run", "--config", str(path))

    assert "is held by another instance" in refused(second, code=1)
    assert first.get("/-/ready").status == 200


@pytest.mark.parametrize(
    ("directory", "cure", "code"),
    [
        ("nowhere", "does not exist; create it", 2),
        pytest.param(
            "/sys",
            "give the user of this process the right to write",
            1,
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only to root it looks as if it could be written"),
        ),
    ],
)
def test_a_journal_that_cannot_be_written_is_one_line(stage: Stage, directory: str, cure: str, code: int) -> None:
    path = watching(stage, journal={"url": f"sqlite:///{directory}/fleetpulse.db"})

    process = stage.program("run", "--config", str(path))

    assert cure in refused(process, code=code)


def test_a_key_file_that_is_not_there_is_an_error_of_the_config(stage: Stage) -> None:
    path = watching(stage, sources=[config.jfrog(NOWHERE, token=None, token_file="no-such-file")])

    line = refused(stage.program("run", "--config", str(path)), code=2)

    assert "'token_file' cannot be used: cannot read it: No such file or directory" in line
