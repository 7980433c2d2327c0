"""Durations (`90s`, `1h30m`) and rates (`10/s`, `3/m`) as Prometheus users write them."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

import msgspec
from pydantic import BeforeValidator, InstanceOf, PlainSerializer

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_DURATION = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII)
_ORDER = ("y", "w", "d", "h", "m", "s", "ms")
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*(s|m|h)", re.ASCII)
_HIGHEST_COUNT = 1e9  # nobody means more, and infinity would never let anyone wait


class Rate(msgspec.Struct, frozen=True):
    """So many per period: `3/m` is Rate(3, 60.0)."""

    count: float
    period_s: float

    @property
    def per_second(self) -> float:
        """The same as events per second."""
        return self.count / self.period_s

    def __str__(self) -> str:
        unit = {1.0: "s", 60.0: "m", 3600.0: "h"}[self.period_s]
        return f"{Decimal(str(self.count)).normalize():f}/{unit}"  # never 1e+06, which nobody reads back


def parse_duration(text: str) -> timedelta:
    """`90s`, `5m`, `1h30m`, `0s`: Prometheus' grammar.

    Errors: ValueError with the cure in its text.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        msg = "is not a duration: write it like 90s, 5m, 1h30m or 7d"
        raise ValueError(msg)
    parts = zip(_ORDER, match.groups(), strict=True)
    # float, because int refuses more than 4,300 digits in words of its own
    seconds = sum(float(number) * _UNITS_S[unit] for unit, number in parts if number)
    if seconds > 100 * _UNITS_S["y"]:  # beyond that timedelta and datetime arithmetic overflow
        msg = "is longer than 100 years"
        raise ValueError(msg)
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """The shortest spelling `parse_duration` takes back: 90 s become `1m30s`, nothing becomes `0s`."""
    rest_ms = round(duration.total_seconds() * 1000)
    text = ""
    for unit in ("d", "h", "m", "s", "ms"):
        number, rest_ms = divmod(rest_ms, round(_UNITS_S[unit] * 1000))
        text += f"{number}{unit}" if number else ""
    return text or "0s"


def parse_rate(text: str) -> Rate:
    """`10/s`, `3/m`, `100/h`.

    Errors: ValueError with the cure in its text.
    """
    match = _RATE.fullmatch(text.strip())
    if match is None or not 0 < float(match[1]) <= _HIGHEST_COUNT:
        msg = "is not a rate: write it like 10/s, 3/m or 100/h"
        raise ValueError(msg)
    return Rate(float(match[1]), _UNITS_S[match[2]])


def _as_duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return parse_duration(value)
    msg = "is not a duration: write it as text like 90s, 5m, 1h30m or 7d"
    raise ValueError(msg)


def _as_rate(value: object) -> Rate:
    if isinstance(value, Rate):
        return value
    if isinstance(value, str):
        return parse_rate(value)
    msg = "is not a rate: write it as text like 10/s or 3/m"
    raise ValueError(msg)


Duration = Annotated[timedelta, BeforeValidator(_as_duration), PlainSerializer(format_duration)]
"""A settings field written like `90s`; a timedelta inside."""
RequestRate = Annotated[InstanceOf[Rate], BeforeValidator(_as_rate), PlainSerializer(str)]
"""A settings field written like `10/s`; a Rate inside."""
