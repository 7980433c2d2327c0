"""Whether a survey goes through the running service, from here, or nowhere."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from pydantic import SecretStr

from answering import http_server
from fleetpulse.durations import Rate
from fleetpulse.outbound import Outbound
from fleetpulse.secrets import Redactor
from fleetpulse.service.failures import DoneBadlyError
from fleetpulse.service.remote import Place, Remote
from fleetpulse.service.survey.report import Report
from fleetpulse.service.survey.surveying import service_for, survey
from fleetpulse.simulator import JFrogConnect, serve
from fleetpulse.vendors.contract import Kind
from fleetpulse.vendors.jfrog_connect import JFrogConnectSettings
from fleetpulse.web.access import ALIVE
from fleetpulse.web.views import Depth

__all__ = ["http_server"]

Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
NOBODY = "http://127.0.0.1:9"


class BanningSettings(JFrogConnectSettings):
    bans = True


def source(url: str, kind: type[JFrogConnectSettings] = JFrogConnectSettings) -> JFrogConnectSettings:
    return kind(
        name="edge", base_url=url, project_key="yard", token=SecretStr("demo-token"), request_rate=Rate(1000, 1.0)
    )


async def surveyed(settings: JFrogConnectSettings, *, service: str, named: bool = False, alone: bool = False) -> Report:
    async with Outbound(version="0", redactor=Redactor()) as outbound:
        remote = Remote(Place(url=service, named=named), outbound=outbound)
        found = await service_for([settings], remote, alone=alone)
        (report,) = await survey([settings], Depth.SWEEP, service=found, shown=lambda *_: None)
        return report


async def test_where_no_service_answers_it_looks_from_here() -> None:
    async with serve(JFrogConnect(devices=3)) as url:
        report = await surveyed(source(url), service=NOBODY)

    assert (report.failed, report.number(Kind.DEVICES)) == (False, "3")


async def test_where_a_service_is_named_and_none_answers_nobody_is_asked_unless_it_is_said_that_none_runs() -> None:
    cloud = JFrogConnect(devices=3)

    async with serve(cloud) as url:
        with pytest.raises(DoneBadlyError, match=f"no service answers at {NOBODY}, where --url .* say with --alone"):
            await surveyed(source(url), service=NOBODY, named=True)
        refused = len(cloud.requests)
        report = await surveyed(source(url), service=NOBODY, named=True, alone=True)

    assert (refused, report.failed) == (0, False)


async def test_a_vendor_that_bans_is_not_asked_beside_a_service_that_nobody_sees() -> None:
    cloud = JFrogConnect(devices=3)

    async with serve(cloud) as url:
        with pytest.raises(DoneBadlyError, match=r"edge bans who asks too often: .* say with --alone"):
            await surveyed(source(url, BanningSettings), service=NOBODY)
        refused = len(cloud.requests)
        report = await surveyed(source(url, BanningSettings), service=NOBODY, alone=True)

    assert (refused, report.failed) == (0, False)


async def test_what_is_no_service_is_passed_over_only_by_who_says_so(http_server: Http) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    other = await http_server(answer)

    async with serve(JFrogConnect(devices=3)) as url:
        with pytest.raises(DoneBadlyError, match="is no fleetpulse"):
            await surveyed(source(url), service=other)
        report = await surveyed(source(url), service=other, alone=True)

    assert not report.failed


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (b"", "the service broke off"),
        (b'{"type":"finding","resource":"devices","kind":"devices","rows":3}\n', "the service broke off"),
        (b"<html>\n", "is no fleetpulse, or one of another age"),
        (b'{"type":"later","what":1}\n', "is no fleetpulse, or one of another age"),
        (b'{"error":"edge is paused"}\n', "edge is paused"),
        (b'{"type":"progress","resource":3}\n', "is no fleetpulse, or one of another age"),
    ],
)
async def test_a_service_that_tells_nonsense_fails_the_source(http_server: Http, lines: bytes, why: str) -> None:
    cloud = JFrogConnect(devices=3)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=ALIVE.encode() if request.method == "GET" else lines)

    service = await http_server(answer)

    async with serve(cloud) as url:
        report = await surveyed(source(url, BanningSettings), service=service)

    assert report.failed
    assert why in report.broken
    assert len(cloud.requests) == 0
