"""The term: from when on a condition is what a rule speaks of, and when the rule's alert may fire."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from fleetpulse.alerting.condition import Condition, ConditionKind
from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.alerting.rules import Rule

SILENT_AFTER: Final = timedelta(hours=24)
"""How long a device may be silent where neither the rule nor the vendor says."""


class Term(msgspec.Struct, frozen=True):
    """When it began, for people; from when on the rule speaks of it; when that has lasted for the rule's `for`."""

    since_at: datetime
    starts_at: datetime
    fires_at: datetime


def speaks_of(rule: Rule, source: SourceFacts) -> bool:
    """Whether a rule has anything to say of the source's vendor.

    Being offline is no trouble at all at a vendor without `offline_for`, whatever a rule says: `device_silent` is the
    condition for those.
    """
    if rule.when is ConditionKind.DEVICE_OFFLINE:
        return source.offline_for is not None
    if rule.when is ConditionKind.DEVICE_SILENT:
        return source.silent_after is not None or bool(rule.matchers) or not rule.sleepers_only
    return True


def term_of(rule: Rule, condition: Condition, source: SourceFacts, *, at: datetime) -> Term | None:
    """The rule's term over a condition, as known at `at`; None where the rule does not speak of it at all.

    What a rule says itself counts before what is usual for the vendor. `starts_at` is never before the first
    observation.
    """
    if not speaks_of(rule, source):
        return None
    starts_at = since_at = condition.since_at
    match rule.when:
        case ConditionKind.DEVICE_SILENT:
            since_at = heard_of_at(condition, at)
            starts_at = max(since_at + after_of(rule, source), condition.since_at)
        case ConditionKind.CREDENTIALS_EXPIRING if condition.until_at is not None:
            if condition.until_at - since_at > rule.within:
                starts_at = condition.until_at - rule.within
        case _:
            pass
    return Term(since_at, starts_at, starts_at + for_of(rule, source))


def for_of(rule: Rule, source: SourceFacts) -> timedelta:
    """The `for` of a rule at a source that it speaks of."""
    return source.offline_for or timedelta() if rule.for_ is None else rule.for_


def after_of(rule: Rule, source: SourceFacts) -> timedelta:
    """For how long a device is silent before a rule about that speaks of it, at a source that it speaks of."""
    return rule.after or source.silent_after or SILENT_AFTER


def heard_of_at(condition: Condition, at: datetime) -> datetime:
    """Until when a device was heard of. What is said to lie in the future is nonsense and counts as not said."""
    heard_at = condition.heard_at
    return condition.since_at if heard_at is None or heard_at > at else heard_at


def heard_again(condition: Condition, told_at: datetime | None, *, at: datetime) -> Condition:
    """The condition, with what the vendor told at `at` of when it last heard of the device, where that is later."""
    if told_at is None or not heard_of_at(condition, at) < told_at <= at:
        return condition
    return msgspec.structs.replace(condition, heard_at=told_at, last_seen_at=told_at)
