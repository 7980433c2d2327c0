"""What alerting knows, with its indices; a draft lies over it and is thrown away or taken over whole."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime
from operator import itemgetter
from typing import Generic, TypeVar

from fleetpulse.alerting.condition import Condition, ConditionKey
from fleetpulse.alerting.state import Alert, AlertState, Group, Judgement, Remembered, Told

Key = TypeVar("Key")
Value = TypeVar("Value")


class Layer(Generic[Key, Value]):
    """A mapping over another one: reads fall through, writes stay here; None stands for removed."""

    def __init__(self, below: "Layer[Key, Value] | None") -> None:
        self._below = below
        self.changes: dict[Key, Value | None] = {}

    def get(self, key: Key) -> Value | None:
        """The value, from here or below."""
        if key in self.changes or self._below is None:
            return self.changes.get(key)
        return self._below.get(key)

    def put(self, key: Key, value: Value | None) -> None:
        """Set, or remove by None. What is as it was is no change."""
        if value == (None if self._below is None else self._below.get(key)):
            self.changes.pop(key, None)
        else:
            self.changes[key] = value

    def items(self) -> Iterator[tuple[Key, Value]]:
        """All that is not removed."""
        for key, value in self.changes.items():
            if value is not None:
                yield key, value
        if self._below is not None:
            for key, value in self._below.items():
                if key not in self.changes:
                    yield key, value


class Index(Generic[Key]):
    """Members by key, over another index; joining, leaving and counting cost the same however many there are."""

    def __init__(self, below: "Index[Key] | None") -> None:
        self._below = below
        self._joined: dict[Key, set[str]] = {}  # none of them is below
        self._left: dict[Key, set[str]] = {}  # all of them are below

    def join(self, key: Key, member: str) -> None:
        """Add a member that may be there already."""
        if self._below is not None and self._below.has(key, member):
            self._left.get(key, set()).discard(member)
        else:
            self._joined.setdefault(key, set()).add(member)

    def leave(self, key: Key, member: str) -> None:
        """Remove a member that may not be there."""
        if self._below is not None and self._below.has(key, member):
            self._left.setdefault(key, set()).add(member)
            return
        here = self._joined.get(key, set())
        here.discard(member)
        if not here:
            self._joined.pop(key, None)

    def has(self, key: Key, member: str) -> bool:
        """Whether it is a member."""
        if member in self._joined.get(key, ()):
            return True
        return self._below is not None and self._below.has(key, member) and member not in self._left.get(key, ())

    def count(self, key: Key) -> int:
        """How many members there are."""
        below = 0 if self._below is None else self._below.count(key)
        return below + len(self._joined.get(key, ())) - len(self._left.get(key, ()))

    def get(self, key: Key) -> list[str]:
        """The members, sorted: the same before and after a restart."""
        return sorted(self._members(key))

    def _members(self, key: Key) -> AbstractSet[str]:
        here: AbstractSet[str] = self._joined.get(key, frozenset())
        if self._below is None:
            return here
        below = self._below._members(key)  # noqa: SLF001 - of its own class
        left = self._left.get(key)
        return below if not here and not left else (below | here) - (left or frozenset())


class Schedule:
    """When each key is due, over another schedule; nothing is searched to find who is first."""

    def __init__(self, below: "Schedule | None") -> None:
        self._below = below
        self._at: dict[str, datetime | None] = {}
        self._order: list[tuple[datetime, str]] = []

    def put(self, key: str, at: datetime | None) -> None:
        """Set when a key is due, None for never."""
        before = self._at.get(key)
        if before is not None:
            del self._order[bisect_left(self._order, (before, key))]
        if at is not None:
            insort(self._order, (at, key))
        if at is None and self._below is None:
            self._at.pop(key, None)
        else:
            self._at[key] = at

    def due(self, now: datetime) -> list[str]:
        """The keys that are due, the longest waiting first."""
        return [key for _, key in sorted(self._due(now))]

    def first(self) -> datetime | None:
        """The earliest moment at which a key is due."""
        below = [] if self._below is None else self._below._order  # noqa: SLF001 - of its own class
        first_below = next((at for at, key in below if key not in self._at), None)
        return min((at for at in (first_below, *(at for at, _ in self._order[:1])) if at is not None), default=None)

    def _due(self, now: datetime) -> list[tuple[datetime, str]]:
        here = self._order[: bisect_right(self._order, now, key=itemgetter(0))]
        if self._below is not None:
            here += [entry for entry in self._below._due(now) if entry[1] not in self._at]  # noqa: SLF001 - likewise
        return here


class Ledger:
    """Conditions, alerts, groups and what was told. The bottom one holds; a draft above it only proposes.

    The indices and schedules follow from each alert and group that is put. A draft lies over a bottom one, not over
    another draft.
    """

    def __init__(self, below: "Ledger | None" = None) -> None:
        self.conditions: Layer[ConditionKey, Condition] = Layer(below.conditions if below else None)
        self.alerts: Layer[str, Alert] = Layer(below.alerts if below else None)
        self.groups: Layer[str, Group] = Layer(below.groups if below else None)
        self.told: Layer[tuple[str, str], Told] = Layer(below.told if below else None)
        self.by_condition: Index[ConditionKey] = Index(below.by_condition if below else None)
        self.waiting: Index[tuple[str, str]] = Index(below.waiting if below else None)
        self.members: Index[str] = Index(below.members if below else None)
        self.alerts_at: Schedule = Schedule(below.alerts_at if below else None)
        self.groups_at: Schedule = Schedule(below.groups_at if below else None)

    def put_alert(self, fingerprint: str, alert: Alert | None) -> None:
        """Set or remove an alert."""
        before = self.alerts.get(fingerprint)
        self.alerts.put(fingerprint, alert)
        if before is not None:
            self._unlist(before, keep=alert)
        if alert is not None:
            self.by_condition.join(alert.condition, fingerprint)
            if alert.state is AlertState.PENDING:
                self.waiting.join((alert.condition.source, alert.condition.subject), fingerprint)
            for key in alert.groups:
                self.members.join(key, fingerprint)
        self.alerts_at.put(fingerprint, None if alert is None else alert.due_at)

    def _unlist(self, before: Alert, *, keep: Alert | None) -> None:
        if keep is None or keep.condition != before.condition:
            self.by_condition.leave(before.condition, before.fingerprint)
        if before.state is AlertState.PENDING:
            self.waiting.leave((before.condition.source, before.condition.subject), before.fingerprint)
        for key in before.groups:
            if keep is None or key not in keep.groups:
                self.members.leave(key, before.fingerprint)

    def put_group(self, key: str, group: Group | None) -> None:
        """Set or remove a group."""
        self.groups.put(key, group)
        self.groups_at.put(key, None if group is None else group.flush_at)

    def alerts_of(self, condition: ConditionKey) -> list[Alert]:
        """The alerts over a condition, resolved ones not yet told everywhere included."""
        return self._named(self.by_condition.get(condition))

    def pending(self, source: str, subject: str) -> list[Alert]:
        """The pending alerts that an observation of this subject may let fire."""
        return self._named(self.waiting.get((source, subject)))

    def alerts_in(self, group: str) -> list[Alert]:
        """The alerts of a group."""
        return self._named(self.members.get(group))

    def is_empty(self, group: str) -> bool:
        """Whether a group has no alert."""
        return not self.members.count(group)

    def alerts_due(self, now: datetime) -> list[Alert]:
        """The alerts whose own time has come, the longest waiting first."""
        return self._named(self.alerts_at.due(now))

    def groups_due(self, now: datetime) -> list[Group]:
        """The groups to be flushed, the longest waiting first."""
        return [group for key in self.groups_at.due(now) if (group := self.groups.get(key)) is not None]

    def due_at(self) -> datetime | None:
        """The next moment at which something is due by itself."""
        first = (self.alerts_at.first(), self.groups_at.first())
        return min((at for at in first if at is not None), default=None)

    def _named(self, fingerprints: list[str]) -> list[Alert]:
        return [alert for fingerprint in fingerprints if (alert := self.alerts.get(fingerprint)) is not None]

    def take(self, judgement: Judgement) -> None:
        """Hold what was committed."""
        for key, condition in judgement.conditions.items():
            self.conditions.put(key, condition)
        for fingerprint, alert in judgement.alerts.items():
            self.put_alert(fingerprint, alert)
        for name, group in judgement.groups.items():
            self.put_group(name, group)
        for told_key, told in judgement.told.items():
            self.told.put(told_key, told)

    @classmethod
    def of(cls, remembered: Remembered) -> "Ledger":
        """The bottom ledger of a start."""
        ledger = cls()
        ledger.take(
            Judgement(
                conditions=remembered.conditions,
                alerts=remembered.alerts,
                groups=remembered.groups,
                told=remembered.told,
            )
        )
        return ledger
