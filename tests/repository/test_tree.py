import re
import subprocess
import tomllib
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parents[2]
LOCKS: Final = ("requirements.txt", "requirements-dev.txt")
PIN: Final = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)
# Each pattern is written so that it does not match itself.
STRAY: Final = {
    "a path of one machine": re.compile(r"(?<![\w.}])/(w[o]rk|f[a]rm|r[o]ot|h[o]me/\w+|U[s]ers/\w+)/[A-Za-z.]"),
    "a package index": re.compile(r"py[p]i\.org|pythonhos[t]ed\.org|--(extra-)?inde[x]-url|/si[m]ple/"),
    "a package's address": re.compile(r'"resol[v]ed": *"http|/pack[a]ges/[0-9a-f]{2}/[0-9a-f]{2}/'),
}


def committed() -> list[Path]:
    """What git holds, or would with the next `git add .`."""
    asked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if asked.returncode != 0:
        pytest.skip("this is no git checkout")
    paths = (ROOT / name for name in asked.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / lock).read_text()))


def stray(text: str) -> list[str]:
    return [
        f"{number}: {what}: {line.strip()[:100]}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in STRAY.items()
        if pattern.search(line)
    ]


def test_no_file_names_a_machine_or_a_package_index() -> None:
    files = committed()

    found = [
        f"{path.relative_to(ROOT)}:{where}"
        for path in files
        for where in stray(path.read_text(encoding="utf-8", errors="replace"))
    ]

    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "see /ho" + "me/ann/fleetpulse/config.toml",
        "cd /wo" + "rk/main",
        "pip install --inde" + "x-url=http://mirror.example",
        "https://py" + "pi.org/project/aiohttp",
    ],
)
def test_a_stray_line_is_found(line: str) -> None:
    assert stray(line)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_and_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()

    entries = re.split(r"\n(?=[a-z])", text)
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)
    assert [entry[:60] for entry in entries if not PIN.match(entry) or "--hash=sha256:" not in entry] == []


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = [Requirement(line) for line in project["project"]["dependencies"]]
    development = [Requirement(line) for line in project["dependency-groups"]["dev"]]

    asked = {"requirements.txt": runtime, "requirements-dev.txt": runtime + development}
    missing = [
        f"{lock}: {requirement}"
        for lock, requirements in asked.items()
        for requirement in requirements
        if not requirement.specifier.contains(pins(lock).get(canonicalize_name(requirement.name), "0"))
    ]

    assert missing == []  # `make lock` mends it


def test_what_runs_is_what_was_tested() -> None:
    runs, tested = pins("requirements.txt"), pins("requirements-dev.txt")

    assert {name: tested.get(name) for name in runs} == runs
