"""A bulk job: one change of many SIMs or devices that the vendor carries out in the background."""

from datetime import datetime
from enum import StrEnum

import msgspec


class JobStatus(StrEnum):
    """Where a job stands; `unseen` when it left the vendor's list before an end was seen."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELED = "canceled"
    UNSEEN = "unseen"
    UNKNOWN = "unknown"  # ended, in words nobody documented

    @property
    def ended(self) -> bool:
        """Whether nothing more is expected of it."""
        return self is not JobStatus.RUNNING


class JobAction(StrEnum):
    """What the job does to its devices."""

    PAUSE = "pause"
    LIVE = "live"
    DEACTIVATE = "deactivate"
    OTHER = "other"


class BulkJob(msgspec.Struct, frozen=True, kw_only=True):
    """A bulk job as the vendor last told it.

    `word` is the vendor's own status word, shown to people; `origin` the vendor's own `source` field.
    """

    id: str
    action: JobAction = JobAction.OTHER
    status: JobStatus = JobStatus.RUNNING
    word: str = ""
    device_count: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    requester: str = ""
    origin: str = ""
