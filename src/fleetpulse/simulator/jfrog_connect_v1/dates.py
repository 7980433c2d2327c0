"""How this API writes times."""

from __future__ import annotations

from datetime import UTC, datetime


def naive(epoch_s: float | None) -> str:
    """UTC without saying so: `2025-03-02 08:14:55`; a time that isn't there is empty."""
    return "" if epoch_s is None else datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
