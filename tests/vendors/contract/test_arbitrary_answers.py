"""Whatever JSON or bytes an endpoint answers: what is documented comes of it, or an error of the closed set."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest_asyncio
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetpulse.simulator import serve
from fleetpulse.vendors.contract import SourceError, Vendor
from vendors.contract.cases import Case, Endpoint
from vendors.contract.conftest import Build
from vendors.contract.secrecy import leaked, told_by
from vendors.contract.spoiling import Spoiler, Truth


def places(document: Any) -> list[tuple[Any, Any]]:
    """Where a value stands in a document: (what holds it, its key or index)."""
    if not isinstance(document, (dict, list)):
        return []
    keys = list(document) if isinstance(document, dict) else range(len(document))
    return [place for key in keys for place in ((document, key), *places(document[key]))]


@dataclass(frozen=True)
class Values:
    """True JSON with other values at some of its places, each told as a share of all."""

    changes: Sequence[tuple[float, object]]
    status: int = 200

    def forged(self, body: bytes) -> bytes:
        document = json.loads(body)
        for at, value in self.changes:
            if found := places(document):
                holder, key = found[int(at * len(found))]
                holder[key] = deepcopy(value)  # or a later change might put it into itself
        return json.dumps(document).encode()


@dataclass(frozen=True)
class Splice:
    """True bytes with others in the place of some."""

    start: float
    end: float
    junk: bytes
    status: int = 200

    def forged(self, body: bytes) -> bytes:
        first, last = sorted((int(self.start * len(body)), int(self.end * len(body))))
        return body[:first] + self.junk + body[last:]


@dataclass(frozen=True)
class Whole:
    """Another body altogether, under any status."""

    body: bytes
    status: int

    def forged(self, _: bytes) -> bytes:
        return self.body


Forgery = Values | Splice | Whole

words = st.sampled_from(
    [
        *("online", "offline", "Failed", "LIVE", "PAUSED-SYS", "Connected", "active", "complete", "true", "0", "none"),
        *("2025-03-02 08:00:04", "0000-00-00 00:00:00", "9999-12-31T23:59:59Z", "Sun, 02 Mar 2025 08:00:04 GMT"),
        *("d-1", "ERROR", "Not logged in", "user_token", "device not found", "https://elsewhere.example/"),
    ]
)
names = st.sampled_from(
    [
        *("data", "devices", "message", "error", "errors", "success", "status", "value", "id", "device_id", "name"),
        *("names", "tags", "active", "cellular", "state", "steps", "stdout", "after", "total", "more", "continues"),
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=3), inner, max_size=5),
    max_leaves=15,
)
statuses = st.sampled_from([200, 200, 200, 204, 302, 400, 403, 404, 410, 422, 429, 500])
places_in = st.floats(0, 1, exclude_max=True)
forgeries = st.one_of(
    st.builds(Values, st.lists(st.tuples(places_in, values), min_size=1, max_size=6)),
    st.builds(Splice, places_in, places_in, st.binary(max_size=20)),
    st.builds(Whole, values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=30), statuses),
)


class Forger:
    """Changes true answers as it was told last."""

    def __init__(self) -> None:
        self.forgery: Forgery = Values(())

    async def spoil(self, _: web.Request, truth: Truth) -> web.StreamResponse:
        return truth.answer(self.forgery.forged(truth.body), status=self.forgery.status)


class Forged(NamedTuple):
    """A forger between clients and a stocked cloud.

    `vendor` makes a client for an endpoint, a new one each time: a 429 silences an account for a minute.
    """

    forger: Forger
    cloud: Any
    vendor: Callable[[Endpoint], Vendor]


@pytest_asyncio.fixture
async def forged(case: Case, client: Build, spoiler: Spoiler) -> AsyncIterator[Forged]:
    forger, cloud = Forger(), case.stocked()
    async with serve(cloud) as url:
        spoiler.upstream, spoiler.spoil = url, forger.spoil
        yield Forged(forger, cloud, lambda endpoint: client(spoiler.at(endpoint)))


@settings(max_examples=40)  # each asks every endpoint
@given(forgery=forgeries)
async def test_an_arbitrary_answer_gives_what_is_documented_or_the_closed_set(
    case: Case, forged: Forged, forgery: Forgery
) -> None:
    forged.forger.forgery = forgery

    for endpoint in case.endpoints:
        try:
            await endpoint.ask(forged.vendor(endpoint), forged.cloud)
        except SourceError as error:
            assert str(error)  # noqa: PT017 - either outcome is right
            assert leaked(told_by(error)) == []  # noqa: PT017 - as above
