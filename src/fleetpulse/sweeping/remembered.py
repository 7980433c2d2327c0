"""What the journal remembers of sources, taken up at the start."""

from collections.abc import Collection, Mapping
from datetime import timedelta

import msgspec

from fleetpulse import clock
from fleetpulse.eventqueue.eventqueue import EventQueue
from fleetpulse.fleet.deployments import KnownDeployments
from fleetpulse.fleet.events import SourceRemoved
from fleetpulse.fleet.jobs import KnownJobs
from fleetpulse.fleet.known import Changes, KnownFleet
from fleetpulse.fleet.source import SourceRecord, rescoped
from fleetpulse.fleet.tunnels import KnownTunnels
from fleetpulse.journal.entries import StoredEvent
from fleetpulse.journal.errors import JournalCorruptError
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.sweeping import deployments, jobs, tunnels
from fleetpulse.vendors.contract import Kind


class Remembered(msgspec.Struct, frozen=True):
    """All that is known of one source before its first sweep."""

    record: SourceRecord
    fleet: KnownFleet
    deployments: KnownDeployments
    jobs: KnownJobs
    tunnels: KnownTunnels


async def load(journal: Journal, source: str, *, vendor: str, scope: str) -> Remembered:
    """Read what is kept of a source; of a new one there is an empty record. `remove_others` comes before it.

    A source whose scope differs from the one of its record begins with a baseline again; of a record of before there
    were scopes it is taken as the same.

    Errors: those of the journal; JournalCorruptError where a segment or a followed thing cannot be read.
    """
    stored = await journal.load_source(source)
    fleet, known_tunnels = KnownFleet(source), KnownTunnels(source)
    known_deployments, known_jobs = KnownDeployments(source), KnownJobs(source)
    record = stored.record or SourceRecord(source, vendor, scope=scope)
    try:
        for number, payload in sorted(stored.segments.items()):
            fleet.load(number, payload)
        for word, known in (
            (deployments.KIND, known_deployments),
            (jobs.KIND, known_jobs),
            (tunnels.KIND, known_tunnels),
        ):
            known.load({id_: payload for (kind, id_), payload in stored.followed.items() if kind == word})
    except ValueError as error:
        raise JournalCorruptError(str(error)) from error
    if not record.scope:
        record = msgspec.structs.replace(record, scope=scope)
    elif record.scope != scope:
        record = rescoped(record, scope)
    if record.rescoped:
        fleet.rescope()
    return Remembered(record, fleet, known_deployments, known_jobs, known_tunnels)


def show(remembered: Remembered, pages: FleetPages, *, kinds: Collection[Kind], finished_for: timedelta) -> None:
    """Have what is remembered of these kinds rendered as it was before the restart."""
    now, source = clock.now(), remembered.record.source
    changes = Changes(segments=remembered.fleet.segments())
    if Kind.DEVICES in kinds:
        pages.devices(remembered.fleet, vendor=remembered.record.vendor, changes=changes)
    if Kind.DEPLOYMENTS in kinds or len(remembered.deployments):  # devices may tell of them where no list does
        pages.deployments(source, remembered.deployments.shown(now, finished_for))
    if Kind.JOBS in kinds:
        pages.jobs(source, remembered.jobs.shown(now, finished_for))
    if Kind.TUNNELS in kinds:
        pages.tunnels(source, remembered.tunnels.shown(now, finished_for))


async def remove_others(journal: Journal, queue: EventQueue, *, configured: Mapping[str, str]) -> list[str]:
    """Forget the sources that are no longer configured, with an event for each; gives their names.

    `configured` maps names to vendors: a source that changed its vendor is another one of the same name, for the old
    vendor's devices are nobody's.
    Errors: those of the journal.
    """
    removed: list[str] = []
    for source in await journal.sources():
        record = (await journal.load_source(source)).record
        if source not in configured or (record is not None and record.vendor != configured[source]):
            event = SourceRemoved(source=source, subject=source, seen_at=clock.now())
            queue.publish([StoredEvent(await journal.remove_source(source, event), event)])
            removed.append(source)
    return removed
