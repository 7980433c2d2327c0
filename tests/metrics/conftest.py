"""The real Prometheus, where it is installed."""

import os
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

import real_servers


def _missing(error: real_servers.MissingProgramError) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(str(error))
    pytest.skip(str(error))


@pytest.fixture(scope="session")
def promtool() -> str:
    try:
        return real_servers.promtool()
    except real_servers.MissingProgramError as error:
        _missing(error)


@pytest.fixture(scope="session")
def prometheus() -> Callable[..., Any]:
    """Starts a Prometheus for one target; a target must be known before the start, so there is one for each test."""
    try:
        real_servers.program("prometheus", package="prometheus")
    except real_servers.MissingProgramError as error:
        _missing(error)
    return real_servers.prometheus
