from typing import Any, Final

import pytest

from fleetpulse.fleet.events import Problem
from fleetpulse.fleet.source import Trouble
from fleetpulse.web.views import ResourceView, SourceStatus, SourceView
from web.house import T0

BARE: Final[dict[str, Any]] = {
    "name": "edge",
    "vendor": "hologram",
    "fresh": True,
    "stale_after_s": 600.0,
    "resources": {},
}


def view(*problems: Problem, fresh: bool = True, swept: bool = True) -> SourceView:
    return SourceView(
        name="edge",
        vendor="hologram",
        fresh=fresh,
        stale_after_s=600.0,
        resources={"devices": ResourceView(T0 if swept else None, 60.0)},
        troubles=tuple(Trouble("devices", problem, T0) for problem in problems),
    )


@pytest.mark.parametrize(
    ("source", "status"),
    [
        (view(), SourceStatus.OK),
        (view(swept=False), SourceStatus.STARTING),
        (view(fresh=False), SourceStatus.DEGRADED),
        (view(Problem.RATE_LIMITED), SourceStatus.DEGRADED),
        (view(Problem.RATE_LIMITED, Problem.DOWN), SourceStatus.DOWN),
        (view(Problem.REJECTED, swept=False), SourceStatus.DOWN),
        (SourceView(**BARE, disabled=True), SourceStatus.DISABLED),
        (SourceView(**BARE, paused=True), SourceStatus.PAUSED),
    ],
)
def test_the_worst_that_is_true_is_the_status(source: SourceView, status: SourceStatus) -> None:
    assert source.status is status


def test_a_source_without_resources_is_starting() -> None:
    bare = SourceView(**BARE)

    assert bare.status is SourceStatus.STARTING


@pytest.mark.parametrize(("paused", "healthy"), [(True, True), (False, False)])
def test_a_paused_source_is_old_on_purpose(paused: bool, healthy: bool) -> None:
    stale = SourceView(**BARE | {"fresh": False}, paused=paused)

    assert stale.healthy is healthy
