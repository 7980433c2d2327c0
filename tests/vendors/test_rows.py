"""Bodies become rows, whatever they are."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.vendors.contract import AnswerInvalid
from fleetpulse.vendors.wire import Table, document, said


class Row(msgspec.Struct):
    id: Any = None
    name: Any = None


TABLE = Table(Row, keys=("devices", "data", "items"), lone="id")
ROWS = [{"id": "a", "name": "x"}, {"id": "b", "name": "y"}]


def body(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "answer",
    [{"devices": ROWS}, {"data": ROWS}, {"items": ROWS, "more": 1}, ROWS, {"devices": ROWS, "data": None}],
)
def test_rows_are_found_under_each_name_and_bare(answer: object) -> None:
    rows = TABLE.decode(body(answer))

    assert [row.id for row in rows.items] == ["a", "b"]
    assert (rows.odd, rows.oddity) == (0, "")


@pytest.mark.parametrize("answer", [{"id": "a"}, {"devices": {"id": "a"}}])
def test_one_bare_row_is_a_list_of_one(answer: object) -> None:
    assert [row.id for row in TABLE.decode(body(answer)).items] == ["a"]


@pytest.mark.parametrize("answer", [{"devices": []}, {"devices": None}, []])
def test_an_empty_list_is_no_rows(answer: object) -> None:
    assert TABLE.decode(body(answer)).items == []


def test_what_stands_beside_the_rows_is_kept_on_both_ways() -> None:
    info = {"after": "t", "total": 2}

    whole = TABLE.decode(body({"devices": ROWS, "pagination_info": info}))
    row_by_row = TABLE.decode(body({"devices": [*ROWS, None], "pagination_info": info}))

    assert whole.beside["pagination_info"] == row_by_row.beside["pagination_info"] == info


def test_several_values_may_stand_beside_the_rows() -> None:
    table = Table(Row, keys=("data",), lone="id", beside=("total_count", "next_cursor"))

    rows = table.decode(body({"data": ROWS, "total_count": 2, "next_cursor": "c"}))

    assert (rows.beside["total_count"], rows.beside["next_cursor"]) == (2, "c")


def test_a_row_that_is_none_is_counted_and_skipped_and_named_without_its_value() -> None:
    rows = TABLE.decode(body({"devices": [ROWS[0], "s3cr3t", None, ROWS[1], []]}))

    assert [row.id for row in rows.items] == ["a", "b"]
    assert rows.odd == 3
    assert rows.oddity == "row 1: Expected `object`, got `str`"


@pytest.mark.parametrize(
    "raw",
    [
        b'{"devices":[{"id":"a","name":"\xff"},{"id":"b"}]}',
        rb'{"devices":[{"id":"a","name":"\ud83d"},{"id":"b"}]}',
        b'{"devices":[{"id":"a","name":NaN},{"id":"b"}]}',
        b'\xef\xbb\xbf{"devices":[{"id":"a"},{"id":"b"}]}',
    ],
)
def test_a_name_that_is_no_text_costs_no_device(raw: bytes) -> None:
    rows = TABLE.decode(raw)

    assert [row.id for row in rows.items] == ["a", "b"]
    assert rows.odd == 0
    assert rows.oddity


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "an empty body"),
        (b" \n", "an empty body"),
        (b"<html><head><title>Sign in &amp; go</title>", "an HTML page titled 'Sign in &amp; go'"),
        (b"<!doctype html><p>", "an HTML or XML page"),
        (b'{"devices":[{"id":"a"},{"na', "JSON cut at byte 27"),
        (b'{"devices":[', "JSON cut at byte 12"),
        (b'{"devices":[}', "malformed JSON at byte 12"),
        (b"Too Many Requests", "text that is no JSON"),
        (b"[" * 100_000, "JSON nested too deeply"),
        (b"[" + b"9" * 5000 + b"]", "JSON with an absurd number"),
        (b'{"devices":7}', "JSON without a list of devices"),
        (b'{"name":"x"}', "JSON without a list of devices"),
        (b'"devices"', "JSON without a list of devices"),
        (b'{"error_message":"no such project"}', 'an error in a good answer: "no such project"'),
    ],
)
def test_a_body_without_rows_is_named_for_what_it_is(raw: bytes, what: str) -> None:
    with pytest.raises(AnswerInvalid) as error:
        TABLE.decode(raw)

    assert str(error.value) == what


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b'{"error_message":"bad"}', "bad"),
        (b'{"message":"bad\\nworse"}', "bad worse"),
        (b'{"success":false,"error":"Not logged in"}', "Not logged in"),
        (b'{"error":{"detail":"deep"}}', "deep"),
        (b'{"errors":[{"message":"first"},{"message":"second"}]}', "first"),
        (b'{"errors":["first"]}', "first"),
        (b"Too Many Requests", "Too Many Requests"),
        (b"<html><title>Bad gateway</title>", "an HTML page titled 'Bad gateway'"),
        (b"{}", ""),
        (b"", ""),
    ],
)
def test_the_vendors_own_words_are_found(raw: bytes, line: str) -> None:
    assert said(raw) == line


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["devices", "data", "id", "name"]) | st.text(), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(json_values.map(body) | st.binary(max_size=200))
def test_any_body_gives_rows_or_the_one_error(raw: bytes) -> None:
    try:
        rows = TABLE.decode(raw)
        document(raw)
    except AnswerInvalid as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert all(isinstance(row, Row) for row in rows.items)
    said(raw)


def test_a_list_of_which_no_row_can_be_read_is_no_answer() -> None:
    with pytest.raises(AnswerInvalid, match="none of 3 rows can be read; row 0"):
        TABLE.decode(body([1, "two", None]))


@pytest.mark.parametrize("piece", [b"{}", b"[]"])
def test_millions_of_objects_are_refused_before_one_is_made(piece: bytes) -> None:
    raw = b"[" + b",".join([piece] * 300_000) + b"]"

    with pytest.raises(AnswerInvalid, match="more than 250,000 objects"):
        TABLE.decode(raw)


@pytest.mark.parametrize("page", [b"<title" * 10_000, b"<title>" * 10_000, b"<html><title " + b"x" * 60_000])
def test_a_page_without_an_end_of_its_title_is_looked_at_once(page: bytes) -> None:
    with pytest.raises(AnswerInvalid, match="an HTML or XML page"):
        TABLE.decode(page)

    rows = TABLE.decode(b'[{"\\ud800": 1, "id": "a"}, {"id": "b"}, 3]')

    assert [row.id for row in rows.items] == ["b"]
    assert rows.odd == 2
