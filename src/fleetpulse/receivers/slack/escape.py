"""Vendors' words made harmless for Slack, and never cut in the middle of what we write ourselves.

Slack has no escape for `*bold*`, `_italic_`, `~struck~`, code spans, emoji codes and quotes, so these characters become
look-alikes where they would be read as formatting. `&`, `<` and `>` become entities in mrkdwn. In plain text, where
Slack parses nothing and it is not documented whether entities are decoded, the brackets become look-alikes too.

Sizes are counted in UTF-16 units after escaping: Slack does not say what it counts, and that is the larger count.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BRACKETS: Final = {"<": "\u2039", ">": "\u203a"}
_FORMATTING: Final = str.maketrans({"*": "\u2217", "~": "\u223c", "`": "\u02cb"})
# inside a word an underscore formats nothing, and `gate_17` should still be found when copied
_LOOSE_UNDERSCORE: Final = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
# `:de:` in the middle of a MAC address is a flag; `:14:` within a time is none, and an id with a time is to be copied
_EMOJI_CODE: Final = re.compile(r":(?!(?<=\d\d:)\d\d:\d\d)(?=[\w+'-]+:)")
_ANSI: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_LONGEST_READ: Final = 20_000  # characters looked at, far above any limit; a name may be as long as a vendor likes
_LONGEST_URL: Final = 500
_TODAY: Final = timedelta(hours=12)  # the reader's midnight is unknown; further away the date is shown too
_MORE: Final = "\u2026"


def one_line(text: str) -> str:
    """The text on one line: control and line characters become spaces, invisible and bidi ones vanish."""
    return " ".join("".join(map(_visible, text[:_LONGEST_READ])).split())


def plain(text: str, *, limit: int) -> str:
    """One line for a `plain_text` object, `limit` units at most."""
    text = _EMOJI_CODE.sub("\u2236", one_line(text))
    return _fit([_BRACKETS.get(char, char) for char in text], limit)


def mrkdwn(text: str, *, limit: int) -> str:
    """One line of literal text within a `mrkdwn` object, `limit` units at most."""
    text = _LOOSE_UNDERSCORE.sub("\u02cd", one_line(text).translate(_FORMATTING))
    text = _EMOJI_CODE.sub("\u2236", text)
    if text.startswith(">"):  # at the start of a line even its entity makes a quote
        text = f"\u203a{text[1:]}"
    return _fit([_ENTITIES.get(char, char) for char in text], limit)


def printed(text: str) -> str:
    """The lines that a program printed: terminal colours and empty lines at both ends go."""
    lines = [
        "".join(map(_visible, line)).rstrip() for line in _ANSI.sub("", text[-_LONGEST_READ:]).expandtabs().splitlines()
    ]
    return "\n".join(lines).strip("\n")


def fence(text: str, *, limit: int) -> str:
    """A preformatted piece with the end of what was printed, which is where the error stands; empty for no text.

    `limit` counts the fence too.
    """
    text = printed(text).replace("`", "\u02cb")
    if not text:
        return ""
    pieces = [_ENTITIES.get(char, char) for char in reversed(text)]
    return f"```\n{_fit(pieces, limit - len('```' * 2) - 2, backwards=True)}\n```"


def moment(at: datetime, *, now: datetime) -> str:
    """A time that Slack shows in the reader's zone, with the date where it is half a day away or more."""
    at = at.astimezone(UTC)
    if abs(now - at) < _TODAY:
        return f"<!date^{int(at.timestamp())}^{{time}}|{at:%H:%M} UTC>"
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


def link(url: str, *, label: str) -> str:
    """A link of ours; empty where the URL is none that a person could open, or too long."""
    url = one_line(url)
    if not url.startswith(("https://", "http://")):
        return ""
    safe = quote(url, safe=":/?#[]@!$&'()*+,;=%~").replace("&", "&amp;")
    return f"<{safe}|{label}>" if len(safe) <= _LONGEST_URL else ""


def units(text: str) -> int:
    """The size of a text as it is counted against Slack's limits."""
    return sum(2 if ord(char) > 0xFFFF else 1 for char in text)  # noqa: PLR2004 - the end of UTF-16's single units


def _visible(char: str) -> str:
    match unicodedata.category(char):
        case "Cc" | "Zl" | "Zp":
            return " "
        case "Cf":
            return ""
        case "Cs" | "Co" | "Cn":
            return "\ufffd"
        case _:
            return char


def _fit(pieces: Sequence[str], limit: int, *, backwards: bool = False) -> str:
    """As many whole pieces as fit; pieces that come backwards are turned round, with the cut in front."""
    size = kept = 0
    for piece in pieces:
        size += units(piece)
        kept += size < limit  # one unit stays free for the sign that something is missing
        if size > limit:
            pieces = [*pieces[:kept], _MORE]
            break
    return "".join(reversed(pieces) if backwards else pieces)
