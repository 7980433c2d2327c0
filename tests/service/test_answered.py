"""A service of another age: what it does not tell is one clear line, never a traceback."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from copy import copy
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import pytest
from aiohttp import web

from answering import http_server
from fleetpulse.fleet.deployment import Deployment, DeploymentStatus, FailedStep, RolloutStatus
from fleetpulse.fleet.device import Device, DeviceStatus, Readings, Sighting
from fleetpulse.fleet.events import Problem
from fleetpulse.fleet.job import BulkJob
from fleetpulse.fleet.source import Trouble
from fleetpulse.fleet.summary import Summary
from fleetpulse.service import browsing
from fleetpulse.service.answered import SHAPES, checked, listed
from fleetpulse.service.failures import DoneBadlyError
from fleetpulse.service.remote import Place, Remote, connected
from fleetpulse.web.api.rows import asked_row, deployment_details, deployment_row, device_row, job_row
from fleetpulse.web.sources import source_row
from fleetpulse.web.views import SourceView
from web.house import T0, known, meet, sighting, source

__all__ = ["http_server"]

Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


def rows() -> dict[str, Any]:
    """A row of each kind, as the service of today tells it; every field that may be empty is full in one of them."""
    edge = known()
    meet(edge.fleet, sighting("d-1", DeviceStatus.OFFLINE, name="gate", tags=("roof",)))
    device = edge.fleet.device("d-1")
    assert device is not None
    deployment = Deployment(
        id="dp-1",
        created_at=T0,
        devices={"d-1": RolloutStatus.FAILED},
        steps=(FailedStep("d-1", "install", "disk full"),),
        status=DeploymentStatus.FAILED,
        contradicted={"d-2": "7.1"},
        vulnerabilities={"high": 2},
    )
    return {
        "source": as_sent(source_row(whole_source())),
        "device": as_sent(device_row(edge, device)),
        "asked device": as_sent(
            asked_row(edge, Sighting(Device("d-1"), DeviceStatus.ONLINE, Readings(last_seen_at=T0)))
        ),
        "deployment": as_sent(deployment_row(edge, deployment)),
        "deployment with details": as_sent(deployment_details(edge, deployment)),
        "job": as_sent(job_row(edge, BulkJob(id="j-1", started_at=T0))),
    }


def whole_source() -> SourceView:
    trouble = Trouble(resource="devices", problem=Problem.DOWN, since_at=T0, detail="it was not there")
    return msgspec.structs.replace(
        source(troubles=(trouble,)), paused=True, paused_until=T0 + timedelta(hours=2), summary=Summary(devices=3)
    )


def as_sent(row: dict[str, Any]) -> Any:
    return msgspec.json.decode(msgspec.json.encode(row))


@pytest.mark.parametrize("shape", SHAPES)
def test_what_the_service_of_today_tells_is_taken_as_it_came(shape: str) -> None:
    row = rows()[shape]

    assert checked(row | {"later": [1]}, shape=shape) == row | {"later": [1]}


COMMANDS: dict[str, Callable[[Remote], Awaitable[None]]] = {
    "sources list": partial(browsing.list_sources, json=False),
    "sources show": partial(browsing.show_source, name="edge", json=False),
    "sources pause": partial(browsing.act_on_source, name="edge", action="pause", json=False),
    "devices list": partial(browsing.list_devices, filters={}, limit=10, json=False),
    "devices show": partial(browsing.show_device, word="d-1", ask=False, json=False),
    "devices show --ask": partial(browsing.show_device, word="d-1", ask=True, json=False),
    "deployments list": partial(browsing.list_deployments, filters={}, limit=10, json=False),
    "deployments show": partial(browsing.show_deployment, word="dp-1", json=False),
    "jobs list": partial(browsing.list_jobs, filters={}, limit=10, json=False),
    "jobs show": partial(browsing.show_job, word="j-1", json=False),
}


@pytest.mark.parametrize("command", COMMANDS)
async def test_whatever_a_service_does_not_tell_is_shown_without_it_or_one_clear_line(
    http_server: Http, command: str
) -> None:
    told = rows()

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode(answers(told)[request.path]) + b"\n")

    async with connected(Place(url=await http_server(answer))) as remote:
        await COMMANDS[command](remote)
        for name, row in rows().items():
            for less in lacking(row):
                told = rows() | {name: less}
                with suppress(DoneBadlyError):
                    await COMMANDS[command](remote)


def answers(told: dict[str, Any]) -> dict[str, Any]:
    """The answers of a service by their paths."""
    return {
        "/api/v1/sources": {"sources": [told["source"]]},
        "/api/v1/sources/edge": told["source"],
        "/api/v1/sources/edge/pause": told["source"],
        "/api/v1/devices": {"devices": [told["device"]], "next": None},
        "/api/v1/devices/edge/d-1/ask": told["asked device"],
        "/api/v1/deployments": {"deployments": [told["deployment"]], "next": None},
        "/api/v1/deployments/edge/dp-1": told["deployment with details"],
        "/api/v1/jobs": {"jobs": [told["job"]], "next": None},
    }


def lacking(value: Any) -> Iterator[Any]:
    """The value without one of its fields, for each field of whatever it holds."""
    fields = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in fields:
        if isinstance(value, dict):
            yield {name: each for name, each in value.items() if name != key}
        for less in lacking(inner):
            changed = copy(value)
            changed[key] = less
            yield changed


@pytest.mark.parametrize("row", [None, [], "x", 3, {}, {"name": 3}])
def test_what_is_no_row_is_told(row: Any) -> None:
    for shape in SHAPES:
        with pytest.raises(
            DoneBadlyError, match=f"tells of a {shape} otherwise .* is no fleetpulse, or one of another age"
        ):
            checked(row, shape=shape)


@pytest.mark.parametrize("found", [None, [], {}, {"devices": None}, {"devices": {}}, {"devices": [None]}])
def test_what_is_no_list_is_told(found: Any) -> None:
    with pytest.raises(
        DoneBadlyError, match="is no fleetpulse, or one of another age: use the fleetpulse that the service runs"
    ):
        listed(found, what="devices")


async def test_who_accepts_a_doubted_list_is_told_what_was_doubted(
    http_server: Http, capsys: pytest.CaptureFixture[str]
) -> None:
    doubt = Trouble("devices", Problem.DOUBTED, T0, detail="lists 3 of 30 known devices")
    row = as_sent(source_row(source(troubles=(doubt,))))

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode(row))

    async with connected(Place(url=await http_server(answer))) as remote:
        await browsing.act_on_source(remote, "edge", "accept", json=False)

    assert "the last one lists 3 of 30 known devices; it is degraded" in capsys.readouterr().out
