"""The tunnels of one source: what the next list changes, and how one ended that the list no longer holds.

Like the known fleet, nothing here runs ahead of the journal: `listed`, `told` and `gone` change nothing and return
`TunnelChanges`; after those are committed, `accept` takes them over.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from fleetpulse.fleet.events import TunnelClosed, TunnelEvent, TunnelOpened, TunnelTerminated
from fleetpulse.fleet.tunnel import Tunnel, TunnelStatus

REMEMBERED_FOR: Final = timedelta(days=7)  # a list that is empty for a while must not make old tunnels news again
MOST_REMEMBERED: Final = 20_000  # beyond it, one that ended and left the list is forgotten at once

_ENDS: Final = frozenset({TunnelStatus.CLOSED, TunnelStatus.TERMINATED})
_TURNED: Final[Mapping[TunnelStatus, type[TunnelEvent]]] = {
    TunnelStatus.OPEN: TunnelOpened,
    TunnelStatus.CLOSED: TunnelClosed,
    TunnelStatus.TERMINATED: TunnelTerminated,
}
"""What is told of a tunnel that came to a status; that one is pending is no news."""


class FollowedTunnel(msgspec.Struct, frozen=True, kw_only=True):
    """A tunnel as last told. `ended_at`: when its end was seen, or the vendor's word where it stood at the baseline.

    `left_at` is when the first complete list in a row lacked it; of one that has not ended, None again once the vendor
    was asked for it.
    """

    tunnel: Tunnel
    first_seen_at: datetime
    ended_at: datetime | None = None
    left_at: datetime | None = None


class TunnelChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What a list or an answer would change; a tunnel mapped to None is forgotten.

    `confirmed` are the ids of those that it says to be open, changed or not.
    """

    events: tuple[TunnelEvent, ...] = ()
    followed: Mapping[str, FollowedTunnel | None] = {}
    confirmed: tuple[str, ...] = ()


_DECODER = msgspec.msgpack.Decoder(FollowedTunnel)


class KnownTunnels:
    """The tunnels of one source: those that stand, and those that ended not long ago."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._followed: dict[str, FollowedTunnel] = {}

    def __len__(self) -> int:
        return len(self._followed)

    def listed(
        self, tunnels: Sequence[Tunnel], *, complete: bool, baseline: bool, seen_at: datetime, late: bool
    ) -> TunnelChanges:
        """What a list of tunnels would change; `complete`: there are no others.

        At the baseline one that is open already is told late, for it may stay open for too long; one that ended before
        anyone looked is no event. Later, one that is first seen at its end is told by that end alone. A complete list
        without a tunnel that stands does not end it, for the vendor can be asked: see `lacking`. An ended one is
        remembered for a week after it left the list, so that it never opens again.
        """
        events: list[TunnelEvent] = []
        followed: dict[str, FollowedTunnel | None] = {}
        confirmed: list[str] = []
        for told in tunnels:
            before = followed.get(told.id) or self._followed.get(told.id)
            after = _told(before, told, baseline=baseline, seen_at=seen_at)
            if after.tunnel.status is TunnelStatus.OPEN:
                confirmed.append(told.id)
            if after == before:
                continue
            followed[told.id] = after
            if not baseline or before is not None or after.ended_at is None:
                events += self._events(before, after, seen_at=seen_at, late=late or baseline)
        if complete:
            followed |= self._left({told.id for told in tunnels}, seen_at)
        return TunnelChanges(events=tuple(events), followed=followed, confirmed=tuple(confirmed))

    def lacking(self) -> list[str]:
        """The tunnels that stand but not on the last complete list: the vendor is to be asked for each by its id."""
        return [id_ for id_, known in self._followed.items() if known.ended_at is None and known.left_at is not None]

    def told(self, tunnel: Tunnel, *, seen_at: datetime, late: bool) -> TunnelChanges:
        """What the vendor's answer for one tunnel would change. One that stands still is asked for once a list."""
        before = self._followed.get(tunnel.id)
        if before is None:
            return TunnelChanges()
        after = _told(before, tunnel, baseline=False, seen_at=seen_at)
        confirmed = (tunnel.id,) if after.tunnel.status is TunnelStatus.OPEN else ()
        if after == before:
            return TunnelChanges(confirmed=confirmed)
        events = self._events(before, after, seen_at=seen_at, late=late)
        return TunnelChanges(events=tuple(events), followed={tunnel.id: after}, confirmed=confirmed)

    def gone(self, id_: str, *, seen_at: datetime, late: bool) -> TunnelChanges:
        """What it would change that the vendor knows no such tunnel: it was closed, and nobody can say how."""
        before = self._followed.get(id_)
        if before is None or before.ended_at is not None:
            return TunnelChanges()
        closed = msgspec.structs.replace(before.tunnel, status=TunnelStatus.CLOSED)
        after = msgspec.structs.replace(before, tunnel=closed, ended_at=seen_at)
        return TunnelChanges(
            events=tuple(self._events(before, after, seen_at=seen_at, late=late)), followed={id_: after}
        )

    def accept(self, changes: TunnelChanges) -> None:
        """Take over what was committed."""
        for id_, followed in changes.followed.items():
            if followed is None:
                self._followed.pop(id_, None)
            else:
                self._followed[id_] = followed

    def shown(self, now: datetime, finished_for: timedelta) -> list[Tunnel]:
        """Those that stand, and those that ended within `finished_for`."""
        return [
            known.tunnel
            for known in self._followed.values()
            if known.ended_at is None or now - known.ended_at < finished_for
        ]

    def counts(self) -> dict[str, int]:
        """How many are known at each status."""
        return dict(Counter(known.tunnel.status.value for known in self._followed.values()))

    def tunnel(self, id_: str) -> Tunnel | None:
        """One tunnel by its id."""
        known = self._followed.get(id_)
        return None if known is None else known.tunnel

    def load(self, rows: Mapping[str, bytes]) -> None:
        """Take in what is followed, as msgpack.

        Errors: ValueError when a row is not a followed tunnel.
        """
        for id_, payload in rows.items():
            try:
                self._followed[id_] = _DECODER.decode(payload)
            except msgspec.MsgspecError as error:
                raise ValueError(f"tunnel {id_} of {self.source} cannot be read: {error}") from error

    def _left(self, listed: set[str], seen_at: datetime) -> dict[str, FollowedTunnel | None]:
        """What a complete list says of the tunnels it does not hold."""
        remembered_for = REMEMBERED_FOR if len(self._followed) <= MOST_REMEMBERED else timedelta()
        left: dict[str, FollowedTunnel | None] = {}
        for id_, known in self._followed.items():
            if id_ in listed:
                continue
            if known.left_at is None:
                left[id_] = msgspec.structs.replace(known, left_at=seen_at)
            elif known.ended_at is not None and seen_at - known.left_at >= remembered_for:
                left[id_] = None
        return left

    def _events(
        self, before: FollowedTunnel | None, after: FollowedTunnel, *, seen_at: datetime, late: bool
    ) -> list[TunnelEvent]:
        tunnel = after.tunnel
        kind = _TURNED.get(tunnel.status)
        if kind is None or (before is not None and before.tunnel.status is tunnel.status):
            return []
        at = tunnel.finished_at if tunnel.status in _ENDS else tunnel.created_at
        event = kind(source=self.source, subject=tunnel.id, seen_at=seen_at, occurred_at=at, late=late, tunnel=tunnel)
        return [event]


def _told(before: FollowedTunnel | None, told: Tunnel, *, baseline: bool, seen_at: datetime) -> FollowedTunnel:
    ended = told.status in _ENDS
    if before is None:
        ended_at = min(told.finished_at or seen_at, seen_at) if baseline else seen_at
        return FollowedTunnel(tunnel=told, first_seen_at=seen_at, ended_at=ended_at if ended else None)
    was = before.tunnel.status
    if was in _ENDS or (was is TunnelStatus.OPEN and told.status is TunnelStatus.PENDING):
        # What was reached stands: of a vendor that takes it back, a tunnel would open at each sweep.
        return msgspec.structs.replace(before, tunnel=msgspec.structs.replace(told, status=was), left_at=None)
    return msgspec.structs.replace(before, tunnel=told, ended_at=seen_at if ended else None, left_at=None)
