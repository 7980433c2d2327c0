"""The one form of time that the vendor has."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(epoch_s: float | None) -> str | None:
    """In milliseconds and UTC: `2026-02-24T21:23:53.082Z`; null stays null."""
    if epoch_s is None:
        return None
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
