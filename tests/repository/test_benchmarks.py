import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc, which Linux has")
def test_a_small_fleet_gives_every_figure() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench", "--devices", "1500", "--changes", "4"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    rows = [line for line in ran.stdout.splitlines() if line.startswith("│")]
    assert [row.split("│")[1].strip() for row in rows] == [
        "sweep, devices/s",
        "peak memory, MiB",
        "scrape, ms",
        "page to webhook p50, ms",
        "page to webhook p99, ms",
    ]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc, which Linux has")
def test_a_small_queue_that_is_full_gives_every_ratio() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.full_queue", "--devices", "400", "--full", "60", "--seconds", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert "held / running" in ran.stdout
    assert "end / full" in ran.stdout
