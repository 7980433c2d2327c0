"""Answers that go on for minutes: nobody thinks them dead, and who no longer reads them ends them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from fleetpulse import clock
from fleetpulse.service.failures import DoneBadlyError
from fleetpulse.service.remote import Place, connected
from fleetpulse.web.api.streaming import BEAT_S, SLOWEST_WRITE_S
from fleetpulse.web.operations import VendorFailedError
from web.house import TOKEN, Hands, House, Step, known, serving, source

TENTH_TURN_S = 200.0  # a guest's, where a budget of 3 a minute is used up by pollers


class Chapter(msgspec.Struct):
    text: str


def house() -> House:
    made = House()
    made.known_sources, made.known_fleets = [source("edge")], [known("edge")]
    return made


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    return file


async def late() -> AsyncIterator[msgspec.Struct]:
    for number in (1, 2):
        await asyncio.sleep(TENTH_TURN_S)
        yield Step(number)


async def test_a_survey_may_wait_for_each_of_its_turns_as_long_as_it_takes(token: Path) -> None:
    hands = Hands()
    hands.steps = late()

    async with (
        serving(house(), hands=hands) as url,
        connected(Place(url=url, token_file=token)) as remote,
        aclosing(remote.lines("sources", "edge", "sweep")) as lines,
    ):
        told = [msgspec.json.decode(line)["number"] async for line in lines]

    assert told == [1, 2, 0]


async def test_a_device_may_be_waited_for_as_long_as_it_takes(token: Path) -> None:
    hands = Hands()
    hands.wait_s = TENTH_TURN_S

    async with serving(house(), hands=hands) as url, connected(Place(url=url, token_file=token)) as remote:
        row = await remote.ask("devices", "edge", "d-1", "ask")

    assert row["id"] == "d-1"


async def test_a_vendor_that_fails_after_a_long_wait_is_told(token: Path) -> None:
    hands = Hands()
    hands.wait_s, hands.fail = TENTH_TURN_S, VendorFailedError("it gave no answer")

    async with serving(house(), hands=hands) as url, connected(Place(url=url, token_file=token)) as remote:
        with pytest.raises(DoneBadlyError, match="it gave no answer"):
            await remote.ask("devices", "edge", "d-1", "ask")


async def test_nothing_is_silent_for_longer_than_a_beat() -> None:
    hands, gaps = Hands(), []
    hands.steps = late()

    async with serving(house(), hands=hands) as url:
        reader, writer = await posted(url)
        before = clock.monotonic()
        while piece := await reader.read(1024):
            gaps.append(clock.monotonic() - before)
            before = clock.monotonic()
            if b'"number":0' in piece:
                break
        writer.close()

    assert len(gaps) > 2 * TENTH_TURN_S / BEAT_S
    assert max(gaps) < BEAT_S + 1


async def test_who_reads_no_more_ends_the_survey() -> None:
    hands = Hands()

    async def chapters() -> AsyncIterator[msgspec.Struct]:
        while True:
            yield Chapter("x" * 1_000_000)

    hands.steps = chapters()
    async with serving(house(), hands=hands) as url:
        began = clock.monotonic()
        _, writer = await posted(url, limit=1)
        await hands.ended.wait()
        took_s = clock.monotonic() - began
        writer.close()

    assert SLOWEST_WRITE_S <= took_s < 2 * SLOWEST_WRITE_S


async def posted(url: str, *, limit: int = 2**16) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A survey asked for by hand, its answer unread."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=limit)
    writer.write(
        f"POST /api/v1/sources/edge/sweep HTTP/1.1\r\nHost: {place.netloc}\r\n"
        f"Authorization: Bearer {TOKEN}\r\n\r\n".encode()
    )
    return reader, writer
