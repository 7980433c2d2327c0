"""Tasks of the batch endpoint become bulk jobs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from fleetpulse.fleet.job import BulkJob
from fleetpulse.vendors.hologram.changes import CHANGE_PREFIX
from fleetpulse.vendors.hologram.words import job_action, job_status
from fleetpulse.vendors.wire import Rows, identifier, made_of, number, parse_time, text
from fleetpulse.vendors.wire.rows import convert
from fleetpulse.vendors.wire.values import COUNT_MAX

_PAGES_MAX: Final = 100


class TaskRow(msgspec.Struct):
    """The fields that are used, of any type: numbers come as text in this API's sister endpoints."""

    job_id: Any = None
    requester_org_name: Any = None
    requester_first_name: Any = None
    requester_last_name: Any = None
    timestamp_start: Any = None
    timestamp_end: Any = None
    device_count: Any = None
    action: Any = None
    status: Any = None
    source: Any = None


async def bulk_jobs(tasks: Sequence[Any]) -> Rows[BulkJob]:
    """The jobs; rows without an id are counted as odd and skipped.

    Errors: AnswerInvalid where there are rows and none has an id.
    """
    return await made_of(convert(tasks, TaskRow), bulk_job, lacking="no job_id")


def bulk_job(row: TaskRow) -> BulkJob | None:
    """One job; None without an id of its own kind."""
    spelled = identifier(row.job_id)
    if not spelled or spelled.startswith(CHANGE_PREFIX):
        return None
    ended_at = parse_time(row.timestamp_end)
    return BulkJob(
        id=spelled,
        action=job_action(row.action),
        status=job_status(row.status, ended=ended_at is not None),
        word=text(row.status),
        device_count=count(row.device_count) or 0,
        started_at=parse_time(row.timestamp_start),
        ended_at=ended_at,
        requester=_requester(row),
        origin=text(row.source),
    )


def count(value: object) -> int | None:
    """How many of something, also where it came as text; None where no such number is told."""
    found = number(value)
    return int(min(found, COUNT_MAX)) if found is not None and found >= 0 else None


def further_pages(data: Mapping[str, Any]) -> tuple[list[str], str]:
    """The cursors of the pages after the first, and the guard that ends the walk where they are not all given."""
    pages = count(data.get("totalPages")) or 1
    if pages <= 1:
        return [], ""
    listed = data.get("startAfterIds")
    ids = listed if isinstance(listed, list) else []
    if len(ids) == pages:  # one for each page: the first one's is behind us
        ids = ids[1:]
    cursors = list(dict.fromkeys(cursor for each in ids if (cursor := text(each)) and cursor != "0"))
    if len(cursors) < pages - 1:
        return cursors, f"{pages} pages are announced and the way to {len(cursors) + 1} of them is given"
    if len(cursors) >= _PAGES_MAX:
        return cursors[: _PAGES_MAX - 1], f"more than {_PAGES_MAX} pages"
    return cursors, ""


def _requester(row: TaskRow) -> str:
    """`First Last (Org)`, as much of it as there is."""
    person = " ".join(part for part in (text(row.requester_first_name), text(row.requester_last_name)) if part)
    org = text(row.requester_org_name)
    return f"{person} ({org})" if person and org else person or org
