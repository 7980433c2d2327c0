"""Asynchronous change requests become bulk jobs: a plan changed, SIMs paused or activated, one by one or many at once.

Source: docs/vendors/hologram.md, "Change requests".
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from fleetpulse.fleet.job import BulkJob
from fleetpulse.vendors.hologram.envelope import values
from fleetpulse.vendors.hologram.words import job_action, job_status
from fleetpulse.vendors.wire import Rows, identifier, made_of, parse_time, text
from fleetpulse.vendors.wire.values import COUNT_MAX

CHANGE_PREFIX: Final = "change-"
"""Before the ids of change requests, for those of bulk jobs are numbers of their own."""


class ChangeRow(msgspec.Struct):
    """The fields that are used, of any type."""

    id: Any = None
    parent_id: Any = None
    userid: Any = None
    request_type: Any = None
    state: Any = None
    start_time: Any = None
    update_time: Any = None
    child_ids: Any = None


async def bulk_changes(rows: Rows[ChangeRow]) -> Rows[BulkJob]:
    """The requests that are part of no other one; rows without an id are counted as odd and skipped.

    Errors: AnswerInvalid where there are rows and none has an id.
    """
    made = await made_of(rows, bulk_change, lacking="no id")
    parts = {CHANGE_PREFIX + identifier(row.id) for row in rows.items if _is_part(row)}
    return msgspec.structs.replace(made, items=[job for job in made.items if job.id not in parts])


def bulk_change(row: ChangeRow) -> BulkJob | None:
    """One request; None without an id. It tells no end, so one that is over ended when it last changed."""
    spelled = identifier(row.id)
    if not spelled:
        return None
    status = job_status(row.state, ended=False)
    user = text(row.userid)
    return BulkJob(
        id=CHANGE_PREFIX + spelled,
        action=job_action(row.request_type),
        status=status,
        word=text(row.state),
        device_count=min(len(values(row.child_ids)), COUNT_MAX) or 1,  # a request without parts changes one thing
        started_at=parse_time(row.start_time),
        ended_at=parse_time(row.update_time) if status.ended else None,
        requester=f"user {user}" if user else "",
        origin=text(row.request_type),
    )


def row_ids(rows: Sequence[ChangeRow]) -> list[str]:
    """The vendor's ids on a page, those of parts too."""
    return [spelled for row in rows if (spelled := identifier(row.id))]


def _is_part(row: ChangeRow) -> bool:
    parent = identifier(row.parent_id)
    return parent not in {"", "0", identifier(row.id)}
