"""Tasks of the batch endpoint become bulk jobs. No document lists its words: these rules are made to be generous."""

import re
from typing import Any

import msgspec

from fleetpulse.fleet.job import BulkJob, JobAction, JobStatus
from fleetpulse.vendors.wire import Rows, number, parse_time, text, word
from fleetpulse.vendors.wire.rows import convert
from fleetpulse.vendors.wire.values import COUNT_MAX

# First fitting row wins; matched within the normal form of the word. The nearest relative that is documented says
# complete, complete_with_errors, partially_complete, error, canceled, complete_after_cancel.
_STATUSES: tuple[tuple[re.Pattern[str], JobStatus], ...] = tuple(
    (re.compile(pattern), status)
    for pattern, status in (
        (r"partial|with_error|(complete|success|done).*(error|fail)", JobStatus.PARTIAL),
        (r"cancel", JobStatus.CANCELED),
        (r"fail|error|unsuccess", JobStatus.FAILED),
        (r"(?<!in)(?<!un)(?<!not_)(complete|success|succeeded|done)", JobStatus.SUCCEEDED),
    )
)
# "no errors", "0 failed", "error-free" tell of no fault; what is left of the word decides, and nothing left is unknown
_NO_FAULT = re.compile(
    r"(?<![a-z0-9])(?:(?:no|0|zero|without|never)_(?:any_)?(?:error|fail)[a-z]*|(?:error|failure)s?_free)(?![a-z0-9])"
)
_ACTIONS: tuple[tuple[str, JobAction], ...] = (
    ("unpause", JobAction.LIVE),
    ("deactivat", JobAction.DEACTIVATE),
    ("pause", JobAction.PAUSE),
    ("live", JobAction.LIVE),
    ("activat", JobAction.LIVE),
)


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


def bulk_jobs(tasks: list[Any]) -> Rows[BulkJob]:
    """The jobs; rows without an id are counted as odd and skipped."""
    rows = convert(tasks, TaskRow)
    items: list[BulkJob] = []
    odd, oddity = rows.odd, rows.oddity
    for row in rows.items:
        job = bulk_job(row)
        if job is None:
            odd += 1
            oddity = oddity or "a task without job_id"
        else:
            items.append(job)
    return Rows(items=items, odd=odd, oddity=oddity)


def bulk_job(row: TaskRow) -> BulkJob | None:
    """One job; None without an id."""
    spelled = text(row.job_id)
    if not spelled:
        return None
    ended_at = parse_time(row.timestamp_end)
    count = number(row.device_count)
    return BulkJob(
        id=spelled,
        action=next((ours for piece, ours in _ACTIONS if piece in word(row.action)), JobAction.OTHER),
        status=_status(word(row.status), ended=ended_at is not None),
        word=text(row.status),
        device_count=int(min(count, COUNT_MAX)) if count is not None and count > 0 else 0,
        started_at=parse_time(row.timestamp_start),
        ended_at=ended_at,
        requester=_requester(row),
        origin=text(row.source),
    )


def _status(normal: str, *, ended: bool) -> JobStatus:
    normal = _NO_FAULT.sub("", normal)
    for pattern, status in _STATUSES:
        if pattern.search(normal):
            return status
    return JobStatus.UNKNOWN if ended else JobStatus.RUNNING


def _requester(row: TaskRow) -> str:
    """`First Last (Org)`, as much of it as there is."""
    person = " ".join(part for part in (text(row.requester_first_name), text(row.requester_last_name)) if part)
    org = text(row.requester_org_name)
    return f"{person} ({org})" if person and org else person or org
