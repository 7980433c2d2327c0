"""Promises of `${NAME}`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.service.config.placeholders import PlaceholderError, fill

ENVIRON = {"TOKEN": "hunter2", "EMPTY": "", "NESTED": "${TOKEN}"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain $ {text} $NAME", "plain $ {text} $NAME"),
        ("${TOKEN}", "hunter2"),
        ("a${TOKEN}b${TOKEN}", "ahunter2bhunter2"),
        ("${EMPTY}", ""),
        ("${MISSING:-else}", "else"),
        ("${MISSING:-}", ""),
        ("${EMPTY:-else}", "else"),
        ("${TOKEN:-else}", "hunter2"),
        ("${MISSING:-http://h:80/?a=b c}", "http://h:80/?a=b c"),
        ("$${TOKEN}", "${TOKEN}"),
        ("$$${TOKEN}", "$${TOKEN}"),
        ("${NESTED}", "${TOKEN}"),
    ],
)
def test_texts_are_filled_once_as_a_shell_would(text: str, filled: str) -> None:
    assert fill(text, ENVIRON) == filled


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(PlaceholderError, match=r"needs the environment variable MISSING, which is not set"):
        fill("hunter2 ${MISSING}", ENVIRON)


@pytest.mark.parametrize(
    "text", ["${", "${}", "${a-b}", "${TOKEN", "${TOKEN:else}", "${1A}", "${A:-${B}}", "${A:-${B:-c}}"]
)
def test_what_is_no_placeholder_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(PlaceholderError, match=r"a literal one is \$\$\{"):
        fill(text, {})


@given(st.text("${}:-AB", max_size=20))
def test_any_text_is_filled_or_refused(text: str) -> None:
    try:
        filled = fill(text, {"A": "1"})
    except PlaceholderError:
        return

    assert ("${" in filled) is ("$${" in text)


@given(st.text(max_size=20))
def test_a_doubled_dollar_keeps_any_text_as_it_is(text: str) -> None:
    escaped = text.replace("${", "$${")

    assert fill(escaped, {}) == text
