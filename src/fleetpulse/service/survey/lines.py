"""What a survey tells, line by line: values that also travel as JSON between a service and the command line."""

from typing import Final

import msgspec


class Failure(msgspec.Struct, frozen=True):
    """Why something could not be read: the error's name in the contract, and its text, redacted."""

    reason: str
    text: str


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag="progress"):
    """A walk under way. `total` is what the vendor announces, None where it does not."""

    resource: str
    rows: int
    total: int | None
    requests: int


class Finding(msgspec.Struct, frozen=True, kw_only=True, tag="finding"):
    """What a resource holds.

    `rows` are those of what was seen, `total` what the vendor announces; `at_least`: the walk was ended before its end.
    `counts` are rows by status. `groups` is how many groups of devices were met. `sampled` is the device that was
    asked for where a resource takes a request for each. `skipped` says why it was not asked at all, `unavailable` in
    which words the vendor keeps it from this key.
    """

    resource: str
    kind: str
    rows: int = 0
    total: int | None = None
    at_least: bool = False
    counts: dict[str, int] = {}
    groups: int | None = None
    requests: int = 0
    seconds: float = 0.0
    odd: tuple[str, ...] = ()
    sampled: str = ""
    skipped: str = ""
    unavailable: str = ""
    failure: Failure | None = None


class End(msgspec.Struct, frozen=True, kw_only=True, tag="end"):
    """The survey is over. `account` is what the vendor tells of it, `since_s` how far back deployments count."""

    account: str = ""
    since_s: float = 0.0
    requests: int = 0
    seconds: float = 0.0
    failure: Failure | None = None


Line = Progress | Finding | End

ON_DEMAND: Final = "on demand"
"""The kind of a finding about single things that are asked for by their id."""

_DECODER: Final[msgspec.json.Decoder[Line]] = msgspec.json.Decoder(Line)


def read_line(raw: bytes) -> Line:
    """A line as it came.

    Errors: ValueError where it is none.
    """
    try:
        return _DECODER.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"is no line of a survey: {error}") from error
