"""The history of a device's agent: each installation is a deployment on that device alone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from fleetpulse.fleet.deployment import Deployment, Rollout, RolloutStatus
from fleetpulse.vendors.wire import Rows, Table, parse_time, text, word
from fleetpulse.vendors.wire.rows import refuse_unreadable

ENROLMENTS_MAX = 50  # the vendor's default page: nobody looks further back into one laptop's history
_KIND = "enrolment"
_NEVER = datetime.min.replace(tzinfo=UTC)
_STATUSES: Mapping[str, RolloutStatus] = {
    "success": RolloutStatus.SUCCEEDED,
    "error": RolloutStatus.FAILED,
    "pending": RolloutStatus.PENDING,
}


class EnrolmentRow(msgspec.Struct):
    """The fields that are used, of any type."""

    id: Any = None
    status: Any = None
    enrollment_date: Any = None


def enrolment_table() -> Table[EnrolmentRow]:
    """The same envelope as the device list's."""
    return Table(EnrolmentRow, keys=("data",), lone="id", beside=())


def enrolments(rows: Rows[EnrolmentRow], *, device: str) -> tuple[Rollout, ...]:
    """The enrolments of a device, newest first; one whose date is not told comes last, rows without an id are skipped.

    Errors: AnswerInvalid where no row at all can be read.
    """
    found = [(spelled, row) for row in rows.items if (spelled := text(row.id))]
    odd = rows.odd + len(rows.items) - len(found)
    refuse_unreadable(len(found), odd=odd, oddity=rows.oddity or "no id")
    rollouts = [_rollout(spelled, row, device=device) for spelled, row in found]
    rollouts.sort(key=lambda rollout: rollout.deployment.created_at or _NEVER, reverse=True)
    return tuple(rollouts[:ENROLMENTS_MAX])


def _rollout(spelled: str, row: EnrolmentRow, *, device: str) -> Rollout:
    return Rollout(
        deployment=Deployment(id=spelled, kind=_KIND, created_at=parse_time(row.enrollment_date)),
        device=device,
        status=_STATUSES.get(word(row.status), RolloutStatus.UNKNOWN),
    )
