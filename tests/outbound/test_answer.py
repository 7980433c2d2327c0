from datetime import UTC, datetime

import pytest

from fleetpulse.outbound.answer import retry_after_s

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "pause_s"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("1.5", 1.5),
        ("3600", 3600.0),
        ("Mon, 02 Mar 2026 08:00:30 GMT", 30.0),
        ("Mon, 02 Mar 2026 08:00:30", 30.0),
    ],
)
def test_a_sensible_pause_is_understood(header: str, pause_s: float) -> None:
    assert retry_after_s(header, now=NOW) == pause_s


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "soon", "-1", "3601", "nan", "inf", "1e99"),
        *("Mon, 02 Mar 2026 07:59:59 GMT", "Mon, 02 Mar 2099 08:00:00 GMT", "Mon, 99 Mar 2026 08:00:00 GMT"),
    ],
)
def test_an_absurd_pause_counts_as_absent(header: str | None) -> None:
    assert retry_after_s(header, now=NOW) is None
