"""The two date forms that the vendor mixes, and its sign for "not yet" (docs/vendors/hologram.md, "Values")."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

ZERO: Final = "0000-00-00 00:00:00"


def iso(epoch_s: float) -> str:
    """As declared of bulk jobs alone: `2025-03-02T08:00:00Z`."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def naive(epoch_s: float) -> str:
    """As everywhere else, UTC without saying so: `2025-03-02 08:00:00`."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M:%S")


def read(text: str) -> float:
    """Read what a filter takes: seconds since the epoch, or a date in either form, as UTC.

    Errors: ValueError.
    """
    if text.isascii() and text.isdigit():
        return float(text)
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
