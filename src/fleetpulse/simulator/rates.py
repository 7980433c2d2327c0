"""Rates as vendors enforce them: how many requests they let in, and what they say of when to come back."""

from __future__ import annotations

import math
from collections import deque
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

# A client that spaces its requests evenly is early by a hair now and then; a vendor's clock isn't that fine either.
TOLERANCE: Final = 0.95
ABSURD: Final = "315360000"  # ten years


class Ceiling:
    """Lets in so many requests a second, counted over a sliding window of the last `period_s` seconds.

    A rate below one for each period becomes one request for as long as it says. Refused requests don't lengthen the
    wait.
    """

    def __init__(self, period_s: float = 1.0) -> None:
        """Start with an empty window."""
        self._period_s = period_s
        self._admitted: deque[float] = deque()

    def wait_s(self, at: float, per_s: float) -> float:
        """Admit a request that arrives at `at` (and return 0), or tell how many seconds it came too early."""
        room = max(1, math.floor(per_s * self._period_s))
        window_s = TOLERANCE * max(self._period_s, room / per_s)
        while self._admitted and at - self._admitted[0] >= window_s:
            self._admitted.popleft()
        if len(self._admitted) < room:
            self._admitted.append(at)
            return 0.0
        return window_s - (at - self._admitted[0])


def retry_after(form: str, wait_s: float, now: datetime) -> dict[str, str]:
    """Word the `Retry-After` header.

    `form` is "seconds", "http-date", "absent" or "absurd"; anything else is sent as it stands.
    """
    whole_s = max(1, math.ceil(wait_s))
    match form:
        case "absent":
            return {}
        case "seconds":
            value = str(whole_s)
        case "http-date":
            value = format_datetime(now + timedelta(seconds=whole_s), usegmt=True)
        case "absurd":
            value = ABSURD
        case _:
            value = form
    return {"Retry-After": value}
