"""What a request asks for, read from its query and body: typed, bounded, every mistake told."""

import base64
import binascii
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from fleetpulse.durations import parse_duration
from fleetpulse.web.api.errors import AskedWronglyError, quoted

MOST_ROWS: Final = 1000
ROWS: Final = 100
LONGEST_TEXT: Final = 200
LONGEST_PAUSE: Final = timedelta(days=365)
_LONGEST_CURSOR: Final = 2048

Word = TypeVar("Word", bound=StrEnum)
Key = TypeVar("Key")


class Question:
    """The query of one request. A parameter that is not among `known` is refused: a typo must not list everything.

    Errors: AskedWronglyError, from everything here.
    """

    def __init__(self, request: web.Request, known: Collection[str]) -> None:
        self._given: Mapping[str, str] = request.query
        for name in request.query:
            if name not in known:
                close = get_close_matches(name[:LONGEST_TEXT], known, n=1)
                meant = f", did you mean {close[0]}?" if close else f": there are {', '.join(known) or 'none'}"
                raise AskedWronglyError(f"there is no parameter {quoted(name)}{meant}")
            if len(request.query.getall(name)) > 1:
                raise AskedWronglyError(f"{name} is given more than once")

    def text(self, name: str) -> str | None:
        """A text, None where it is not given.

        An empty one is refused, as `?group=$GROUP` becomes where that is not set: a gap must not list everything.
        """
        given = self._given.get(name)
        if given == "":
            raise AskedWronglyError(f"{name} is empty: leave it out, or say which")
        if given is not None and len(given) > LONGEST_TEXT:
            raise AskedWronglyError(f"{name} is longer than {LONGEST_TEXT} characters")
        return given

    def word(self, name: str, words: type[Word]) -> Word | None:
        """One of some words."""
        given = self.text(name)
        if given is None:
            return None
        try:
            return words(given)
        except ValueError:
            raise AskedWronglyError(f"{name} must be one of {', '.join(words)}, not {quoted(given)}") from None

    def among(self, name: str, things: Sequence[str]) -> str | None:
        """A name that is there."""
        given = self.text(name)
        if given is not None and given not in things:
            there = ", ".join(things[:20]) or "none"
            raise AskedWronglyError(f"no {name} is called {quoted(given)}; the service has {there}")
        return given

    def limit(self) -> int:
        """How many rows the answer may have at most."""
        given = self.text("limit")
        if given is None:
            return ROWS
        if not (given.isascii() and given.isdecimal() and len(given) <= 6 and 1 <= int(given) <= MOST_ROWS):  # noqa: PLR2004 - more digits are too many rows
            raise AskedWronglyError(f"limit must be a whole number from 1 to {MOST_ROWS}")
        return int(given)

    def after(self, key: type[Key]) -> Key | None:
        """Behind which key the answer begins, as `cursor` wrote it into the answer before."""
        given = self._given.get("after") or None
        if given is None:
            return None
        try:
            raw = base64.b64decode(given[:_LONGEST_CURSOR].encode("ascii"), altchars=b"-_", validate=True)
            return msgspec.json.decode(raw, type=key)
        except (ValueError, msgspec.MsgspecError, binascii.Error):  # UnicodeError is a ValueError
            raise AskedWronglyError("after is no cursor of an answer to this question") from None


def cursor(key: Iterable[Any]) -> str:
    """An opaque word for a key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(tuple(key))).decode()


class _Pause(msgspec.Struct, forbid_unknown_fields=True, rename={"for_": "for"}):
    for_: str | None = None


_PAUSE: Final = msgspec.json.Decoder(_Pause)


async def pause_wish(request: web.Request) -> timedelta | None:
    """How long a pause is to last, None without an end: the body is `{"for": "2h"}` or empty.

    Errors: AskedWronglyError.
    """
    body = await request.read()
    if not body.strip():
        return None
    try:
        wish = _PAUSE.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise AskedWronglyError('the body must be empty or JSON like {"for": "2h"}') from None
    if wish.for_ is None:
        return None
    try:
        for_ = parse_duration(wish.for_[:LONGEST_TEXT])
    except ValueError as error:
        raise AskedWronglyError(f"'for' {error}") from None
    if not timedelta() < for_ <= LONGEST_PAUSE:
        raise AskedWronglyError("'for' must be longer than nothing and a year at most; without it a pause has no end")
    return for_
