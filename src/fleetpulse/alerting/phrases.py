"""Small pieces of what people read: durations, moments, numbers of things, names beside ids."""

from datetime import datetime, timedelta, tzinfo
from typing import Final

_NAME_CHARACTERS: Final = 80


def span(duration: timedelta) -> str:
    """A duration as people say it: `50 s`, `18 min`, `3 h`, `2 d`."""
    seconds = max(0, round(duration.total_seconds()))
    for unit, size, at_least in (("d", 86400, 2 * 86400), ("h", 3600, 2 * 3600), ("min", 60, 60)):
        if seconds >= at_least:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def days(duration: timedelta) -> str:
    """A duration of days, written out: `13 days`, `1 day`; a shorter one as `span` says it."""
    return count(duration.days, "day") if duration >= timedelta(days=1) else span(duration)


def count(number: int, noun: str) -> str:
    """`1 device`, `1,200 devices`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def named(name: str, id_: str) -> str:
    """`gate-17 (d-0a1b)`, or the id alone where the name says no more."""
    return f"{name[:_NAME_CHARACTERS]} ({id_})" if name and name != id_ else id_


def moment(at: datetime, zone: tzinfo, read_at: datetime | None) -> str:
    """The time in `zone`, with the date unless it is that of `read_at` (None: nobody knows when it will be read)."""
    local = _local(at, zone)
    today = read_at is not None and _local(read_at, zone).date() == local.date()
    return f"{local:%H:%M %Z}" if today else f"{local:%Y-%m-%d %H:%M %Z}"


def _local(at: datetime, zone: tzinfo) -> datetime:
    try:
        return at.astimezone(zone)
    except OverflowError:  # at the ends of the calendar, where only nonsense lies
        return at
