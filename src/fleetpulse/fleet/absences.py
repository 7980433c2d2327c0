"""Who is absent from one complete walk to the next, and what that proves. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from fleetpulse.fleet.doubt import Doubt, doubtful, weigh
from fleetpulse.fleet.walk import Walk

_NOBODY: Final = frozenset[str]()
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a walk that tells absence proves.

    `gone` are missing from now on, `fleeting` were never more than a doubted list's, `absent` are lacked for the first
    time. `newcomers` are those of a doubted time that no second walk has listed yet.
    """

    gone: frozenset[str] = _NOBODY
    fleeting: frozenset[str] = _NOBODY
    absent: frozenset[str] = _NOBODY
    doubt: Doubt | None = None
    newcomers: Mapping[str, datetime] = {}


class Absences:
    """What the ends of walks said so far. Nothing changes but by `accept` and by an operator's word."""

    def __init__(self) -> None:
        self.doubt: Doubt | None = None
        self.accepted = False  # the next list that tells absence is to be believed, however short
        self.walked_at = _NEVER  # when the last walk of this process began that told who is absent, and was not empty
        self._absent = _NOBODY
        self._newcomers: dict[str, datetime] = {}

    def judge(self, absent: frozenset[str], walk: Walk, *, known: int, seen_at: datetime) -> Verdict:
        """What it proves that a walk lacks these of so many `known` devices, missing ones not counted.

        Missing takes two complete walks in a row. A walk that lists far fewer devices than are known is doubted: see
        `Doubt`. Who appeared in a doubted time and is absent again before a second walk lists it was never there, or
        a list that changes all its ids would fill the fleet.
        """
        listed, doubt, fleeting = len(walk.seen), None, _NOBODY
        if self.accepted:
            gone = absent
        elif doubtful(len(absent), listed=listed, known=known):
            if listed:
                fleeting = absent & {device for device, at in self._newcomers.items() if at < walk.started_at}
            gone, doubt = weigh(self.doubt, absent, listed=listed, known=known, at=seen_at)
        else:
            gone = absent & self._absent
        if doubt is None:
            return Verdict(gone=gone, absent=absent - gone)
        newcomers = {
            device: at
            for device, at in self._newcomers.items()
            if device not in fleeting and (at >= walk.started_at or device not in walk.seen)
        }
        return Verdict(gone=gone, fleeting=fleeting, doubt=doubt, newcomers=newcomers)

    def note(self, newcomers: Mapping[str, datetime]) -> None:
        """Take over who is new on a page; it matters in a doubted time alone."""
        if self.doubt is not None:
            self._newcomers.update(newcomers)

    def accept(
        self, absent: frozenset[str], doubt: Doubt | None, newcomers: Mapping[str, datetime], *, walked_at: datetime
    ) -> None:
        """Take over what the end of a walk said."""
        self.walked_at = walked_at
        self.doubt = doubt
        self.accepted = False
        self._absent = absent
        self._newcomers = dict(newcomers)
