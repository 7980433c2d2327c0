"""Promises of what the demo leaves a person with."""

from pathlib import Path

import pytest

from fleetpulse.service.demo.playing import as_typed

HERE = Path("/srv/ada/fleetpulse")


@pytest.mark.parametrize(
    ("called", "found", "typed"),
    [
        ("/srv/ada/fleetpulse/.venv/bin/fleetpulse", None, ".venv/bin/fleetpulse"),
        ("/srv/ada/fleetpulse/.venv/bin/fleetpulse", "/usr/bin/fleetpulse", ".venv/bin/fleetpulse"),
        ("/usr/bin/fleetpulse", "/usr/bin/fleetpulse", "fleetpulse"),
        ("/opt/fleet pulse/bin/fleetpulse", None, "'/opt/fleet pulse/bin/fleetpulse'"),
        ("/srv/ada/fleetpulse/fleetpulse", None, "./fleetpulse"),
    ],
)
def test_its_commands_work_as_they_are_typed(called: str, found: str | None, typed: str) -> None:
    assert as_typed(called, cwd=HERE, found=found) == typed
