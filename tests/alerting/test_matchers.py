"""Promises of matchers."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.alerting.matchers import Matcher, Operator, parse_matcher


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ('group=~"Lyon.*"', Matcher("group", Operator.REGEX, "Lyon.*")),
        ('severity="critical"', Matcher("severity", Operator.EQUAL, "critical")),
        ('name!="gate 17"', Matcher("name", Operator.NOT_EQUAL, "gate 17")),
        ('tag!~"a|b"', Matcher("tag", Operator.NOT_REGEX, "a|b")),
        ("  severity = critical ", Matcher("severity", Operator.EQUAL, "critical")),
        ("severity=", Matcher("severity", Operator.EQUAL, "")),
        ('name="say \\"hi\\"\\n"', Matcher("name", Operator.EQUAL, 'say "hi"\n')),
        ('name=~"gate-\\d+"', Matcher("name", Operator.REGEX, r"gate-\d+")),
        ('name="a=~b"', Matcher("name", Operator.EQUAL, "a=~b")),
    ],
)
def test_reads_what_alertmanager_reads(text: str, matcher: Matcher) -> None:
    assert parse_matcher(text) == matcher


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("hunter2", "is not a matcher: write it like severity="),
        ('="hunter2"', "is not a matcher"),
        ('1a="hunter2"', "is not a matcher"),
        ('a="hunter2', "quote that is not closed"),
        ('a="hunter2"x"', "quote that is not closed or not escaped"),
        ('a=~"hunter2("', "no regular expression: missing ), unterminated subpattern"),
        ('a=~"' + "hunter2" * 200 + '"', "longer than 1000 characters"),
        ('a=~"x{99999999999999999999}hunter2"', "too large"),
    ],
)
def test_an_error_tells_the_cure_and_not_the_input(text: str, cure: str) -> None:
    with pytest.raises(ValueError, match=re.escape(cure)) as caught:
        parse_matcher(text)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "labels", "fits"),
    [
        ('group="Lyon"', {"group": "Lyon"}, True),
        ('group="Lyon"', {"group": "Lyon 2"}, False),
        ('group!="Lyon"', {"group": "Nantes"}, True),
        ('group!="Lyon"', {}, True),
        ('group=""', {}, True),
        ('group=~".*"', {}, True),
        ('group=~".+"', {}, False),
        ('group!~".+"', {}, True),
    ],
)
def test_a_missing_label_is_the_empty_text(text: str, labels: dict[str, str], fits: bool) -> None:
    assert parse_matcher(text).matches(labels) is fits


@pytest.mark.parametrize(("value", "fits"), [("Lyon", True), ("Lyon Sud", False), ("Grand Lyon", False), ("a", True)])
def test_a_pattern_fits_the_whole_value(value: str, fits: bool) -> None:
    assert parse_matcher('group=~"a|Lyon"').matches({"group": value}) is fits


@pytest.mark.parametrize(
    ("text", "tags", "fits"),
    [
        ('tag="prod"', ("edge", "prod"), True),
        ('tag="prod"', ("edge",), False),
        ('tag=~"pr.*"', ("edge", "prod"), True),
        ('tag!="prod"', ("edge", "prod"), False),
        ('tag!="prod"', ("edge",), True),
        ('tag!~"pr.*"', ("edge", "prod"), False),
        ('tag=""', (), True),
        ('tag!=""', (), False),
    ],
)
def test_of_several_values_one_is_enough_and_a_negative_wants_none(
    text: str, tags: tuple[str, ...], fits: bool
) -> None:
    assert parse_matcher(text).matches({"tag": tags}) is fits


@given(
    label=st.text(string.ascii_letters + "_", min_size=1, max_size=8),
    operator=st.sampled_from([Operator.EQUAL, Operator.NOT_EQUAL]),
    value=st.text(max_size=20),
)
def test_what_is_written_reads_back(label: str, operator: Operator, value: str) -> None:
    matcher = Matcher(label, operator, value)

    assert parse_matcher(str(matcher)) == matcher


@given(st.text(max_size=60))
def test_any_text_is_a_matcher_or_a_value_error(text: str) -> None:
    try:
        matcher = parse_matcher(text)
    except ValueError:
        return

    assert parse_matcher(str(matcher)) == matcher


@given(
    values=st.lists(st.sampled_from(["a", "b", "ab"]), max_size=3).map(tuple),
    pair=st.sampled_from([(Operator.EQUAL, Operator.NOT_EQUAL), (Operator.REGEX, Operator.NOT_REGEX)]),
    wanted=st.sampled_from(["a", "b", "", "a.*"]),
)
def test_a_negative_operator_is_the_opposite_of_its_twin(
    values: tuple[str, ...], pair: tuple[Operator, Operator], wanted: str
) -> None:
    positive, negative = (Matcher("tag", operator, wanted) for operator in pair)

    assert positive.matches({"tag": values}) is not negative.matches({"tag": values})
