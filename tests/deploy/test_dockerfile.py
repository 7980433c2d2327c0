import fnmatch
import json
import re
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]


class Step(NamedTuple):
    """One instruction of the Dockerfile, its continued lines joined."""

    word: str
    rest: str


def stages() -> list[list[Step]]:
    """The instructions of each stage; what stands before the first FROM is left out."""
    text = (ROOT / "deploy/Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    steps = [Step(*line.split(maxsplit=1)) for line in lines]
    starts = [number for number, step in enumerate(steps) if step.word == "FROM"]
    return [steps[start:end] for start, end in zip(starts, [*starts[1:], len(steps)], strict=True)]


def the(word: str, stage: list[Step]) -> str:
    (found,) = (step.rest for step in stage if step.word == word)
    return found


def copied() -> list[str]:
    """What is copied from the project's folder."""
    steps = [step for stage in stages() for step in stage if step.word == "COPY" and "--from=" not in step.rest]
    return [source for step in steps for source in step.rest.split()[:-1]]


def test_what_is_copied_is_there_and_reaches_the_builder() -> None:
    allowed = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

    assert copied()
    assert [source for source in copied() if not (ROOT / source).exists()] == []
    assert set(copied()) == set(allowed)


def test_nothing_else_reaches_the_builder() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]

    assert lines[0] == "*"
    assert [line for line in lines[1:] if line.startswith("!") and fnmatch.fnmatch(line, "*[*?]*")] == []


def test_the_image_holds_what_the_runtime_lock_names() -> None:
    build = [step.rest for step in stages()[0] if step.word == "RUN"]

    (installed,) = (run for run in build if "-r requirements.txt" in run)
    assert "--python /opt/fleetpulse/bin/python" in installed
    assert "--require-hashes" in installed
    assert all("--require-hashes" in run or "--no-deps" in run for run in build)


def test_the_last_stage_installs_nothing() -> None:
    last = stages()[-1]

    runs = [step.rest for step in last if step.word == "RUN"]
    assert [step.rest.split()[0] for step in last if step.word == "COPY"] == ["--from=build"]
    assert [run for run in runs if re.search(r"\b(pip|apt-get|apt|gcc)\b", run)] == []


def test_it_runs_as_a_number_and_stops_by_sigterm() -> None:
    last = stages()[-1]

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", the("USER", last))
    assert the("STOPSIGNAL", last) == "SIGTERM"
    assert json.loads(the("ENTRYPOINT", last)) == ["fleetpulse"]
    assert json.loads(the("CMD", last)) == ["run", "--config", "/etc/fleetpulse/config.toml"]
    assert the("EXPOSE", last) == "9720"


def test_both_stages_stand_on_the_base_that_was_asked_for() -> None:
    assert [the("FROM", stage).split()[0] for stage in stages()] == ["${BASE}", "${BASE}"]
