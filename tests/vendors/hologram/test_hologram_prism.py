"""Hologram's bulk jobs, as a mock server tells them that was made from the vendor's own OpenAPI document.

The document is the vendor's and not part of this project: without a copy beside the repository these tests are skipped.
"""

import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio
import yaml
from aiohttp import web
from pydantic import SecretStr

import real_servers
from fleetpulse.fleet.job import BulkJob, JobAction, JobStatus
from fleetpulse.outbound import Account
from fleetpulse.secrets import Redactor, Secret
from fleetpulse.vendors.contract import (
    AnswerInvalid,
    CredentialsRejected,
    Page,
    RateLimited,
    ResourceUnavailable,
    SourceError,
)
from fleetpulse.vendors.hologram import Hologram, HologramSettings

VENDOR_DOCS: Final = real_servers.TOOLS.parents[1] / "shared" / "vendor-docs"
OPENAPI: Final = re.compile(
    r"^````yaml \S+openapi\.yaml get /devices/batch/state\n(.*?)^````$", re.DOTALL | re.MULTILINE
)
TOO_MANY: Final = re.compile(r"HTTP 429 response.*?```(.*?)```", re.DOTALL)
EXAMPLE_TIME: Final = datetime(2019, 8, 24, 14, 15, 22, tzinfo=UTC)  # prism's own, for every date-time
Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
Walk = Callable[..., Awaitable[list[Page[BulkJob]]]]


def document() -> dict[str, Any]:
    """The vendor's document, and in it as a response what its prose says of 429; skips where there is none."""
    for path in sorted(VENDOR_DOCS.glob("*.txt")):
        found = OPENAPI.search(path.read_text(encoding="utf-8"))
        if found is not None:
            described: dict[str, Any] = yaml.safe_load(found[1])
            limited = TOO_MANY.search(described["info"]["description"])
            assert limited is not None
            responses = described["paths"]["/devices/batch/state"]["get"]["responses"]
            content = {"application/json": {"example": json.loads(limited[1])}}
            responses["429"] = {"description": "API rate limit exceeded", "content": content}
            return described
    pytest.skip("the vendor's OpenAPI document of /devices/batch/state is not here")


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("prism")
    written = folder / "openapi.json"
    written.write_text(json.dumps(document()))
    try:
        with real_servers.prism(folder, document=written) as url:
            yield url
    except real_servers.MissingProgramError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest_asyncio.fixture
async def walk(
    prism: str, account: Callable[[str], Account], redactor: Redactor, http_server: Http
) -> AsyncIterator[Walk]:
    """Walks the bulk jobs of the mock server, through a relay that tells it which of its answers is wanted."""
    async with aiohttp.ClientSession() as session:

        async def make(*, prefer: str = "", key: bool = True, **more: Any) -> list[Page[BulkJob]]:
            async def relay(request: web.Request) -> web.Response:
                kept = {name: request.headers[name] for name in ("Authorization", "Accept")} if key else {}
                headers = kept | ({"Prefer": prefer} if prefer else {})
                async with session.get(prism + request.path_qs, headers=headers) as answer:
                    body = await answer.read()
                    return web.Response(status=answer.status, body=body, content_type=answer.content_type)

            url = await http_server(relay)
            given = {"name": "sims", "api_key": "demo-key", "base_url": url} | more
            secret = Secret(value=SecretStr("demo-key"), redactor=redactor)
            vendor = Hologram(HologramSettings.model_validate(given), account=account(url), secret=secret)
            return [page async for page in vendor.jobs("jobs")]

        yield make


async def test_the_documented_answer_is_a_job_in_our_words(walk: Walk) -> None:
    [page] = await walk()

    assert page.items == [
        BulkJob(
            id="0",
            action=JobAction.OTHER,
            status=JobStatus.UNKNOWN,  # the word is no word, and there is an end
            word="string",
            started_at=EXAMPLE_TIME,
            ended_at=EXAMPLE_TIME,
            requester="string string (string)",
            origin="string",
        )
    ]
    assert (page.total, page.odd, page.resume, page.guarded) == (0, 0, None, "")


@pytest.mark.parametrize("_", range(10))
async def test_every_answer_that_the_schema_allows_is_read_or_says_no(walk: Walk, _: int) -> None:
    try:
        pages = await walk(prefer="dynamic=true")
    except AnswerInvalid as error:
        assert "answers unexpectedly (200)" in str(error)  # noqa: PT017 - `success` is false in half of them
    else:
        assert {page.odd for page in pages} == {0}


async def test_the_organisation_is_asked_for_as_documented(walk: Walk) -> None:
    [page] = await walk(org_id=9001)

    assert len(page.items) == 1


@pytest.mark.parametrize(
    ("code", "error", "text"),
    [
        (400, AnswerInvalid, "answers unexpectedly (400)"),
        (401, CredentialsRejected, "rejects the credentials (401)"),
        (403, ResourceUnavailable, "plan lacks activity history"),
        (429, RateLimited, '(429): "API rate limit exceeded"'),
    ],
)
async def test_each_documented_refusal_has_its_meaning(
    walk: Walk, code: int, error: type[SourceError], text: str
) -> None:
    with pytest.raises(error) as raised:
        await walk(prefer=f"code={code}")

    assert type(raised.value) is error
    assert text in str(raised.value)


async def test_a_request_without_the_documented_credentials_would_be_refused(walk: Walk) -> None:
    with pytest.raises(CredentialsRejected):
        await walk(key=False)
