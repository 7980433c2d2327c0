"""One question to a vendor: its errors and statuses become the closed set of the contract."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from fleetpulse.outbound import Account, Answer, OutboundError, Priority, Unreachable
from fleetpulse.outbound.session import place
from fleetpulse.vendors.contract import (
    AnswerInvalid,
    CredentialsRejected,
    CursorRefused,
    RateLimited,
    ResourceUnavailable,
    SourceError,
    SourceUnreachable,
)
from fleetpulse.vendors.wire.rows import Rows, Table, document, said
from fleetpulse.vendors.wire.values import TEXT_LIMIT, text

Row = TypeVar("Row")

_COMMON: Mapping[int, type[SourceError]] = {
    401: CredentialsRejected,
    403: ResourceUnavailable,
    404: ResourceUnavailable,
    408: SourceUnreachable,
    429: RateLimited,
}
_CURSOR_REFUSALS = frozenset({400, 410, 422})  # to a request that carried a cursor and was fine without one
_PHRASES: Mapping[type[SourceError], str] = {
    AnswerInvalid: "answers unexpectedly",
    CredentialsRejected: "rejects the credentials",
    CursorRefused: "no longer takes the cursor",
    RateLimited: "limits the rate of requests",
    ResourceUnavailable: "is not available",
    SourceUnreachable: "fails",
}


class Refusals(msgspec.Struct, frozen=True):
    """A vendor's own table of what its refusals mean, before the common one.

    `by_text` rows are (a piece of the vendor's error text in lower case, meaning): they win whatever the status, or
    under `text_statuses` alone where those are given. `by_body` is for a vendor that tells its errors by the shape of
    the body; it gives None where the body tells none.
    """

    by_status: Mapping[int, type[SourceError]] = {}
    by_text: tuple[tuple[str, type[SourceError]], ...] = ()
    text_statuses: frozenset[int] | None = None
    by_body: Callable[[bytes], type[SourceError] | None] | None = None

    def meaning(self, status: int, vendors_text: str, *, cursor: bool, body: bytes = b"") -> type[SourceError]:
        """The error that an answer stands for which is no success."""
        lowered = vendors_text.casefold()
        for piece, meaning in self.by_text if self.text_statuses is None or status in self.text_statuses else ():
            if piece in lowered:
                return meaning
        if status in self.by_status:
            return self.by_status[status]
        if self.by_body is not None and (told := self.by_body(body)) is not None:
            return told
        if cursor and status in _CURSOR_REFUSALS:
            return CursorRefused
        if status >= 500:  # noqa: PLR2004 - 5xx
            return SourceUnreachable
        return _COMMON.get(status, AnswerInvalid)


class Reply(msgspec.Struct, frozen=True):
    """A 2xx answer, whose body may still be anything. `place` (host and resource) begins every error text."""

    answer: Answer
    place: str
    redact: Callable[[str], str]

    def rows(self, table: Table[Row]) -> Rows[Row]:
        """The answer's rows.

        Errors: AnswerInvalid.
        """
        with self.placed():
            return table.decode(self.answer.body)

    def document(self) -> tuple[Any, str]:
        """The answer as plain JSON values, and what had to be mended.

        Errors: AnswerInvalid.
        """
        with self.placed():
            return document(self.answer.body)

    @contextmanager
    def placed(self) -> Iterator[None]:
        """Give the errors of those who read the body alone their place: which host, which resource."""
        try:
            yield
        except AnswerInvalid as error:
            raise self.invalid(str(error)) from None  # what it says is not yet redacted

    def invalid(self, what: str) -> AnswerInvalid:
        """The error for an answer that is `what` instead of what is documented."""
        return AnswerInvalid(f"{self.place}: the answer is {text(self.redact(what), TEXT_LIMIT)}")

    def refusal(self, refusals: Refusals, *, cursor: bool = False) -> SourceError:
        """The error for a body that says no under a status that says yes."""
        return _refusal(self.answer, refusals=refusals, place=self.place, redact=self.redact, cursor=cursor, hint="")


def segment(value: str) -> str:
    """One segment of a path, quoted.

    Errors: ResourceUnavailable for `.`, `..` and nothing at all: with these, another path would be asked for.
    """
    if value in {"", ".", ".."}:
        raise ResourceUnavailable(f"there is nothing with the id {value!r}")
    return quote(value, safe="", errors="replace")


async def ask(
    account: Account,
    path: str,
    *,
    resource: str,
    refusals: Refusals,
    params: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    priority: Priority = Priority.STATE,
    cursor: bool = False,
    quiet_s: float | None = None,
    hints: Mapping[int, str] | None = None,
) -> Reply:
    """Ask once, in the account's turn.

    `cursor` tells that the request carries one; `hints` add our own words to a status; `quiet_s` as in `Account.get`.
    `body` goes along with the GET, its media type among the headers; its secrets are the caller's to have learned.
    Errors: SourceUnreachable, RateLimited, CredentialsRejected, ResourceUnavailable, CursorRefused, AnswerInvalid.
    Their texts name host, resource, status and what the vendor says, redacted.
    """
    where = f"{account.host} {resource}"
    try:
        answer = await account.get(path, params=params, headers=headers, body=body, priority=priority, quiet_s=quiet_s)
    except Unreachable as error:
        raise SourceUnreachable(f"{resource}: {error}") from error
    except OutboundError as error:
        raise AnswerInvalid(f"{resource}: {error}") from error
    if answer.status // 100 == 2:  # noqa: PLR2004 - 2xx
        return Reply(answer, where, account.redact)
    hint = (hints or {}).get(answer.status, "") or _redirect(answer)
    raise _refusal(answer, refusals=refusals, place=where, redact=account.redact, cursor=cursor, hint=hint)


def _refusal(
    answer: Answer, *, refusals: Refusals, place: str, redact: Callable[[str], str], cursor: bool, hint: str
) -> SourceError:
    vendors_text = said(answer.body)
    meaning = refusals.meaning(answer.status, vendors_text, cursor=cursor, body=answer.body)
    told = f"{place}: {_PHRASES[meaning]} ({answer.status}{', ' if hint else ''}{hint})"
    if vendors_text:
        told += f': "{text(redact(vendors_text), TEXT_LIMIT)}"'
    if meaning is RateLimited:
        return RateLimited(told, retry_after_s=answer.retry_after_s)
    return meaning(told)


def _redirect(answer: Answer) -> str:
    location = answer.headers.get("Location")
    return f"a redirect to {place(location)}" if location and answer.status // 100 == 3 else ""  # noqa: PLR2004 - 3xx
