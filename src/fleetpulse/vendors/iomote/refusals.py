"""What the vendor's ERROR means. It is all there is: no status, no code, and words that nobody documents.

Source: docs/vendors/iomote.md, "Errors".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from fleetpulse.vendors.contract import (
    AnswerInvalid,
    CredentialsRejected,
    RateLimited,
    ResourceUnavailable,
    SourceError,
    SourceUnreachable,
)
from fleetpulse.vendors.wire import Refusals, document, said

_LARGEST_ERROR_BYTES: Final = 64 * 1024  # an ERROR is a line; whatever is longer is no error, and is not looked through
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BARE: Final = re.compile(r"error\b", re.IGNORECASE)

Meanings = Sequence[tuple[re.Pattern[str], type[SourceError]]]

_TOO_FAST: Final[Meanings] = ((re.compile(r"too many|rate limit|throttl", re.IGNORECASE), RateLimited),)
# These words speak of the cloud itself: to call its key refused would wake somebody who can do nothing
_OF_ACCOUNT: Final[Meanings] = (
    *_TOO_FAST,
    (re.compile(r"\binternal\b|unavailable|time-?out|timed out|try again", re.IGNORECASE), SourceUnreachable),
)
# First fitting row wins: "unknown device for this key" speaks of the key, "user not found" of the account
_OF_ONE_THING: Final[Meanings] = (
    *_TOO_FAST,
    (re.compile(r"\bapi.?key|\bkey\b|authori[sz]|authenticat|credential", re.IGNORECASE), CredentialsRejected),
    (re.compile(r"device|gateway|group", re.IGNORECASE), ResourceUnavailable),
    (re.compile(r"user|account", re.IGNORECASE), CredentialsRejected),
    (re.compile(r"not found|no such|unknown|not exist", re.IGNORECASE), ResourceUnavailable),
)
# These come from what stands before the application, or mean the same whatever else is said
_BY_STATUS: Final[Mapping[int, type[SourceError]]] = {
    401: CredentialsRejected,
    408: SourceUnreachable,
    429: RateLimited,
    **dict.fromkeys(range(500, 600), SourceUnreachable),
}


def error_text(body: bytes) -> str | None:
    """The text of an ERROR, "" where it has none; None for any other body.

    An ERROR is an object with `error`, in a list of one too, or the bare word, as JSON or as plain text.
    """
    if len(body) > _LARGEST_ERROR_BYTES:
        return None
    trimmed = body.removeprefix(_BYTE_ORDER_MARK).strip()
    if trimmed[:1] not in (b"{", b"[", b'"'):
        text = said(trimmed)
        return text if _BARE.match(text) else None
    try:
        found, _ = document(trimmed)
    except AnswerInvalid:
        return None
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if isinstance(found, str):
        return found if _BARE.match(found) else None
    if not isinstance(found, dict):
        return None
    spelled = next((key for key in found if key.casefold() == "error" and found[key] not in (None, False)), None)
    return None if spelled is None else said(trimmed)


def _meaning(
    known: Meanings, *, otherwise: type[SourceError] = CredentialsRejected
) -> Callable[[bytes], type[SourceError] | None]:
    def meaning(body: bytes) -> type[SourceError] | None:
        text = error_text(body)
        if text is None:
            return None
        return next((means for pattern, means in known if pattern.search(text)), otherwise)

    return meaning


CENSUS: Final = Refusals({**_BY_STATUS, 403: CredentialsRejected}, by_body=_meaning(_OF_ACCOUNT))
"""Of the device list: it is there for everybody whose key is good, so any other ERROR speaks of the key."""
GROUPS: Final = Refusals(_BY_STATUS, by_body=_meaning(_OF_ACCOUNT))
"""Of the group list, which an account may lack."""
ONE_THING: Final = Refusals(_BY_STATUS, by_body=_meaning(_OF_ONE_THING))
"""Of one device or one group, which may not be there."""
GUESS: Final = Refusals(_BY_STATUS, by_body=_meaning(_OF_ONE_THING, otherwise=ResourceUnavailable))
"""Of one device by an id that may be the wrong one of its two: unless it speaks of the key, the other one is tried."""
