"""The history of a device's agent: each installation is a deployment on that device alone."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from fleetpulse.fleet.deployment import ENROLMENT, Deployment, Rollout, RolloutStatus
from fleetpulse.vendors.wire import Rows, Table, identifier, made_of, parse_time, word

ENROLMENTS_MAX = 50  # the vendor's default page: nobody looks further back into one laptop's history
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


async def enrolments(rows: Rows[EnrolmentRow], *, device: str) -> Rows[Rollout]:
    """The enrolments of a device, newest first; one whose date is not told comes last, rows without an id are skipped.

    Errors: AnswerInvalid where no row at all can be read.
    """
    made = await made_of(rows, partial(_rollout, device=device), lacking="no id")
    made.items.sort(key=lambda rollout: rollout.deployment.created_at or _NEVER, reverse=True)
    return msgspec.structs.replace(made, items=made.items[:ENROLMENTS_MAX])


def strange(rows: Sequence[EnrolmentRow]) -> list[object]:
    """The statuses among the rows that nobody documented."""
    return [row.status for row in rows if word(row.status) not in _STATUSES]


def _rollout(row: EnrolmentRow, *, device: str) -> Rollout | None:
    spelled = identifier(row.id)
    if not spelled:
        return None
    return Rollout(
        deployment=Deployment(id=spelled, kind=ENROLMENT, created_at=parse_time(row.enrollment_date)),
        device=device,
        status=_STATUSES.get(word(row.status), RolloutStatus.UNKNOWN),
    )
