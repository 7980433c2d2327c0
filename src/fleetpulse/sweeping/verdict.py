"""What a failed sweep means: for the source's record, and so for what people are told. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from fleetpulse.fleet.events import Problem, SourceEvent
from fleetpulse.fleet.source import SourceRecord, degrade, switch_off
from fleetpulse.vendors.contract import (
    FilterMatchesNothing,
    RateLimited,
    ResourceUnavailable,
    SourceError,
)

LIMITED_INTERVALS: Final = 3  # rate limited for longer than so many intervals is as good as down
_DETAIL_CHARACTERS: Final = 500

_MAIN: Final[Mapping[type[Exception], Problem]] = {
    RateLimited: Problem.RATE_LIMITED,
    ResourceUnavailable: Problem.MISCONFIGURED,
    FilterMatchesNothing: Problem.MISCONFIGURED,
}
"""On the main resource; anything else means that the source is down. A refused key is the gate's to judge."""


def problem_of(error: Exception, *, main: bool) -> Problem | None:
    """The problem that an error stands for; None where it switches its resource off."""
    if main:
        return _MAIN.get(type(error), Problem.DOWN)
    return None if isinstance(error, ResourceUnavailable) else Problem.FAILING


def failed(
    record: SourceRecord,
    resource: str,
    error: Exception,
    *,
    detail: str,
    main: bool,
    interval: timedelta,
    seen_at: datetime,
) -> tuple[SourceRecord, list[SourceEvent]]:
    """The record after a sweep that failed, and the events of what thereby began."""
    problem = problem_of(error, main=main)
    if problem is None:
        return switch_off(record, resource, detail=detail, seen_at=seen_at)
    if main and problem is not Problem.MISCONFIGURED and record.trouble(resource, Problem.REJECTED):
        return record, []  # what was not answered says nothing of the key
    record, events = degrade(record, resource, problem, detail=detail, seen_at=seen_at)
    limited = record.trouble(resource, Problem.RATE_LIMITED)
    if problem is Problem.RATE_LIMITED and limited and seen_at - limited.since_at > LIMITED_INTERVALS * interval:
        record, more = degrade(record, resource, Problem.DOWN, detail=detail, seen_at=seen_at)
        events += more
    return record, events


def told(error: Exception, *, redact: Callable[[str], str]) -> str:
    """The error for people: a vendor's text as it is, a surprise with its kind; redacted before it is cut."""
    text = str(error) if isinstance(error, SourceError) else f"{type(error).__name__}: {error}"
    return redact(text)[:_DETAIL_CHARACTERS]
