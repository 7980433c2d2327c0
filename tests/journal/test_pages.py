"""Transaction 1: the known fleets and the events."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.alerting.state import Judgement
from fleetpulse.fleet.deployment import Deployment, FailedStep, RolloutStatus
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.events import AnyEvent, DeploymentDeviceFailed, DeviceChanged, Problem, SourceDegraded
from fleetpulse.fleet.known import KnownFleet
from fleetpulse.journal.encoding import Encoder
from fleetpulse.journal.entries import PageWrite, StoredEvent, StoredSource, Undecodable
from fleetpulse.journal.errors import JournalCorruptError
from fleetpulse.journal.journal import Journal
from fleetpulse.secrets import REDACTED
from journal.things import AT, Opener, content, device, offline, record, removed, segment

SECRET = 'hook"s3cret'
DEPLOYMENT = Deployment(id="dp-1", devices={"d-1": RolloutStatus.FAILED}, steps=(FailedStep("d-1", "pip", "boom"),))

CHANGED = DeviceChanged(
    source="edge", subject="d-1", seen_at=AT, device=device(2), status=DeviceStatus.ONLINE, before=device(1)
)


async def test_events_come_back_as_they_were_with_rising_ids(journal: Journal) -> None:
    events: list[AnyEvent] = [
        offline(1),
        DeviceChanged(
            source="edge", subject="d-1", seen_at=AT, device=device(2), status=DeviceStatus.ONLINE, before=device(1)
        ),
        DeploymentDeviceFailed(source="edge", subject="dp-1", seen_at=AT, deployment=DEPLOYMENT, devices=("d-1",)),
        SourceDegraded(source="edge", subject="devices", seen_at=AT, since_at=AT, problem=Problem.STALE),
    ]

    ids = await journal.commit_page(PageWrite(source="edge", events=events))
    more = await journal.commit_page(PageWrite(source="edge", events=events[:1]))

    assert (list(ids), list(more)) == ([1, 2, 3, 4], [5])
    assert await journal.events_after(1, limit=3) == [
        StoredEvent(number, event) for number, event in zip((2, 3, 4), events[1:], strict=True)
    ]
    assert await journal.last_event_id() == journal.newest_event_id == 5


async def test_a_page_without_events_takes_no_id(journal: Journal) -> None:
    assert list(await journal.commit_page(PageWrite(source="edge", record=record()))) == []
    assert journal.newest_event_id == 0


async def test_a_source_comes_back_as_it_was_left(opened: Opener) -> None:
    first = await opened()
    await first.commit_page(PageWrite(source="edge", segments={0: segment(1, 2), 1: segment(3)}, record=record()))
    await first.commit_page(
        PageWrite(source="edge", segments={1: segment(3, 4)}, followed={("deployment", "dp-1"): DEPLOYMENT})
    )
    await first.close()

    stored = await (await opened()).load_source("edge")

    fleet = KnownFleet("edge")
    for number, payload in stored.segments.items():
        fleet.load(number, payload)
    assert fleet.segments() == {0: segment(1, 2), 1: segment(3, 4)}
    assert msgspec.msgpack.decode(stored.followed["deployment", "dp-1"], type=Deployment) == DEPLOYMENT
    assert stored.record == record()


async def test_what_is_no_longer_followed_is_deleted(journal: Journal) -> None:
    await journal.commit_page(PageWrite(source="edge", followed={("job", "1"): DEPLOYMENT, ("job", "2"): DEPLOYMENT}))

    await journal.commit_page(PageWrite(source="edge", followed={("job", "1"): None, ("job", "never"): None}))

    assert set((await journal.load_source("edge")).followed) == {("job", "2")}


async def test_a_removed_source_leaves_only_its_events(journal: Journal) -> None:
    for source in ("edge", "lab"):
        await journal.commit_page(
            PageWrite(
                source=source,
                events=[offline(1, source=source)],
                segments={0: segment(1)},
                followed={("job", "1"): DEPLOYMENT},
                record=record(source),
            )
        )

    event_id = await journal.remove_source("edge", removed())

    assert event_id == journal.newest_event_id == 3
    assert await journal.load_source("edge") == StoredSource()
    assert await journal.sources() == ["lab"]
    assert (await journal.events_after(2))[0] == StoredEvent(3, removed())


async def test_a_source_with_no_record_yet_is_listed(journal: Journal) -> None:
    await journal.commit_page(PageWrite(source="edge", segments={0: segment(1)}))

    assert await journal.sources() == ["edge"]


async def test_ids_are_not_used_again_after_everything_was_deleted(opened: Opener) -> None:
    journal = await opened()
    await journal.commit_page(PageWrite(source="edge", events=[offline(1), offline(2)]))
    await pass_all(journal)
    await journal.sweep_out(older_than=AT + timedelta(days=1), max_events=10)
    await journal.close()

    again = await opened()

    assert await again.events_after(0) == []
    assert await again.last_event_id() == 2
    assert list(await again.commit_page(PageWrite(source="edge", events=[offline(3)]))) == [3]


async def pass_all(journal: Journal) -> None:
    await journal.commit_judgement(Judgement(cursor=journal.newest_event_id))


async def test_fifty_thousand_events_are_one_page(journal: Journal) -> None:
    ids = await journal.commit_page(PageWrite(source="edge", events=[offline(number) for number in range(50_000)]))

    assert len(ids) == 50_000
    (last,) = await journal.events_after(49_999)
    assert last == StoredEvent(50_000, offline(49_999))


async def test_an_event_that_cannot_be_read_is_handed_out_as_such(journal: Journal, path: Path) -> None:
    await journal.commit_page(PageWrite(source="edge", events=[offline(1), offline(2), offline(3)]))
    with sqlite3.connect(path) as other:
        other.execute("UPDATE events SET payload = ? WHERE id = 2", (b'{"type":"fleet.from.the.future"}',))
    other.close()

    first, second, third = await journal.events_after(0)

    assert (first, third) == (StoredEvent(1, offline(1)), StoredEvent(3, offline(3)))
    assert isinstance(second, Undecodable)
    assert (second.id, "future" in second.error) == (2, True)


async def test_a_record_that_cannot_be_read_is_named(journal: Journal, path: Path) -> None:
    await journal.commit_page(PageWrite(source="edge", record=record()))
    with sqlite3.connect(path) as other:
        other.execute("UPDATE sources SET payload = ?", (b"\xff",))
    other.close()

    with pytest.raises(JournalCorruptError, match="source edge"):
        await journal.load_source("edge")


async def test_no_secret_is_written_to_the_disk(journal: Journal, path: Path) -> None:
    step = msgspec.structs.replace(DEPLOYMENT, steps=(FailedStep("d-1", "pip", f"GET {SECRET} failed"),))
    event = DeploymentDeviceFailed(source="edge", subject="dp-1", seen_at=AT, deployment=step, devices=("d-1",))
    quiet = [offline(number) for number in range(3)]
    await journal.commit_page(PageWrite(source="edge", events=[*quiet, event], followed={("deployment", "dp-1"): step}))
    await journal.close()

    on_disk = content(path)

    assert b"s3cret" not in on_disk
    assert on_disk.count(f"GET {REDACTED} failed".encode()) == 2


def test_what_a_thing_is_known_by_is_left_as_it_is() -> None:
    event = DeploymentDeviceFailed(
        source="lyon", subject="lyon-1", seen_at=AT, deployment=DEPLOYMENT, devices=("lyon-2",)
    )

    stored = Encoder(lambda text: text.replace("lyon", REDACTED)).json(event)

    assert msgspec.json.decode(stored, type=DeploymentDeviceFailed) == event


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]), min_size=4))
def test_a_secret_anywhere_in_free_text_is_blanked(around: str, secret: str) -> None:
    encoder = Encoder(lambda text: text.replace(secret, REDACTED))
    event = offline(1, name=around + secret + around)

    as_json = msgspec.json.decode(encoder.json(event), type=type(event))
    (many,) = encoder.many([event])
    as_msgpack = msgspec.msgpack.decode(encoder.msgpack(event), type=type(event))

    blanked = (around + secret + around).replace(secret, REDACTED)
    assert as_json.device.name == as_msgpack.device.name == blanked
    assert many == encoder.json(event)
