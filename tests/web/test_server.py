import asyncio
import logging
from datetime import UTC

import aiohttp
import pytest
from structlog.testing import capture_logs

from fleetpulse.fleet.events import Problem
from fleetpulse.fleet.source import Trouble
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.web.address import Address, ListenError
from fleetpulse.web.server import WebServer
from fleetpulse.web.views import SourceView
from web.house import T0, Hands, House, made_access, serving, source


async def test_a_living_process_says_ok(client: aiohttp.ClientSession) -> None:
    async with serving(House()) as url, client.get(f"{url}/-/healthy") as answer:
        assert (answer.status, await answer.text()) == (200, "fleetpulse is alive\n")


async def test_not_ready_tells_why(client: aiohttp.ClientSession) -> None:
    house = House()
    house.reason = "the journal is being opened"

    async with serving(house) as url:
        async with client.get(f"{url}/-/ready") as before:
            told = (before.status, await before.text())
        house.reason = None
        async with client.get(f"{url}/-/ready") as after:
            assert after.status == 200

    assert told == (503, "the journal is being opened\n")


async def test_sources_are_200_while_all_are_fresh_and_their_keys_good(client: aiohttp.ClientSession) -> None:
    house = House()
    house.known_sources = [source(troubles=(Trouble("deployments", Problem.FAILING, T0, "503"),))]

    async with serving(house) as url, client.get(f"{url}/-/sources") as answer:
        assert answer.status == 200
        assert await answer.json() == {
            "sources": [
                {
                    "name": "edge",
                    "vendor": "jfrog-connect",
                    "status": "degraded",
                    "fresh": True,
                    "stale_after_s": 600.0,
                    "paused": False,
                    "paused_until": None,
                    "credentials": "ok",
                    "credentials_expire": None,
                    "credentials_unreadable": None,
                    "problems": [
                        {
                            "resource": "deployments",
                            "problem": "failing",
                            "since": "2026-03-02T08:00:00Z",
                            "detail": "503",
                        }
                    ],
                    "resources": {
                        "devices": {
                            "last_success": "2026-03-02T08:00:00Z",
                            "interval_s": 60.0,
                            "asked_interval_s": 60.0,
                            "switched_off": False,
                            "progress": None,
                        },
                        "deployments": {
                            "last_success": None,
                            "interval_s": 300.0,
                            "asked_interval_s": 300.0,
                            "switched_off": True,
                            "progress": None,
                        },
                    },
                    "devices": {"online": 417, "offline": 13, "unknown": 0, "missing": 0},
                    "vendors_summary": None,
                }
            ]
        }


@pytest.mark.parametrize(
    ("sick", "credentials"),
    [
        (source("lab", fresh=False), "ok"),
        (source("lab", troubles=(Trouble("devices", Problem.REJECTED, T0),)), "rejected"),
    ],
)
async def test_one_stale_or_rejected_source_makes_it_503(
    client: aiohttp.ClientSession, sick: SourceView, credentials: str
) -> None:
    house = House()
    house.known_sources = [source(), sick]

    async with serving(house) as url, client.get(f"{url}/-/sources") as answer:
        assert answer.status == 503
        assert (await answer.json())["sources"][1]["credentials"] == credentials


async def test_every_answer_is_guarded(client: aiohttp.ClientSession) -> None:
    async with serving(House()) as url:
        for path in ("/", "/metrics", "/-/healthy", "/-/sources", "/nowhere"):
            async with client.get(f"{url}{path}") as answer:
                headers = answer.headers

            assert headers["Server"] == "fleetpulse"
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Content-Security-Policy"].startswith("default-src 'none';")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("POST", "/metrics", 405), ("PUT", "/", 405)]
)
async def test_refusals_are_plain_text(client: aiohttp.ClientSession, method: str, path: str, status: int) -> None:
    async with (
        serving(House()) as url,
        client.request(method, f"{url}{path}", data=b"x" if method != "GET" else None) as answer,
    ):
        assert answer.status == status
        assert answer.content_type == "text/plain"


async def test_a_request_for_reading_brings_no_body(client: aiohttp.ClientSession) -> None:
    async with serving(House()) as url, client.get(f"{url}/-/healthy", data=b"x") as answer:
        assert answer.status == 413


async def test_an_endless_request_line_is_refused(client: aiohttp.ClientSession) -> None:
    async with serving(House()) as url, client.get(f"{url}/{'x' * 5000}") as answer:
        assert answer.status == 400


@pytest.mark.parametrize(
    "sent",
    [
        b"BREW /api/v1/sources HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\nBREW / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
    ],
)
async def test_who_speaks_no_http_is_no_error_of_ours(caplog: pytest.LogCaptureFixture, sent: bytes) -> None:
    caplog.set_level(logging.DEBUG)

    async with serving(House()) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(sent)
        answer = await reader.read()
        writer.close()

    told = [record for record in caplog.records if record.name.startswith(("aiohttp", "fleetpulse"))]
    assert b" 400 " in answer
    assert [(record.levelname, record.exc_info) for record in told] == [("DEBUG", None)]


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready", "/-/sources"])
async def test_head_answers_without_a_body(client: aiohttp.ClientSession, path: str) -> None:
    async with serving(House()) as url, client.head(f"{url}{path}") as answer:
        assert answer.status == 200
        assert int(answer.headers["Content-Length"]) > 0
        assert await answer.read() == b""


async def test_a_bug_in_an_answer_is_logged_and_told_briefly(client: aiohttp.ClientSession) -> None:
    house = House()
    house.known_sources = None  # type: ignore[assignment]  # the bug

    with capture_logs() as logs:
        async with serving(house) as url, client.get(f"{url}/-/sources") as answer:
            assert (answer.status, await answer.text()) == (500, "500: see the log of fleetpulse\n")

    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["a request could not be answered"]


async def test_requests_are_logged_at_debug_alone_and_without_their_query(client: aiohttp.ClientSession) -> None:
    with capture_logs() as logs:
        async with serving(House()) as url, client.get(f"{url}/-/healthy?token=invented") as answer:
            assert answer.status == 200

    assert [(line["log_level"], line["path"], line["status"]) for line in logs] == [("debug", "/-/healthy", 200)]


async def test_a_taken_port_is_told_by_name() -> None:
    async with serving(House()) as url:
        taken = url.removeprefix("http://")

        with pytest.raises(ListenError, match=f"{taken} is taken"):
            async with serving(House(), port=int(taken.rpartition(":")[2])):
                pass


async def test_a_server_stops_twice_and_starts_again(client: aiohttp.ClientSession) -> None:
    server = WebServer(
        address=Address("127.0.0.1", 0),
        views=House(),
        operations=Hands(),
        access=made_access(),
        pages=FleetPages(),
        meters=Meters(version="1"),
        version="1",
        zone=UTC,
    )
    await server.start()
    await server.stop()
    await server.stop()

    async with server, client.get(f"{server.url}/-/healthy") as answer:
        assert answer.status == 200
    await asyncio.sleep(0)
