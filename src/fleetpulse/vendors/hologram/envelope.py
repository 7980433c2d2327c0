"""The envelope around every answer: whether it is a yes, the rows in it, and where a list goes on.

Source: docs/vendors/hologram.md, "Success" and "Paging".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from fleetpulse.vendors.contract import (
    AnswerInvalid,
    CredentialsRejected,
    RateLimited,
    ResourceUnavailable,
    SourceError,
)
from fleetpulse.vendors.wire import Paging, Refusals, Reply, Rows, Step, text, word
from fleetpulse.vendors.wire.rows import check_size, convert

Row = TypeVar("Row")

_BY_TEXT: Final = (("not logged in", CredentialsRejected), ("rate limit exceeded", RateLimited))
CENSUS: Final = Refusals(by_status={401: CredentialsRejected, 403: CredentialsRejected}, by_text=_BY_TEXT)
"""Of the device list: a key that may not read it is good for nothing here."""
ELSEWHERE: Final = Refusals(by_status={401: CredentialsRejected, 403: ResourceUnavailable}, by_text=_BY_TEXT)
"""Of the rest: a plan or a role may lack one thing and have the others."""
_SAYS_NO: Final = frozenset({"", "false", "0", "no", "null"})


def opened(reply: Reply, refusals: Refusals, *, cursor: bool = False) -> Mapping[str, Any]:
    """The envelope of a good answer. Success is decided by status and body both: either may say no.

    Errors: CredentialsRejected, RateLimited, AnswerInvalid; others where `refusals` says so.
    """
    return _opened(reply, refusals, cursor=cursor)[0]


def values(value: object) -> Sequence[Any]:
    """What a list holds, also where it came as an object with its rows under their ids, as some lists here do."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


class Listing(msgspec.Struct, Generic[Row], frozen=True, kw_only=True):
    """One page of a list, and what it says of the next one, of any type."""

    rows: Rows[Row]
    continues: Any = None
    lastid: Any = None


class Lists(Generic[Row]):
    """Reads pages of lists whose rows are of one type."""

    def __init__(self, row: type[Row]) -> None:
        self._row = row
        listed: Any = list[row]  # type: ignore[valid-type]  # a type that is known at run time only
        fields = [(name, Any, msgspec.field(default=None)) for name in ("success", "continues", "lastid")]
        self._page: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
            msgspec.defstruct("ListPage", [("data", listed), *fields])
        )

    def read(self, reply: Reply, refusals: Refusals, *, cursor: bool) -> Listing[Row]:
        """One page: decoded as a whole where it is as documented, else row by row.

        Errors: those of `opened`.
        """
        try:
            check_size(reply.answer.body)
            page = self._page.decode(reply.answer.body)
        except (AnswerInvalid, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._row_by_row(reply, refusals, cursor=cursor)
        if page.success is not True:
            return self._row_by_row(reply, refusals, cursor=cursor)
        return Listing(rows=Rows(items=page.data), continues=page.continues, lastid=page.lastid)

    def _row_by_row(self, reply: Reply, refusals: Refusals, *, cursor: bool) -> Listing[Row]:
        envelope, mended = _opened(reply, refusals, cursor=cursor)
        data = envelope.get("data", False)
        if data is not None and not isinstance(data, (list, dict)):
            raise reply.invalid("an envelope without a list")
        with reply.placed():
            rows = convert(_keyed(data) if isinstance(data, dict) else data or [], self._row)
        return Listing(
            rows=Rows(items=rows.items, odd=rows.odd, oddity=rows.oddity or mended),
            continues=envelope.get("continues"),
            lastid=envelope.get("lastid"),
        )


def onward(paging: Paging, listing: Listing[Any], ids: Sequence[str]) -> Step:
    """What follows a page with these ids. `links.next` is no way there: it may name any host.

    The order is newest first and the cursor an id, so where `lastid` lacks the smallest id of the page stands in.
    """
    rows = len(listing.rows.items) + listing.rows.odd
    if not _goes_on(listing.continues):
        return paging.after(ids, rows=rows, cursor=None, total=None)
    cursor = _id(listing.lastid) or min((id_ for id_ in ids if _id(id_)), key=int, default="")
    if not rows or not cursor:
        return Step(guard="a list that continues does not tell where")
    return paging.after(ids, rows=rows, cursor=cursor, total=None)


def _opened(reply: Reply, refusals: Refusals, *, cursor: bool) -> tuple[Mapping[str, Any], str]:
    try:
        found, mended = reply.document()
    except AnswerInvalid as error:
        no = _no(reply, refusals, cursor=cursor, otherwise=error)
        raise no from error.__cause__  # it may be the error itself, which did not lead to itself
    if not isinstance(found, dict):
        raise _no(reply, refusals, cursor=cursor, otherwise=reply.invalid("JSON that is no envelope"))
    if found.get("success") is not True:
        raise reply.refusal(refusals, cursor=cursor)
    return found, mended


def _no(reply: Reply, refusals: Refusals, *, cursor: bool, otherwise: AnswerInvalid) -> SourceError:
    """A body in another dress (a bare word, a page) may say no as well; else it is invalid in its own way."""
    refusal = reply.refusal(refusals, cursor=cursor)
    return otherwise if isinstance(refusal, AnswerInvalid) else refusal


def _keyed(data: Mapping[str, Any]) -> list[Any]:
    """The rows of an object that has them under their ids; one bare row is a list of itself."""
    if "id" in data and not isinstance(data["id"], dict):
        return [data]
    return [{"id": key} | row if isinstance(row, dict) else row for key, row in data.items()]


def _goes_on(continues: object) -> bool:
    """Documented is true, or nothing at all; what is unheard of is no proof that a list has ended."""
    return word(continues) not in _SAYS_NO if isinstance(continues, str) else bool(continues)


def _id(value: object) -> str:
    spelled = text(value)
    return spelled if spelled.isascii() and spelled.isdigit() else ""
