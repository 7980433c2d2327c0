"""What alerting remembers, as frozen values: alerts, groups, what was told to whom, and each decision's reason."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from fleetpulse.alerting.condition import Condition, ConditionKey, ConditionKind
from fleetpulse.alerting.notification import EndReason, EventRef, Notification


class AlertState(StrEnum):
    """Pending while its `for` runs, firing, then resolved until all who were told it fires know its end."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One rule over one condition. `labels` are fixed when it opens; their hash is `fingerprint`.

    `when` is the rule's, where that is not the condition's own kind. `starts_at` is from when on the condition was what
    the rule speaks of, its first observation as a rule; `since_at` when that began, where it is earlier; `fires_at` the
    earliest moment its `for` lets it fire, `keep_until_at` how long it goes on firing after the condition ended, or how
    long a past fact stays listed. `size` is the condition's. One that fires again before all who were told it fires
    know of its end keeps its groups and goes on for them as if it had not ended.
    """

    fingerprint: str
    rule: str
    condition: ConditionKey
    when: ConditionKind | None = None
    state: AlertState
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    fires_at: datetime
    since_at: datetime | None = None
    size: int = 1
    occurrence: bool = False
    baseline: bool = False
    late: bool = False
    keep_until_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    end_note: str = ""  # of the reason: where a device moved to
    matchable: dict[str, tuple[str, ...]] = {}  # `name` and `tag`: may be matched, are no labels
    groups: tuple[str, ...] = ()  # the keys of the groups it was put in when it fired, one a receiver
    events: tuple[EventRef, ...] = ()

    @property
    def kind(self) -> ConditionKind:
        """What it tells of."""
        return self.when or self.condition.kind

    @property
    def due_at(self) -> datetime | None:
        """When something is to be done about it without an event or an observation.

        A past fact stays true unobserved, so for it alone `for` is mere time.
        """
        return self.fires_at if self.occurrence and self.state is AlertState.PENDING else self.keep_until_at


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The alerts of one route that share the labels of `group_by`, told to one receiver together.

    `flush_at` is when it is due next, None while there is nothing to tell and nothing to repeat; `flushed_at` is its
    last flush, `told_at` the last flush that told something.
    Which alerts are in it stands with the alerts, so that a group of 10,000 is no large row.
    """

    key: str
    route: str
    receiver: str
    labels: dict[str, str]
    flush_at: datetime | None = None
    flushed_at: datetime | None = None
    told_at: datetime | None = None


class Told(msgspec.Struct, frozen=True):
    """What one receiver was last told of one alert: that it fires, with which size, and when."""

    at: datetime
    size: int = 1


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was, or was not, done; kept in the journal for `explain`."""

    at: datetime
    reason: str
    source: str = ""
    subject: str = ""
    fingerprint: str = ""
    detail: str = ""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What one look decided. None in a mapping removes the entry. Nothing holds until it is committed and accepted.

    `cursor` is the id of the last event that was judged, None when no event was.
    """

    cursor: int | None = None
    conditions: Mapping[ConditionKey, Condition | None] = {}
    alerts: Mapping[str, Alert | None] = {}
    groups: Mapping[str, Group | None] = {}
    told: Mapping[tuple[str, str], Told | None] = {}
    decisions: tuple[Decision, ...] = ()
    notifications: tuple[Notification, ...] = ()

    def __bool__(self) -> bool:
        return bool(
            self.cursor is not None
            or self.conditions
            or self.alerts
            or self.groups
            or self.told
            or self.decisions
            or self.notifications
        )


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """All that a restart takes up again."""

    cursor: int = 0
    conditions: dict[ConditionKey, Condition] = {}
    alerts: dict[str, Alert] = {}
    groups: dict[str, Group] = {}
    told: dict[tuple[str, str], Told] = {}
