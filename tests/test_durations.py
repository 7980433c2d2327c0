"""Promises of durations and rates."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from fleetpulse.durations import Duration, Rate, RequestRate, format_duration, parse_duration, parse_rate


class Example(BaseModel):
    every: Duration = timedelta(0)
    rate: RequestRate = Rate(1, 1.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("7d", 604_800),
        ("1y2w3d4h5m6s7ms", 31_536_000 + 1_209_600 + 259_200 + 14_400 + 300 + 6.007),
        (" 15m ", 900),
    ],
)
def test_durations_are_prometheus(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "1m1h", "-5m", "1.5h", "5min", "5M", "٣s"])
def test_what_prometheus_does_not_take_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 90s, 5m"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["101y", "99999999999999999999999y", "9" * 5000 + "y"])
def test_an_absurd_duration_is_refused_and_not_an_overflow(text: str) -> None:
    with pytest.raises(ValueError, match="100 years"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=100 * 365 * 86_400_000))
def test_a_formatted_duration_reads_back(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)

    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (90, "1m30s"), (86_400, "1d"), (0.25, "250ms"), (5400, "1h30m")]
)
def test_a_duration_is_formatted_short(seconds: float, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("text", "rate", "per_second"),
    [("10/s", Rate(10, 1.0), 10), ("3/m", Rate(3, 60.0), 0.05), ("100 / h", Rate(100, 3600.0), 100 / 3600)],
)
def test_rates(text: str, rate: Rate, per_second: float) -> None:
    assert parse_rate(text) == rate
    assert parse_rate(text).per_second == pytest.approx(per_second)


@pytest.mark.parametrize("text", ["", "10", "0/s", "-1/s", "10/d", "10/5s", "inf/s", "1e3/s", "9" * 400 + "/s"])
def test_what_is_no_rate_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 10/s"):
        parse_rate(text)


@given(
    st.sampled_from([1.0, 60.0, 3600.0]),
    st.integers(min_value=1, max_value=10_000_000) | st.sampled_from([0.5, 0.00001, 1.25]),
)
def test_a_written_rate_reads_back(period_s: float, count: float) -> None:
    rate = Rate(count, period_s)

    assert parse_rate(str(rate)) == rate


def test_settings_take_text_and_give_it_back() -> None:
    example = Example.model_validate({"every": "1h30m", "rate": "3/m"})

    assert example == Example(every=timedelta(minutes=90), rate=Rate(3, 60.0))
    assert example.model_dump() == {"every": "1h30m", "rate": "3/m"}


@pytest.mark.parametrize("value", [5, 5.0, None, ["5m"], {"s": 5}])
@pytest.mark.parametrize("field", ["every", "rate"])
def test_settings_refuse_what_is_no_text(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match="write it as text like"):
        Example.model_validate({field: value})
