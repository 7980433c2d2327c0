"""Every request that leaves the house: one session, limits on size, time and redirects, one budget per account."""

from fleetpulse.outbound.account import Account
from fleetpulse.outbound.answer import Answer
from fleetpulse.outbound.budget import Budget, Budgets
from fleetpulse.outbound.errors import BadEncoding, NobodyListens, OutboundError, TimedOut, TooLarge, Unreachable
from fleetpulse.outbound.session import Outbound
from fleetpulse.outbound.turns import Priority

__all__ = [
    "Account",
    "Answer",
    "BadEncoding",
    "Budget",
    "Budgets",
    "NobodyListens",
    "Outbound",
    "OutboundError",
    "Priority",
    "TimedOut",
    "TooLarge",
    "Unreachable",
]
