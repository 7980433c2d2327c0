"""Times, words, texts and numbers in all the forms vendors have."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.vendors.wire import identifier, number, output_tail, parse_time, text, unknown_word, word

AT = datetime(2025, 3, 2, 8, 0, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("spelled", "at"),
    [
        ("2025-03-02T08:00:04Z", AT),
        ("2025-03-02 08:00:04", AT),
        ("2025-03-02T09:00:04+01:00", AT),
        ("2025-03-02T08:00:04.000Z", AT),
        ("2025-03-02T08:00:04.1432412+00:00", AT.replace(microsecond=143241)),
        ("Sun, 02 Mar 2025 08:00:04 GMT", AT),
        (" 2025-03-02 08:00:04 ", AT),
        ("2025-03-02", datetime(2025, 3, 2, tzinfo=UTC)),
    ],
)
def test_every_form_of_a_time_is_read_as_utc(spelled: str, at: datetime) -> None:
    assert parse_time(spelled) == at
    assert parse_time(spelled).tzinfo is UTC  # type: ignore[union-attr]  # the line above proves it


@pytest.mark.parametrize(
    "spelled",
    [
        *(None, "", "0000-00-00 00:00:00", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "yesterday", "2025-13-45"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "Foo, 99 Bar 2025 99:99:99 GMT", "x" * 10_000),
        *(17, True, [], {}, math.nan),
    ],
)
def test_no_time_and_nonsense_are_no_time(spelled: object) -> None:
    assert parse_time(spelled) is None


_two = st.integers(0, 99).map(lambda number: f"{number:02}")
_months = st.sampled_from(
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "mar", "Mai"]
)
_years = st.integers(0, 9999).map(lambda number: f"{number:04}")


_dates = st.tuples(st.sampled_from(["Sun", "Mon", "Xyz", "Sunday"]), _two, _months, _years)


@given(_dates, st.tuples(_two, _two, _two))
def test_a_time_of_a_fixed_layout_is_read_as_the_parser_of_mail_reads_it(
    date: tuple[str, ...], time: tuple[str, ...]
) -> None:
    spelled = f"{date[0]}, {' '.join(date[1:])} {':'.join(time)} GMT"

    try:
        at = parsedate_to_datetime(spelled)
    except ValueError:
        at = None

    assert parse_time(spelled) == (at if at is not None and at.year > 1970 else None)


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001 - its zone is in the text
def test_a_time_comes_back_from_rfc_1123(at: datetime) -> None:
    assert parse_time(f"{at:%a, %d %b %Y %H:%M:%S} GMT") == at.replace(microsecond=0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([], ""),
        (["Zzz"], "Zzz"),
        ([None, {}, "", "Zzz", "Yyy"], "Zzz"),
        ([None, []], "(none)"),
        (["s3cr3t " + "x" * 100], "*** " + "x" * 36),
    ],
)
def test_an_unknown_word_is_the_first_that_can_be_shown(values: list[object], shown: str) -> None:
    assert unknown_word(values, redact=lambda text: text.replace("s3cr3t", "***")) == shown


@pytest.mark.parametrize("spelled", ["In Progress", "in_progress", " IN-PROGRESS ", "in  progress"])
def test_spellings_of_a_word_are_equal(spelled: str) -> None:
    assert word(spelled) == "in_progress"


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("gate-17", "gate-17"),
        ("Ärger 🚀", "Ärger 🚀"),
        (17, "17"),
        (1.5, "1.5"),
        (None, ""),
        (True, ""),
        ([], ""),
        ("two\nlines\x00\x1b[31m", "two lines [31m"),
        ("half \ud83d", "half \ufffd"),
        ("abc\u202edef", "abc def"),
        ("x" * 1000, "x" * 200),
        pytest.param(10**5000, "", id="absurd"),
    ],
)
def test_text_is_one_short_printable_line(value: object, line: str) -> None:
    assert text(value) == line


@pytest.mark.parametrize(
    ("value", "found"),
    [
        *[(12, 12.0), (1.5, 1.5), ("12", 12.0), (" 12.5 ", 12.5), (0, 0.0)],
        *[(None, None), (True, None), ("97%", None), ("", None), ("nan", None), (math.inf, None), ([], None)],
        pytest.param(10**400, None, id="huge"),
        pytest.param("9" * 10_000, None, id="long"),
    ],
)
def test_numbers_are_finite_or_absent(value: object, found: float | None) -> None:
    assert number(value) == found


def test_output_keeps_its_end_and_its_lines() -> None:
    printed = "x" * 5000 + "\r\nline\x1b 1\nline 2\n"

    assert output_tail(printed, 14) == "line  1\nline 2"
    assert output_tail(None, 14) == ""


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
)


@given(anything)
def test_nothing_raises(value: object) -> None:
    parse_time(value)
    number(value)
    word(value)
    line = text(value)
    output_tail(value, 50)

    assert len(line) <= 200
    line.encode()
    assert "\n" not in line


@pytest.mark.parametrize("mark", ["\u200b", "\u200f", "\u00ad", "\U000e0041", "\ufeff", "\u2060"])
def test_what_shows_nothing_makes_no_second_name_of_one(mark: str) -> None:
    assert text(f"Ly{mark}on") == "Lyon"


def test_an_id_that_is_too_long_to_be_told_whole_is_none() -> None:
    assert identifier("x" * 200) == "x" * 200
    assert identifier("x" * 201) == ""
