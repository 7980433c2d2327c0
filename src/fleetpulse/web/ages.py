"""How long ago, as people say it."""

from datetime import datetime
from typing import Final

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86400
_STEPS: Final = ((2 * _DAY_S, _DAY_S, "days"), (2 * _HOUR_S, _HOUR_S, "h"), (2 * _MINUTE_S, _MINUTE_S, "min"))


def age(at: datetime, *, now: datetime) -> str:
    """`40 s`, `6 min`, `3 h`, `12 days`; a moment still to come is `0 s`."""
    seconds = max(0, int((now - at).total_seconds()))
    for least, unit, name in _STEPS:
        if seconds >= least:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
