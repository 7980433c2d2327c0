"""What an incoming webhook of Slack accepts: the limits of its messages and blocks.

Source: https://docs.slack.dev/reference/block-kit/blocks and
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (the words of the refusals).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BLOCKS: Final = 50
MAX_SECTION_TEXT: Final = 3000
MAX_HEADER_TEXT: Final = 150
MAX_CONTEXT_ELEMENTS: Final = 10
MAX_FIELDS: Final = 10
MAX_FIELD_TEXT: Final = 2000
MAX_ACTIONS: Final = 25
MAX_BUTTON_TEXT: Final = 75
MAX_TOTAL_TEXT: Final = 12_000
TEXT_TYPES: Final = ("plain_text", "mrkdwn")
BLOCK_TYPES: Final = frozenset(
    {"actions", "context", "divider", "file", "header", "image", "input", "markdown", "rich_text", "section", "video"},
)


def decode(raw: bytes) -> dict[str, Any] | None:
    """Read a message; None when it is no JSON object."""
    try:
        message = json.loads(raw)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def refusal(message: dict[str, Any]) -> str | None:
    """Tell in Slack's word why a message is refused; None when it is taken."""
    blocks = message.get("blocks")
    if not message.get("text") and not blocks and not message.get("attachments"):
        return "no_text"
    if blocks is not None and not _blocks_hold(blocks):
        return "invalid_blocks"
    if sum(map(len, _texts([message.get("text"), blocks]))) > MAX_TOTAL_TEXT:
        return "invalid_blocks"
    return None


def _blocks_hold(blocks: Any) -> bool:
    return isinstance(blocks, list) and len(blocks) <= MAX_BLOCKS and all(map(_block_holds, blocks))


def _block_holds(block: Any) -> bool:
    match block:
        case {"type": "section"}:
            return _section_holds(block)
        case {"type": "header"}:
            return _text_holds(block.get("text"), MAX_HEADER_TEXT, ("plain_text",))
        case {"type": "context"}:
            return _elements_hold(block.get("elements"), MAX_CONTEXT_ELEMENTS, _context_element_holds)
        case {"type": "actions"}:
            return _elements_hold(block.get("elements"), MAX_ACTIONS, _action_holds)
        case {"type": str(kind)}:
            return kind in BLOCK_TYPES
    return False


def _section_holds(block: dict[str, Any]) -> bool:
    text, fields = block.get("text"), block.get("fields")
    if text is None and fields is None:
        return False
    if text is not None and not _text_holds(text, MAX_SECTION_TEXT):
        return False
    if fields is None:
        return True
    if not isinstance(fields, list) or not 1 <= len(fields) <= MAX_FIELDS:
        return False
    return all(_text_holds(each, MAX_FIELD_TEXT) for each in fields)


def _elements_hold(elements: Any, most: int, holds: Callable[[Any], bool]) -> bool:
    return isinstance(elements, list) and 1 <= len(elements) <= most and all(map(holds, elements))


def _context_element_holds(element: Any) -> bool:
    match element:
        case {"type": "image", "image_url": str(), "alt_text": str()}:
            return True
    return _text_holds(element, MAX_SECTION_TEXT)


def _action_holds(element: Any) -> bool:
    match element:
        case {"type": "button", "text": text}:
            return _text_holds(text, MAX_BUTTON_TEXT, ("plain_text",))
        case {"type": str()}:
            return True
    return False


def _text_holds(text: Any, longest: int, types: tuple[str, ...] = TEXT_TYPES) -> bool:
    match text:
        case {"type": str(kind), "text": str(words)}:
            return kind in types and 1 <= len(words) <= longest
    return False


def _texts(value: Any) -> Iterator[str]:
    """Walk all words that people would read."""
    match value:
        case str():
            yield value
        case list():
            for each in value:
                if isinstance(each, dict | list | str):
                    yield from _texts(each)
        case dict():
            for key in ("text", "fields", "elements", "title", "alt_text"):
                yield from _texts(value.get(key))
