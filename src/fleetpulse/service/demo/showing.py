"""What the demo shows of a notification: the body its receiver took over HTTP, as its reader would see it."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_DATE: Final = re.compile(r"<!date\^\d+\^[^|>]*\|([^>]*)>")
_LINK: Final = re.compile(r"<(https?://[^|>]+)\|([^>]*)>")
_BOLD_LINE: Final = re.compile(r"^\*([^*\n]+)\*$", re.MULTILINE)
_FENCE_LINE: Final = re.compile(r"^```(\n|$)", re.MULTILINE)


def slack_text(body: Mapping[str, Any]) -> str:
    """The texts of a Slack message's blocks, with dates and links as a reader sees them."""
    lines = [text for block in body.get("blocks", ()) for text in _texts(block)]
    return "\n".join(_seen(line) for line in lines or [str(body.get("text", ""))])


def webhook_text(body: bytes) -> str:
    """One line on a CloudEvent."""
    event = json.loads(body)
    alerts = event["data"]["alerts"]
    return f"{event['type']} {event['subject']}: {len(alerts)} alert{'s' * (len(alerts) != 1)}, {len(body):,} bytes"


def _texts(block: Mapping[str, Any]) -> Iterator[str]:
    """Every text of a block, whatever its kind: texts, fields, elements, rich text."""
    text = block.get("text")
    if isinstance(text, str):
        yield text
    elif isinstance(text, Mapping):
        yield from _texts(text)
    for key in ("fields", "elements"):
        inner = [part for element in block.get(key, ()) for part in _texts(element)]
        if inner:
            yield " ".join(inner) if block.get("type") in {"context", "rich_text_section"} else "\n".join(inner)


def _seen(text: str) -> str:
    bare = _BOLD_LINE.sub(r"\1", _FENCE_LINE.sub("", text))
    return html.unescape(_LINK.sub(r"\2", _DATE.sub(r"\1", bare))).strip("\n")
