"""Bodies become rows: whole pages at once where they are as documented, row by row where they are not."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from fleetpulse.vendors.contract import AnswerInvalid
from fleetpulse.vendors.wire.values import text

Row = TypeVar("Row")

_PEEK_BYTES = 64 * 1024  # where a page's title or an error's text stands, if anywhere
_TITLE = re.compile(rb"<title[^<>]{0,200}>([^<]{0,500})</title", re.IGNORECASE)  # bounded: no page may make it slow
_MOST_OBJECTS = 250_000  # the largest page known holds some thousands; each costs a hundred bytes and more once decoded
_TITLE_WITHIN_BYTES = 4096
_SAID_LIMIT = 4096  # more than is shown: it is cut after redacting, for half a secret would pass the redactor
_ERROR_FIELDS = ("error_message", "message", "error", "detail", "errors", "title")
_ROW_NOT_UNDERSTOOD = "row {index}: {why}"


class Rows(msgspec.Struct, Generic[Row], frozen=True, kw_only=True):
    """The rows of one answer, and what stood beside them.

    `odd` counts rows that were skipped, `oddity` tells the first of them, or that bytes had to be mended; neither holds
    a value of the vendor's.
    """

    items: list[Row]
    beside: Mapping[str, Any] = {}
    odd: int = 0
    oddity: str = ""


class Table(Generic[Row]):
    """Where the rows of an answer stand, and what they look like.

    `keys` are the names the list may have (the first is the documented one; a bare list will do too), `beside` are the
    values next to it that are wanted, `lone` the field by which one bare row is known.
    """

    def __init__(
        self, row: type[Row], *, keys: Sequence[str], lone: str, beside: Sequence[str] = ("pagination_info",)
    ) -> None:
        self._row = row
        self._keys = keys
        self._lone = lone
        self._beside = tuple(beside)
        self._bare: msgspec.json.Decoder[list[Row]] = msgspec.json.Decoder(_list_of(row))
        self._envelope: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_envelope(row, keys, self._beside))

    def decode(self, body: bytes) -> Rows[Row]:
        """The rows of a body.

        Errors: AnswerInvalid when it is no JSON, holds no rows at all, or none that can be read.
        """
        check_size(body)
        try:
            if body[:1] == b"[":
                return Rows(items=self._bare.decode(body))
            values = msgspec.structs.astuple(self._envelope.decode(body))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._row_by_row(body)
        rows = next((rows for rows in values[: len(self._keys)] if rows), None)
        if rows is None:
            return self._row_by_row(body)
        return Rows(items=rows, beside=dict(zip(self._beside, values[len(self._keys) :], strict=True)))

    def _row_by_row(self, body: bytes) -> Rows[Row]:
        found, mended = document(body)
        rows = convert(self._listed(found), self._row)
        return Rows(
            items=rows.items,
            beside=found if isinstance(found, dict) else {},
            odd=rows.odd,
            oddity=rows.oddity or mended,
        )

    def _listed(self, found: Any) -> list[Any]:
        if isinstance(found, list):
            return found
        if isinstance(found, dict):
            listed = next((found[key] for key in self._keys if key in found), found)
            if isinstance(listed, list):
                return listed
            if listed is None:  # how some languages spell an empty list
                return []
            if isinstance(listed, dict) and self._lone in listed:
                return [listed]
            if vendors_text := said_in(found):
                raise AnswerInvalid(f'an error in a good answer: "{vendors_text}"')
        raise AnswerInvalid(f"JSON without a list of {self._keys[0]}")


def _envelope(row: type[Any], keys: Sequence[str], beside: Sequence[str]) -> type[msgspec.Struct]:
    """The struct of a page: a list of rows under any of the keys, anything under the names beside."""
    listed: Any = _list_of(row) | None
    lists = [(f"rows_{n}", listed, msgspec.field(name=key, default=None)) for n, key in enumerate(keys)]
    others = [(f"beside_{n}", Any, msgspec.field(name=name, default=None)) for n, name in enumerate(beside)]
    return msgspec.defstruct("Envelope", [*lists, *others])


def _list_of(row: type[Any]) -> Any:
    return list[row]  # type: ignore[valid-type]  # a type that is known at run time only


def convert(listed: Sequence[Any], row: type[Row]) -> Rows[Row]:
    """Rows out of plain JSON values, one by one; what cannot be a row is counted and skipped.

    Errors: AnswerInvalid where no row at all can be read: then it is not the rows that are odd.
    """
    items: list[Row] = []
    odd, oddity = 0, ""
    for index, value in enumerate(listed):
        try:
            items.append(msgspec.convert(value, row))
        except msgspec.ValidationError as error:
            odd += 1
            oddity = oddity or _ROW_NOT_UNDERSTOOD.format(index=index, why=error)  # names types and places only
        except UnicodeEncodeError:  # msgspec's convert lets it through
            odd += 1
            oddity = oddity or _ROW_NOT_UNDERSTOOD.format(index=index, why="half a character in a field's name")
    refuse_unreadable(len(items), odd=odd, oddity=oddity)
    return Rows(items=items, odd=odd, oddity=oddity)


def refuse_unreadable(read: int, *, odd: int, oddity: str) -> None:
    """A page of which no row can be read is no page: the vendor changed its format, and nothing may look healthy.

    Errors: AnswerInvalid.
    """
    if odd and not read:
        raise AnswerInvalid(f"none of {odd:,} rows can be read; {oddity}")


def document(body: bytes) -> tuple[Any, str]:
    """A body as plain JSON values, and what had to be mended for it ("" if nothing).

    Mended are bad UTF-8, half characters (lone surrogates) and NaN: msgspec refuses the whole page for one of them in
    one name, and a device must not vanish for that.

    Errors: AnswerInvalid, naming what the body looks like instead.
    """
    check_size(body)
    mended = ""
    try:
        return msgspec.json.decode(body), mended
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        try:
            decoded = body.decode("utf-8-sig")
        except UnicodeDecodeError:
            decoded, mended = body.decode("utf-8", errors="replace"), "bad UTF-8 in the page"
        return json.loads(decoded), mended or "half characters or NaN in the page"
    except RecursionError as error:
        raise AnswerInvalid("JSON nested too deeply") from error
    except ValueError as error:  # JSONDecodeError, and integers of thousands of digits
        raise AnswerInvalid(looks_like(body, error)) from error


def check_size(body: bytes) -> None:
    """Refuse a body that would become millions of objects, before any of them is made: three bytes each at least.

    Errors: AnswerInvalid.
    """
    if len(body) > 3 * _MOST_OBJECTS and body.count(b"{") + body.count(b"[") > _MOST_OBJECTS:
        raise AnswerInvalid(f"more than {_MOST_OBJECTS:,} objects in one answer")


def looks_like(body: bytes, error: ValueError) -> str:
    """What a body that is no JSON is instead, in a few words for people."""
    start = body[:_PEEK_BYTES].strip()
    if not body.strip():
        return "an empty body"
    if start.startswith(b"<"):
        title = _TITLE.search(start[:_TITLE_WITHIN_BYTES])
        named = text(title[1].decode("utf-8", errors="replace"), _SAID_LIMIT) if title else ""
        return f"an HTML page titled {named!r}" if named else "an HTML or XML page"
    if not isinstance(error, json.JSONDecodeError):
        return "JSON with an absurd number"
    if start[:1] not in (b"{", b"["):
        return "text that is no JSON"
    if error.msg.startswith("Unterminated string") or error.pos >= len(error.doc.rstrip()):
        return f"JSON cut at byte {len(body)}"
    return f"malformed JSON at byte {len(error.doc[: error.pos].encode(errors='replace'))}"


def said(body: bytes) -> str:
    """The vendor's own error text in a body of any kind; "" where it says nothing. To be redacted, then cut."""
    start = body[:_PEEK_BYTES]
    try:
        found, _ = document(start)
    except AnswerInvalid as error:
        if start.lstrip()[:1] in (b"<", b"{", b"[", b""):
            return "" if not start.strip() else str(error)
        return text(start.decode("utf-8", errors="replace"), _SAID_LIMIT)
    return said_in(found)


def said_in(found: Any) -> str:
    """The error text inside decoded JSON."""
    if isinstance(found, Mapping):
        return next((line for key in _ERROR_FIELDS if (line := said_in(found.get(key)))), "")
    if isinstance(found, list):
        return next((line for entry in found if (line := said_in(entry))), "")
    return text(found, _SAID_LIMIT)
