"""Moved time for the whole folder, and quiet logs: what fails on purpose would fill pages with tracebacks."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from moved_time import moved_throttle, pytest_asyncio_loop_factories  # noqa: F401 - pytest finds them by name


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    with capture_logs():
        yield
