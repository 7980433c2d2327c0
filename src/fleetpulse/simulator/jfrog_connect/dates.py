"""The three date forms that the vendor mixes (docs/vendors/jfrog-connect.md, "Dates")."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime


def iso(epoch_s: float) -> str:
    """As on the device list: `2025-03-02T08:14:55Z`."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def naive(epoch_s: float) -> str:
    """As nearly everywhere else, UTC without saying so: `2025-03-02 08:14:55`."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M:%S")


def rfc1123(epoch_s: float) -> str:
    """As on port tunnels: `Sun, 02 Mar 2025 08:14:55 GMT`."""
    return format_datetime(datetime.fromtimestamp(epoch_s, UTC), usegmt=True)
