"""What the tests of the whole share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from end_to_end.stage import Stage, staged
from metrics.conftest import prometheus, promtool

__all__ = ["prometheus", "promtool", "stage"]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as made:
        yield made
