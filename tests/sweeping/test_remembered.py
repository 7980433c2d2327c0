"""What a start takes up from the journal, and what it forgets."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from fleetpulse.eventqueue.eventqueue import EventQueue
from fleetpulse.fleet.device import Device, DeviceStatus, KnownDevice, Sighting
from fleetpulse.fleet.job import BulkJob
from fleetpulse.fleet.jobs import FollowedJob
from fleetpulse.fleet.source import SourceRecord
from fleetpulse.fleet.walk import Walk
from fleetpulse.journal.entries import PageWrite, StoredEvent
from fleetpulse.journal.errors import JournalCorruptError
from fleetpulse.journal.journal import Journal
from fleetpulse.sweeping.remembered import load, remove_others

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest_asyncio.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await Journal.open(f"sqlite:///{tmp_path / 'fleetpulse.db'}", redact=str)
    yield opened
    await opened.close()


async def keep(journal: Journal, source: str, vendor: str) -> None:
    known = KnownDevice(Device("d-1"), DeviceStatus.ONLINE, T0)
    await journal.commit_page(
        PageWrite(
            source=source,
            segments={0: {"d-1": known}},
            followed={("job", "41"): FollowedJob(job=BulkJob(id="41"), first_seen_at=T0)},
            record=SourceRecord(source, vendor, good_at={"devices": T0}),
        )
    )


async def test_all_that_was_kept_is_known_again(journal: Journal) -> None:
    await keep(journal, "edge-prod", "jfrog-connect")

    remembered = await load(journal, "edge-prod", vendor="jfrog-connect", scope="a")

    assert remembered.fleet.device("d-1") == KnownDevice(Device("d-1"), DeviceStatus.ONLINE, T0)
    assert remembered.jobs.job("41") == BulkJob(id="41")
    assert remembered.record.good_at == {"devices": T0}


@pytest.mark.parametrize(("was", "baselined"), [("", True), ("a", True), ("b", False)])
async def test_a_source_that_looks_elsewhere_begins_with_a_baseline(
    journal: Journal, was: str, baselined: bool
) -> None:
    await keep(journal, "edge-prod", "jfrog-connect")
    record = SourceRecord("edge-prod", "jfrog-connect", baselined_at={"devices": T0}, scope=was)
    await journal.commit_page(PageWrite(source="edge-prod", record=record))

    remembered = await load(journal, "edge-prod", vendor="jfrog-connect", scope="a")

    assert ("devices" in remembered.record.baselined_at) is baselined
    assert remembered.record.scope == "a"


async def test_a_restart_before_that_baseline_still_knows_who_was_known(journal: Journal) -> None:
    await keep(journal, "edge-prod", "jfrog-connect")
    record = SourceRecord("edge-prod", "jfrog-connect", scope="a", rescoped=("devices",))
    await journal.commit_page(PageWrite(source="edge-prod", record=record))
    fleet = (await load(journal, "edge-prod", vendor="jfrog-connect", scope="a")).fleet
    walk = Walk(started_at=T0, baseline=True)

    changes = fleet.compare([Sighting(Device("d-1"), DeviceStatus.OFFLINE)], walk=walk, seen_at=T0)

    assert [event.type for event in changes.events] == ["fleet.device.went_offline"]


async def test_of_a_new_source_there_is_an_empty_record(journal: Journal) -> None:
    remembered = await load(journal, "edge-prod", vendor="jfrog-connect", scope="a")

    assert remembered.record == SourceRecord("edge-prod", "jfrog-connect", scope="a")
    assert len(remembered.fleet) == len(remembered.jobs) == len(remembered.deployments) == 0


async def test_what_cannot_be_read_ends_the_start(journal: Journal) -> None:
    await journal.commit_page(PageWrite(source="edge-prod", followed={("job", "41"): BulkJob(id="41")}))

    with pytest.raises(JournalCorruptError, match="job 41 of edge-prod"):
        await load(journal, "edge-prod", vendor="jfrog-connect", scope="a")


async def test_sources_no_longer_configured_and_those_of_another_vendor_are_removed(journal: Journal) -> None:
    queue = EventQueue(journal)
    for source, vendor in (("stays", "jfrog-connect"), ("left", "jfrog-connect"), ("swapped", "jfrog-connect")):
        await keep(journal, source, vendor)

    removed = await remove_others(
        journal, queue, configured={"stays": "jfrog-connect", "swapped": "hologram", "new": "hologram"}
    )

    stored = [event for event in await journal.events_after(0) if isinstance(event, StoredEvent)]
    assert removed == ["left", "swapped"]
    assert [(each.event.type, each.event.source) for each in stored] == [
        ("fleet.source.removed", "left"),
        ("fleet.source.removed", "swapped"),
    ]
    assert await journal.sources() == ["stays"]
    assert queue.published == stored[-1].id
