import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetpulse.fleet.deployment import Deployment, DeploymentStatus, FailedStep, RolloutStatus
from fleetpulse.fleet.device import DeviceStatus, KnownDevice
from fleetpulse.fleet.job import BulkJob, JobAction, JobStatus
from fleetpulse.fleet.known import KnownFleet, Segment
from fleetpulse.web.api.questions import MOST_ROWS
from fleetpulse.web.api.routes import SEARCHES_AT_ONCE
from fleetpulse.web.operations import NotWatchedError, RefusedError, VendorFailedError
from fleetpulse.web.server import LARGEST_BODY_BYTES
from web.house import BEARER, T0, Hands, House, Step, follow, known, meet, run_jobs, serving, sighting, source

OFFLINE, ONLINE = DeviceStatus.OFFLINE, DeviceStatus.ONLINE


def house() -> House:
    made = House()
    made.known_sources = [source("edge"), source("lab")]
    edge, lab = known("edge"), known("lab", fresh=False)
    meet(
        edge.fleet,
        sighting("d-1", OFFLINE, name="Gate-1", group="Lyon", tags=("roof", "lab")),
        sighting("d-2", name="gate-2", group="Lyon"),
        sighting("d-3", name="pump", group="Nantes"),
    )
    meet(lab.fleet, sighting("d-1", name="twin"))
    follow(
        edge.deployments,
        Deployment(
            id="dp-1",
            name="nightly",
            created_at=T0,
            devices={"d-1": RolloutStatus.FAILED, "d-9": RolloutStatus.FAILED, "d-2": RolloutStatus.SUCCEEDED},
            steps=(FailedStep("d-1", "install", "disk full"),),
            status=DeploymentStatus.PARTIAL,
            contradicted={"d-2": "7.1"},
        ),
        Deployment(id="dp-2", created_at=T0 + timedelta(hours=1)),
        Deployment(id="dp-3"),
    )
    run_jobs(lab.jobs, BulkJob(id="j-1", action=JobAction.PAUSE, status=JobStatus.FAILED, device_count=3))
    made.known_fleets = [edge, lab]
    return made


async def asked(client: aiohttp.ClientSession, path: str, *, of: House | None = None) -> tuple[int, Any]:
    async with serving(of or house()) as url, client.get(f"{url}/api/v1/{path}") as answer:
        assert answer.content_type == "application/json"
        return answer.status, await answer.json()


async def found(client: aiohttp.ClientSession, path: str) -> list[str]:
    status, document = await asked(client, path)
    assert status == 200, document
    key = path.partition("?")[0]
    return [f"{row['source']}/{row['id']}" for row in document[key]]


async def test_sources_are_listed_and_shown_as_the_uptime_page_tells_them(client: aiohttp.ClientSession) -> None:
    async with serving(house()) as url:
        async with client.get(f"{url}/-/sources") as page:
            rows = (await page.json())["sources"]
        async with client.get(f"{url}/api/v1/sources") as listed:
            assert (await listed.json())["sources"] == rows
        async with client.get(f"{url}/api/v1/sources/lab") as shown:
            assert await shown.json() == rows[1]


@pytest.mark.parametrize(
    ("query", "devices"),
    [
        ("", ["edge/d-1", "edge/d-2", "edge/d-3", "lab/d-1"]),
        ("?source=edge", ["edge/d-1", "edge/d-2", "edge/d-3"]),
        ("?status=offline", ["edge/d-1"]),
        ("?group=Lyon", ["edge/d-1", "edge/d-2"]),
        ("?tag=roof", ["edge/d-1"]),
        ("?tag=roo", []),
        ("?q=GATE", ["edge/d-1", "edge/d-2"]),
        ("?q=d-3", ["edge/d-3"]),
        ("?name=gate-2", ["edge/d-2"]),
        ("?name=d-1", ["edge/d-1", "lab/d-1"]),
        ("?name=gate", []),
        ("?group=Lyon&status=online&q=gate", ["edge/d-2"]),
    ],
)
async def test_devices_are_filtered(client: aiohttp.ClientSession, query: str, devices: list[str]) -> None:
    assert await found(client, f"devices{query}") == devices


async def test_a_device_is_shown_with_all_that_is_known_of_it(client: aiohttp.ClientSession) -> None:
    status, row = await asked(client, "devices/edge/d-1")

    assert status == 200
    assert row == {
        "source": "edge",
        "vendor": "jfrog-connect",
        "id": "d-1",
        "name": "Gate-1",
        "group": "Lyon",
        "tags": ["roof", "lab"],
        "model": "",
        "version": "",
        "address": "",
        "sim": None,
        "status": "offline",
        "since": "2026-03-02T08:00:00Z",
        "last_seen": None,
        "stale": False,
    }


async def test_what_a_stale_source_knows_is_told_as_stale(client: aiohttp.ClientSession) -> None:
    _, row = await asked(client, "devices/lab/d-1")

    assert row["stale"] is True


async def test_an_id_may_hold_what_means_something_in_a_path(client: aiohttp.ClientSession) -> None:
    made = House()
    made.known_sources, edge = [source("edge")], known("edge")
    meet(edge.fleet, sighting("a/b c?%/ask"))
    made.known_fleets = [edge]

    status, row = await asked(client, "devices/edge/a%2Fb%20c%3F%25%2Fask", of=made)

    assert (status, row["id"]) == (200, "a/b c?%/ask")


async def test_pages_of_devices_join_to_the_whole(client: aiohttp.ClientSession) -> None:
    made = House()
    made.known_sources = [source("b"), source("a")]
    made.known_fleets = [known("b"), known("a")]
    for each in made.known_fleets:
        meet(each.fleet, *(sighting(f"d-{number}") for number in range(1250)))

    walked: list[str] = []
    async with serving(made) as url:
        after: str | None = ""
        while after is not None:
            async with client.get(f"{url}/api/v1/devices", params={"limit": "999", "after": after}) as answer:
                page = await answer.json()
            walked += [f"{row['source']}/{row['id']}" for row in page["devices"]]
            after = page["next"]

    assert len(walked) == len(set(walked)) == 2500


async def test_a_listing_misses_nobody_who_is_there_all_the_while(client: aiohttp.ClientSession) -> None:
    made, edge = House(), known("edge")
    made.known_sources, made.known_fleets = [source("edge")], [edge]
    meet(edge.fleet, *(sighting(f"d-{number}") for number in range(20)))

    walked: list[str] = []
    async with serving(made) as url:
        after: str | None = ""
        while after is not None:
            async with client.get(f"{url}/api/v1/devices", params={"limit": "3", "after": after}) as answer:
                page = await answer.json()
            walked += [row["id"] for row in page["devices"]]
            after = page["next"]
            forget(edge.fleet, walked[-1])  # the very device that the cursor names

    assert sorted(walked) == sorted(f"d-{number}" for number in range(20))


def forget(fleet: KnownFleet, device: str) -> None:
    number = fleet.segment_of(device)
    assert number is not None
    rest = [each for id_, each in fleet.segments()[number].items() if id_ != device]
    fleet.load(number, msgspec.msgpack.encode(rest))


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("?group=lyon", "no group 'lyon'; groups: Lyon, Nantes"),
        ("?tag=roo&group=Lyon", "no tag 'roo'; tags: lab, roof"),
        ("?group=Lyon&status=missing", None),
        ("?group=Lyon", None),
        ("?source=lab&group=Lyon", "no group 'Lyon'; groups: none"),
        ("?group=%ED%A0%80", "no group '\\ufffd\\ufffd\\ufffd'; groups: Lyon, Nantes"),
    ],
)
async def test_who_asks_for_a_group_or_tag_that_none_has_is_told_which_there_are(
    client: aiohttp.ClientSession, query: str, hint: str | None
) -> None:
    status, document = await asked(client, f"devices{query}")

    assert status == 200
    assert document.get("hint") == hint


@pytest.mark.parametrize("path", ["", "/"])
async def test_the_api_lists_what_there_is(client: aiohttp.ClientSession, path: str) -> None:
    async with serving(house()) as url, client.get(f"{url}/api/v1{path}") as answer:
        paths = (await answer.json())["paths"]

    assert "GET /api/v1/devices" in paths
    assert "POST /api/v1/devices/SOURCE/ID/ask" in paths


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("devices?stauts=offline", 400, "no parameter 'stauts', did you mean status?"),
        ("devices?status=on", 400, "status must be one of online, offline, unknown, missing, not 'on'"),
        ("devices?status=online&status=offline", 400, "status is given more than once"),
        ("devices?source=edgy", 400, "no source is called 'edgy'; the service has edge, lab"),
        ("devices?group=", 400, "group is empty: leave it out, or say which"),
        ("jobs?name=", 400, "name is empty"),
        ("devices?limit=0", 400, "limit must be a whole number from 1 to 1000"),
        (f"devices?limit={MOST_ROWS + 1}", 400, "limit must be"),
        ("devices?limit=%D9%A1", 400, "limit must be"),
        (f"devices?limit={'9' * 3000}", 400, "limit is longer"),
        ("devices?after=nonsense", 400, "after is no cursor"),
        ("devices?after=WyJlZGdlIiwiMSIsMl0=", 400, "after is no cursor"),
        (f"devices?q={'x' * 201}", 400, "q is longer than 200 characters"),
        ("deployments?status=done", 400, "status must be one of running, succeeded"),
        ("jobs?status=done", 400, "status must be one of running, succeeded"),
        ("sources?x=1", 400, "no parameter 'x'"),
        ("sources/edgy", 404, "no source is called 'edgy'; the service has edge, lab"),
        ("devices/edgy/d-1", 404, "no source is called 'edgy'"),
        ("devices/edge/d-99", 404, "edge knows no device 'd-99'"),
        ("deployments/edge/dp-99", 404, "edge knows no deployment 'dp-99'"),
        ("jobs/lab/j-99", 404, "lab knows no job 'j-99'"),
        ("nowhere", 404, "the API begins at /api/v1/"),
        ("sources/edge/retry", 405, "POST"),
    ],
)
async def test_what_cannot_be_answered_is_told_in_json(
    client: aiohttp.ClientSession, path: str, status: int, words: str
) -> None:
    got, document = await asked(client, path)

    assert got == status
    assert words in document["error"]
    assert list(document) == ["error"]


@settings(max_examples=30)
@given(name=st.sampled_from(["source", "status", "group", "tag", "q", "name", "limit", "after"]), text=st.text())
async def test_no_query_is_a_crash(name: str, text: str) -> None:
    escaped = text.encode("utf-8", "surrogatepass")
    query = "".join(f"%{byte:02X}" for byte in escaped)[:3000]

    async with (
        serving(house()) as url,
        aiohttp.ClientSession() as session,
        session.get(_raw(f"{url}/api/v1/devices?{name}={query}")) as answer,
    ):
        assert answer.status in {200, 400}
        assert await answer.json()


def _raw(url: str) -> Any:
    from yarl import URL  # noqa: PLC0415 - aiohttp's own, to send bytes that it would mend

    return URL(url, encoded=True)


async def test_a_whole_fleet_is_searched_while_the_loop_turns(client: aiohttp.ClientSession) -> None:
    made, edge = House(), known("edge")
    made.known_sources, made.known_fleets = [source("edge")], [edge]
    for start in range(0, 100_000, 1000):
        meet(edge.fleet, *(sighting(f"d-{number}", name=f"gate-{number}") for number in range(start, start + 1000)))
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    async with serving(made) as url:
        turning = asyncio.ensure_future(turn())
        before = turns
        async with client.get(f"{url}/api/v1/devices?q=nobody") as answer:
            assert (await answer.json()) == {"devices": [], "next": None}
        turning.cancel()

    assert turns - before > 2


class Slow(Mapping[str, KnownDevice]):
    """A segment so large that whoever looks through it is still at it when the test goes on."""

    def __init__(self) -> None:
        self.begun = 0
        self.begins = threading.Semaphore(0)
        self.go_on = threading.Event()

    def __iter__(self) -> Iterator[str]:
        self.begun += 1
        self.begins.release()
        self.go_on.wait(10)
        return iter(())

    def __getitem__(self, key: str) -> KnownDevice:
        raise KeyError(key)

    def __len__(self) -> int:
        return 0


class SlowFleet(KnownFleet):
    """Has such a segment."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.segment = Slow()

    def segments(self) -> Mapping[int, Segment]:
        return {0: self.segment}


async def test_searches_of_those_who_hung_up_count_until_they_end(client: aiohttp.ClientSession) -> None:
    made, fleet = House(), SlowFleet("edge")
    made.known_sources = [source("edge")]
    made.known_fleets = [msgspec.structs.replace(known("edge"), fleet=fleet)]

    async with serving(made) as url:
        for _ in range(SEARCHES_AT_ONCE):
            asking = asyncio.create_task(client.get(f"{url}/api/v1/devices"))
            await asyncio.to_thread(fleet.segment.begins.acquire)
            asking.cancel()
        later = asyncio.create_task(client.get(f"{url}/api/v1/devices"))
        await asyncio.sleep(0.2)
        begun = fleet.segment.begun
        fleet.segment.go_on.set()
        answer = await later

    assert begun == SEARCHES_AT_ONCE
    assert answer.status == 200


async def test_deployments_come_youngest_first_with_their_devices_counted(client: aiohttp.ClientSession) -> None:
    status, document = await asked(client, "deployments")

    assert status == 200
    assert [row["id"] for row in document["deployments"]] == ["dp-2", "dp-1", "dp-3"]
    assert document["deployments"][1]["devices"] == {"succeeded": 1, "failed": 2}
    assert document["next"] is None


async def test_pages_of_deployments_join_to_the_whole(client: aiohttp.ClientSession) -> None:
    walked: list[str] = []

    async with serving(house()) as url:
        after: str | None = ""
        while after is not None:
            async with client.get(f"{url}/api/v1/deployments", params={"limit": "1", "after": after}) as answer:
                page = await answer.json()
            walked += [row["id"] for row in page["deployments"]]
            after = page["next"]

    assert walked == ["dp-2", "dp-1", "dp-3"]


async def test_a_deployment_names_whom_it_failed_on_and_why(client: aiohttp.ClientSession) -> None:
    _, row = await asked(client, "deployments/edge/dp-1")

    assert row["failed"] == [
        {"id": "d-1", "name": "Gate-1", "status": "offline"},
        {"id": "d-9", "name": "", "status": None},
    ]
    assert row["steps"] == [{"device": "d-1", "name": "install", "output": "disk full"}]
    assert row["contradicted"] == {"d-2": "7.1"}


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("deployments?status=partial", ["edge/dp-1"]),
        ("deployments?name=nightly", ["edge/dp-1"]),
        ("deployments?source=lab", []),
        ("jobs", ["lab/j-1"]),
        ("jobs?status=running", []),
        ("jobs?name=j-1", ["lab/j-1"]),
    ],
)
async def test_deployments_and_jobs_are_filtered(client: aiohttp.ClientSession, path: str, ids: list[str]) -> None:
    assert await found(client, path) == ids


async def test_a_job_is_shown(client: aiohttp.ClientSession) -> None:
    status, row = await asked(client, "jobs/lab/j-1")

    assert status == 200
    assert (row["action"], row["status"], row["devices"], row["stale"]) == ("pause", "failed", 3, True)


@pytest.mark.parametrize(
    ("path", "body", "done"),
    [
        ("sources/edge/retry", None, ("retry", "edge")),
        ("sources/edge/pause", None, ("pause", "edge", None)),
        ("sources/edge/pause", b"{}", ("pause", "edge", None)),
        ("sources/edge/pause", b'{"for": "2h"}', ("pause", "edge", timedelta(hours=2))),
        ("sources/edge/resume", None, ("resume", "edge")),
        ("sources/lab/accept", None, ("accept", "lab")),
        ("devices/edge/d-1/ask", None, ("ask", "edge", "d-1")),
        ("devices/edge/a%2Fb/ask", None, ("ask", "edge", "a/b")),
    ],
)
async def test_what_people_want_done_is_done(
    client: aiohttp.ClientSession, path: str, body: bytes | None, done: tuple[object, ...]
) -> None:
    hands = Hands()

    async with (
        serving(house(), hands=hands) as url,
        client.post(f"{url}/api/v1/{path}", data=body, headers=BEARER) as answer,
    ):
        assert answer.status == 200

    assert hands.done == [done]


@pytest.mark.parametrize(
    "body",
    [
        b'{"for": "soon"}',
        b'{"for": "0s"}',
        b'{"for": "2y"}',
        b'{"for": 3}',
        b'{"four": "2h"}',
        b'{"for": "\\ud800"}',
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"for": "' + b"9" * 10_000 + b's"}',
        b"[" * 50_000,
    ],
)
async def test_a_pause_that_means_nothing_is_refused(client: aiohttp.ClientSession, body: bytes) -> None:
    hands = Hands()

    async with (
        serving(house(), hands=hands) as url,
        client.post(f"{url}/api/v1/sources/edge/pause", data=body, headers=BEARER) as answer,
    ):
        assert answer.status == 400
        assert (await answer.json())["error"]

    assert hands.done == []


async def test_a_large_body_is_refused(client: aiohttp.ClientSession) -> None:
    body = b" " * (LARGEST_BODY_BYTES + 1)

    async with (
        serving(house()) as url,
        client.post(f"{url}/api/v1/sources/edge/pause", data=body, headers=BEARER) as answer,
    ):
        assert answer.status == 413
        assert (await answer.json())["error"] == "the body is too large"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotWatchedError("it is disabled"), 404),
        (RefusedError("one at a time"), 409),
    ],
)
async def test_what_cannot_be_done_is_told(client: aiohttp.ClientSession, error: Exception, status: int) -> None:
    hands = Hands()
    hands.refuse = error
    answers = []

    async with serving(house(), hands=hands) as url:
        for path in ("sources/edge/retry", "devices/edge/d-1/ask", "sources/edge/sweep"):
            async with client.post(f"{url}/api/v1/{path}", headers=BEARER) as answer:
                answers.append((answer.status, await answer.json()))

    assert answers == [(status, {"error": str(error)})] * 3


@pytest.mark.parametrize("error", [VendorFailedError("it gave no answer"), RefusedError("it is paused")])
@pytest.mark.parametrize("path", ["devices/edge/d-1/ask", "sources/edge/sweep"])
async def test_what_fails_later_on_is_told_as_the_last_line(
    client: aiohttp.ClientSession, path: str, error: Exception
) -> None:
    hands = Hands()
    hands.fail = error

    async with (
        serving(house(), hands=hands) as url,
        client.post(f"{url}/api/v1/{path}", headers=BEARER) as answer,
    ):
        told = await answer.text()

    assert answer.status == 200
    assert json.loads(told) == {"error": str(error)}
    assert told.endswith("\n")


async def test_a_device_that_was_asked_for_comes_as_a_line(client: aiohttp.ClientSession) -> None:
    async with (
        serving(house()) as url,
        client.post(f"{url}/api/v1/devices/edge/d-1/ask", headers=BEARER) as answer,
    ):
        told = json.loads(await answer.text())

    assert (told["source"], told["id"], told["status"]) == ("edge", "d-1", "online")


async def test_a_mistake_of_ours_is_told_in_json_without_its_words(client: aiohttp.ClientSession) -> None:
    hands = Hands()
    hands.refuse = ZeroDivisionError("invented-detail")

    async with (
        serving(house(), hands=hands) as url,
        client.post(f"{url}/api/v1/sources/edge/retry", headers=BEARER) as answer,
    ):
        assert answer.status == 500
        assert (await answer.json())["error"] == "a mistake of fleetpulse; its log has more"


@pytest.mark.parametrize("depth", ["sweep", "probe"])
async def test_a_survey_is_answered_line_by_line(client: aiohttp.ClientSession, depth: str) -> None:
    hands, gate = Hands(), asyncio.Event()

    async def steps() -> AsyncIterator[msgspec.Struct]:
        await gate.wait()
        yield Step(1)
        yield Step(2)

    hands.steps = steps()
    async with (
        serving(house(), hands=hands) as url,
        client.post(f"{url}/api/v1/sources/edge/{depth}", headers=BEARER) as answer,
    ):
        first = await answer.content.readline()
        gate.set()
        rest = await answer.read()

    assert first == b"\n"  # the answer begins before there is anything to tell
    assert [json.loads(line)["number"] for line in rest.splitlines()] == [1, 2, 0]
    assert hands.closed == 1


async def test_who_hangs_up_ends_the_survey(client: aiohttp.ClientSession) -> None:
    hands = Hands()

    async def steps() -> AsyncIterator[msgspec.Struct]:
        yield Step(1)
        await asyncio.Event().wait()

    hands.steps = steps()
    async with serving(house(), hands=hands) as url:
        async with client.post(f"{url}/api/v1/sources/edge/sweep", headers=BEARER) as answer:
            await answer.content.readline()
            answer.close()
        async with asyncio.timeout(5):
            await hands.ended.wait()

    assert hands.closed == 1
