"""Days and weeks pass in seconds here; what is logged meanwhile is kept for those who ask."""

from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from moved_time import (  # noqa: F401 - pytest finds them by name
    moved_connections,
    moved_throttle,
    pytest_asyncio_loop_factories,
)


@pytest.fixture(autouse=True)
def logged() -> Iterator[Sequence[MutableMapping[str, Any]]]:
    """All that was logged so far."""
    with capture_logs() as entries:
        yield entries
