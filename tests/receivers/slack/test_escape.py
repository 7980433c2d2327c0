"""Vendors' words are harmless in Slack and never cut in the middle of an escape."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.receivers.slack.escape import fence, mrkdwn, one_line, plain, units

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("words", "harmless"),
    [
        ("<!channel> & <@U123> <https://x|y>", "&lt;!channel&gt; &amp; &lt;@U123&gt; &lt;https://x|y&gt;"),
        ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
        ("*bold* ~gone~ `code`", "\u2217bold\u2217 \u223cgone\u223c \u02cbcode\u02cb"),
        ("_italic_ gate_17_b __x__", "\u02cditalic\u02cd gate_17_b \u02cd\u02cdx\u02cd\u02cd"),
        ("00:de:ad at 14:02 :fire:", "00\u2236de:ad at 14:02 \u2236fire:"),
        ("camera-driver@2026-11-20T17:14:17Z", "camera-driver@2026-11-20T17:14:17Z"),
        ("at 09:05:59 :100: 17:1234:17", "at 09:05:59 \u2236100: 17\u22361234:17"),
        ("> quoted", "\u203a quoted"),
        ("two\r\nlines\tand\x00more\u2028end", "two lines and more end"),
        ("\u202egnp.exe\u202c \u200bhidden\ufeff", "gnp.exe hidden"),
        ("lone \ud800 half", "lone \ufffd half"),
        ("d-0a1b-2c3d Gerät Łódź 東京", "d-0a1b-2c3d Gerät Łódź 東京"),
    ],
)
def test_formatting_mentions_and_invisible_signs_lose_their_force(words: str, harmless: str) -> None:
    assert mrkdwn(words, limit=200) == harmless


def test_plain_text_needs_no_entities_and_holds_no_brackets() -> None:
    assert plain("R&D <!here>", limit=80) == "R&D \u2039!here\u203a"


def test_a_fence_cannot_be_left() -> None:
    assert fence("a\n```\n<!channel>\x1b[31mred\x1b[0m\x07", limit=80) == (
        "```\na\n\u02cb\u02cb\u02cb\n&lt;!channel&gt;red\n```"
    )


@pytest.mark.parametrize("empty", ["", "\n\n", "\x1b[0m", "   \n"])
def test_an_output_of_nothing_is_no_fence(empty: str) -> None:
    assert fence(empty, limit=80) == ""


@given(ANYTHING, st.integers(5, 80))
def test_a_limit_cuts_before_an_escape_or_after_it(words: str, limit: int) -> None:
    whole, cut = mrkdwn(words, limit=10_000), mrkdwn(words, limit=limit)

    assert units(cut) <= limit
    assert cut == whole or (whole.startswith(cut[:-1]) and cut[-1] == "\u2026")
    assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", cut)


@given(ANYTHING, st.integers(16, 80))
def test_a_fence_keeps_its_limit_and_both_its_ends(words: str, limit: int) -> None:
    fenced = fence(words, limit=limit)

    assert units(fenced) <= limit
    assert fenced == "" or (fenced.startswith("```\n") and fenced.endswith("\n```"))
    assert "`" not in fenced[3:-3]


@given(ANYTHING)
def test_one_line_is_one_visible_line(words: str) -> None:
    line = one_line(words)

    assert line == one_line(line)
    assert line == "" or (len(line.splitlines()) == 1 and line == line.strip())
    assert line.encode().decode() == line  # UTF-8 can carry it


def test_units_count_what_slack_may_count() -> None:
    assert units("a\u00e9\U0001f4a5") == 4
