"""Pages that are committed, so that there is something to publish."""

from datetime import UTC, datetime

from fleetpulse.fleet.device import Device, DeviceStatus
from fleetpulse.fleet.events import DeviceWentOffline
from fleetpulse.journal.entries import PageWrite, StoredEvent
from fleetpulse.journal.journal import Journal

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


async def commit(journal: Journal, number: int) -> list[StoredEvent]:
    """So many events in one page, not yet published."""
    events = [
        DeviceWentOffline(
            source="edge", subject=f"d-{one}", seen_at=AT, device=Device(f"d-{one}"), status=DeviceStatus.OFFLINE
        )
        for one in range(number)
    ]
    ids = await journal.commit_page(PageWrite(source="edge", events=events))
    return [StoredEvent(event_id, event) for event_id, event in zip(ids, events, strict=True)]
