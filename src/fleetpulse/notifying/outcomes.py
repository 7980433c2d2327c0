"""How one try to deliver ends, in the closed set of words that metrics count."""

from typing import Final, get_args

from fleetpulse.journal.entries import DeliveryRecord
from fleetpulse.receivers.contract import Delivered, Outcome, Refused, RefusedReason, RetryReason

OUT_OF_TIME: Final = "expired"
"""The reason of a row that is given up without another try."""

OUTCOMES: Final[tuple[tuple[str, str], ...]] = (
    ("delivered", ""),
    *(("retry", reason) for reason in get_args(RetryReason)),
    *(("refused", reason) for reason in get_args(RefusedReason)),
    *(("expired", reason) for reason in (*get_args(RetryReason), OUT_OF_TIME)),
)
"""Every outcome with every reason it may have. `expired`: the last failure, after which nothing is tried again."""


def word(outcome: Outcome, told: DeliveryRecord) -> str:
    """The outcome of a try, by what the receiver answered and what follows from it."""
    if isinstance(outcome, Delivered):
        return "delivered"
    if isinstance(outcome, Refused):
        return "refused"
    return "retry" if told.state == "retry" else "expired"
