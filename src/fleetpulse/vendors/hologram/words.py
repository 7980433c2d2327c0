"""The words of bulk changes. Those of jobs are documented nowhere, so the rules are made to be generous.

Source: docs/vendors/hologram.md, "Words".
"""

import re
from typing import Final

from fleetpulse.fleet.job import JobAction, JobStatus
from fleetpulse.vendors.wire import word

# First fitting row wins; matched within the normal form of the word. Documented of change requests are initialized,
# in_progress, complete, complete_with_errors, partially_complete, error, canceled, complete_after_cancel.
_STATUSES: Final[tuple[tuple[re.Pattern[str], JobStatus], ...]] = tuple(
    (re.compile(pattern), status)
    for pattern, status in (
        (r"partial|with_error|(?<!not_)(?<!un)(complete|success|done).*(error|fail|reject)", JobStatus.PARTIAL),
        (r"cancel|abort", JobStatus.CANCELED),
        (r"fail|error|reject|timed?_?out|unsuccess|not_success", JobStatus.FAILED),
        (r"(?<!in)(?<!un)(?<!not_)(?<!to_)(complete|success|succeeded|done)", JobStatus.SUCCEEDED),
    )
)
# "no errors", "0 failed", "error-free" tell of no fault; what is left of the word decides, and nothing left is unknown
_NO_FAULT: Final = re.compile(
    r"(?<![a-z0-9])(?:(?:no|0|zero|without|never)_(?:any_)?(?:error|fail|reject)[a-z]*|(?:error|failure)s?_free)(?![a-z0-9])"
)
_ACTIONS: Final[tuple[tuple[str, JobAction], ...]] = (
    ("unpause", JobAction.LIVE),
    ("deactivat", JobAction.DEACTIVATE),
    ("pause", JobAction.PAUSE),
    ("live", JobAction.LIVE),
    ("activat", JobAction.LIVE),
)


def job_action(spelled: object) -> JobAction:
    """What a verb or a request type does: `pause`, `sim_state_unpause`."""
    normal = word(spelled)
    return next((ours for piece, ours in _ACTIONS if piece in normal), JobAction.OTHER)


def job_status(spelled: object, *, ended: bool) -> JobStatus:
    """Where a job stands by its word; one that says nothing of an end is running unless it has `ended`."""
    normal = _NO_FAULT.sub("", word(spelled))
    for pattern, status in _STATUSES:
        if pattern.search(normal):
            return status
    return JobStatus.UNKNOWN if ended else JobStatus.RUNNING
