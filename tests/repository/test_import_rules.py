import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
CONTRACTS: Final[dict[str, dict[str, Any]]] = {
    contract["name"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
UNLISTED: Final = "a room that no layer names"


class Plant(NamedTuple):
    """An import that breaks a rule: the contract, the room it is planted in, the line."""

    contract: str
    room: str
    line: str


PLANTS: Final = (
    Plant("layers", "fleet", "import fleetpulse.alerting"),
    Plant("layers", "alerting", "import fleetpulse.journal"),
    Plant("layers", "journal", "import fleetpulse.outbound"),
    Plant("layers", "outbound", "import fleetpulse.vendors"),
    Plant("layers", "eventqueue", "import fleetpulse.metrics"),
    Plant("layers", "vendors", "import fleetpulse.sweeping"),
    Plant("layers", "sweeping", "import fleetpulse.notifying"),
    Plant("layers", "notifying", "import fleetpulse.web"),
    Plant("layers", "simulator", "import fleetpulse.web"),
    Plant("layers", "web", "import fleetpulse.service"),
    Plant("layers", "basement", f"'''{UNLISTED}'''"),
    Plant("a vendor knows no other vendor", "vendors/hologram", "import fleetpulse.vendors.jfrog_connect"),
    Plant("a receiver knows no other receiver", "receivers/slack", "import fleetpulse.receivers.webhook"),
    Plant("no single vendor or receiver outside the catalogue", "sweeping", "import fleetpulse.vendors.hologram"),
    Plant("no single vendor or receiver outside the catalogue", "notifying", "import fleetpulse.receivers.slack"),
    Plant("no single vendor or receiver outside the catalogue", "web", "import fleetpulse.vendors.jfrog_connect"),
    Plant("what decides is pure", "alerting", "import asyncio"),
    Plant("what decides is pure", "fleet", "import sqlalchemy"),
    Plant("the simulator shares no parser with what it tests", "simulator", "import fleetpulse.vendors.contract"),
    Plant("the simulator shares no parser with what it tests", "simulator", "import fleetpulse.fleet.device"),
    Plant("aiohttp is at home in outbound, web and the simulator", "receivers/slack", "import aiohttp"),
    Plant("aiohttp is at home in outbound, web and the simulator", "service", "import aiohttp"),
    Plant("asyncio_throttle is at home in outbound", "sweeping", "import asyncio_throttle"),
    Plant("the database is at home in the journal", "notifying", "import sqlalchemy"),
    Plant("the database is at home in the journal", "service", "import alembic"),
    Plant("prometheus_client is at home in metrics", "sweeping", "import prometheus_client"),
    Plant("pydantic is at home in settings", "fleet", "import pydantic"),
    Plant("pydantic is at home in settings", "sweeping", "import pydantic_settings"),
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the project that may be broken."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def plant(house: Path, room: str, line: str) -> None:
    folder = house / "src/fleetpulse" / room
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    (folder / "planted.py").write_text(f"{line}\n")


def lint_imports(house: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    # PYTHONPATH goes before the installed project: the copy is read, not the original
    env = os.environ | {"PYTHONPATH": str(house / "src"), "COLUMNS": "300"}
    return subprocess.run(
        [program, "--no-cache", "--no-logo"], cwd=house, env=env, capture_output=True, text=True, check=False
    )


def test_the_house_keeps_its_rules(house: Path) -> None:
    verdict = lint_imports(house)

    assert verdict.returncode == 0, verdict.stdout
    assert f"{len(CONTRACTS)} kept, 0 broken" in verdict.stdout


@pytest.mark.parametrize("planted", PLANTS, ids=lambda planted: f"{planted.room}: {planted.line}")
def test_a_broken_rule_is_named(house: Path, planted: Plant) -> None:
    plant(house, planted.room, planted.line)

    verdict = lint_imports(house)

    assert verdict.returncode != 0, verdict.stdout
    assert f"{planted.contract} BROKEN" in verdict.stdout
    assert planted.room.replace("/", ".") in verdict.stdout.partition("Broken contracts")[2]


def test_every_rule_was_seen_to_fail() -> None:
    assert {planted.contract for planted in PLANTS} == set(CONTRACTS)


@pytest.mark.parametrize(
    ("room", "independence"),
    [("vendors", "a vendor knows no other vendor"), ("receivers", "a receiver knows no other receiver")],
)
def test_every_vendor_and_receiver_is_under_the_rules(room: str, independence: str) -> None:
    shared = {"wire"}  # what vendors share of reading JSON
    packages = {
        f"fleetpulse.{room}.{init.parent.name}"
        for init in (ROOT / "src/fleetpulse" / room).glob("*/__init__.py")
        if init.parent.name not in shared
    }

    catalogue = CONTRACTS["no single vendor or receiver outside the catalogue"]
    assert packages
    assert packages == set(CONTRACTS[independence]["modules"])
    assert packages <= set(catalogue["forbidden_modules"])
