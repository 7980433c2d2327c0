"""A notification: what one receiver is told of one group, complete, so that a message can be made of it alone."""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec


class AlertStatus(StrEnum):
    """How a told alert stands."""

    FIRING = "firing"
    RESOLVED = "resolved"


class NotifyReason(StrEnum):
    """Why a group is told now."""

    FIRST = "first"
    MORE = "more"  # alerts were added to a group that was told before
    GREW = "grew"  # a past fact grew: more devices failed
    RESOLVED = "resolved"  # some or all ended
    REPEAT = "repeat"
    TEST = "test"


class EndReason(StrEnum):
    """Why an alert ended; the message says it."""

    CAME_BACK = "came back"
    WENT_MISSING = "went missing"
    FORGOTTEN = "forgotten"
    MOVED = "moved"  # to another source
    SEEN_AGAIN = "seen again"  # since then, though it is not online now
    NO_LONGER_PAUSED = "no longer paused"
    CLOSED = "closed"
    TERMINATED = "terminated"
    RECOVERED = "recovered"
    SOURCE_PAUSED = "source paused"
    SOURCE_REMOVED = "source removed"
    SOURCE_DISABLED = "source disabled"  # nobody looks any more, and what is known is kept
    RULE_REMOVED = "rule removed"  # or disabled
    RULE_CHANGED = "rule changed"  # it no longer wants this


class EventRef(msgspec.Struct, frozen=True):
    """The event behind an alert, by its id in the journal and its type."""

    id: int
    type: str


class ToldAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as a receiver is told of it.

    `labels` are fixed since it opened. `annotations` hold what may change: `summary`, `description`, `runbook_url`,
    `name`, `since`, `last_seen` (ISO times in UTC), `devices` (those a deployment failed on), `output`. `new` tells
    what this receiver had not been told yet: the alert itself, its growth, or its end. `end_reason` is set when it is
    resolved, `end_note` says more of it: where a device moved, why it may be missing. `since_at` is when what it tells
    began, where that is before `starts_at`: a device that is silent now was last heard of then. `late`: it happened
    while nobody looked.
    """

    fingerprint: str
    status: AlertStatus
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None = None
    end_reason: EndReason | None = None
    end_note: str = ""
    since_at: datetime | None = None
    new: bool = True
    late: bool = False
    events: tuple[EventRef, ...] = ()

    @property
    def lasted(self) -> timedelta:
        """From the beginning to the end; nothing while it fires."""
        return (self.ends_at or self.starts_at) - (self.since_at or self.starts_at)

    @property
    def end(self) -> str:
        """Why it ended, in a few words: `came back`, `moved to edge-test`."""
        if self.end_reason is EndReason.MOVED and self.end_note:
            return f"{self.end_reason} to {self.end_note}"
        return str(self.end_reason or "")


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What one receiver is told of one group at one moment.

    `id` is the outbox row's id and travels as `webhook-id`. `alerts` are firing first, then resolved, each by
    `starts_at`. `firing` is how many fire now, `before` how many this receiver was last told fired (0 at first),
    `added` and `ended` what changed since. `group_devices` and `group_online` count the devices of the group in the
    known fleet where the group is one of devices, else None. Past facts count among `firing` and `added` when they are
    told, and never again. `text` is one plain headline, `detail` one plain
    sentence below it; both are made by `alerting` and not yet escaped for anything.
    """

    id: str
    receiver: str
    group_key: str
    group_labels: dict[str, str]
    common_labels: dict[str, str]
    common_annotations: dict[str, str]
    status: AlertStatus
    reason: NotifyReason
    alerts: tuple[ToldAlert, ...]
    at: datetime
    text: str
    detail: str = ""
    firing: int = 0
    before: int = 0
    added: int = 0
    ended: int = 0
    group_devices: int | None = None
    group_online: int | None = None
    external_url: str = ""

    def link(self, alert: ToldAlert) -> str:
        """Where people find the alert: its place on the overview; empty where no address is known."""
        return f"{self.external_url.rstrip('/')}/#{alert.fingerprint}" if self.external_url else ""
