"""Flushing a group: what its receiver does not know yet becomes one notification, or none and the reason why."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from fleetpulse.alerting.annotate import Annotator
from fleetpulse.alerting.condition import OF_SOURCES, ConditionKind
from fleetpulse.alerting.facts import FleetView
from fleetpulse.alerting.grouping import Grouping, next_tick
from fleetpulse.alerting.holding import Holding
from fleetpulse.alerting.ledger import Ledger
from fleetpulse.alerting.look import Look
from fleetpulse.alerting.notification import AlertStatus, EndReason, Notification, NotifyReason, ToldAlert
from fleetpulse.alerting.rules import Rule
from fleetpulse.alerting.state import Alert, AlertState, Group, Told
from fleetpulse.alerting.wording import Change, detail, headline

_SAID_ANEW: Final = OF_SOURCES | {ConditionKind.DEPLOYMENT_FAILED, ConditionKind.TUNNEL_OPEN}


class _News(msgspec.Struct):
    """A group's alerts as its receiver stands to them."""

    firing: list[Alert] = []  # states that fire; one that was told and is pending again counts as never ended
    new: list[Alert] = []  # fire and were never told
    grew: list[Alert] = []  # past facts that were told smaller
    ended: list[Alert] = []  # were told firing and are over
    untold: list[Alert] = []  # are over and were never told
    known: int = 0  # states that were told firing, ended ones included

    @property
    def past(self) -> list[Alert]:
        """The past facts to be told now."""
        return [alert for alert in (*self.new, *self.grew) if alert.occurrence]


class Flush:
    """Makes the notification of a due group and notes in the draft what was told."""

    def __init__(
        self,
        *,
        grouping: Grouping,
        holding: Holding,
        rules: Mapping[str, Rule],
        annotator: Annotator,
        send_resolved: Mapping[str, bool],
        fleet: FleetView,
        new_id: Callable[[], str],
        external_url: str,
    ) -> None:
        self._grouping = grouping
        self._holding = holding
        self._rules = rules
        self._annotator = annotator
        self._send_resolved = send_resolved
        self._fleet = fleet
        self._new_id = new_id
        self._external_url = external_url

    def tell(self, look: Look, group: Group) -> None:
        """Tell the group's receiver what it does not know yet; the draft holds it as told afterwards."""
        news = _news(look.draft, group)
        reason = self._reason(look, group, news)
        if reason is None:
            look.flushed(group.key, "nothing new to tell", None)
        else:
            notification = self._notification(look, group, news, reason)
            look.flushed(group.key, f"told {group.receiver}: {reason}", notification)
        self._settle(look, group, news, told=reason is not None)

    def _reason(self, look: Look, group: Group, news: _News) -> NotifyReason | None:
        if news.new:
            return NotifyReason.MORE if news.known else NotifyReason.FIRST
        if news.grew:
            return NotifyReason.GREW
        if news.ended and self._tells_ends(group):
            return NotifyReason.RESOLVED
        if group.told_at is None or look.now < group.told_at + self._grouping.route_of(group).repeat_interval:
            return None
        held = (self._holding.held(look.draft, alert) for alert in _repeatable(news))
        return NotifyReason.REPEAT if not all(held) else None

    def _tells_ends(self, group: Group) -> bool:
        return self._send_resolved.get(group.receiver, True)

    def _notification(self, look: Look, group: Group, news: _News, reason: NotifyReason) -> Notification:
        resolved = news.ended if self._tells_ends(group) else []
        listed = [*news.firing, *news.past]
        new = {alert.fingerprint for alert in (*news.new, *news.grew, *resolved)}
        alerts = tuple(
            self._told(look, alert, new=alert.fingerprint in new) for alert in (*_by_age(listed), *_by_age(resolved))
        )
        kinds = {alert.kind for alert in (*listed, *resolved)}
        sources = {alert.condition.source for alert in (*listed, *resolved)}
        change = Change(
            firing=len(listed),
            before=news.known,
            added=len(news.new),
            ended=len(news.ended),
            kind=next(iter(kinds)) if len(kinds) == 1 else None,
            source=self._annotator.source(next(iter(sources))) if len(sources) == 1 else None,
        )
        facts = None
        if change.of_devices and {"source", "group"} <= group.labels.keys():
            facts = self._fleet.group(group.labels["source"], group.labels["group"])
            change = msgspec.structs.replace(change, group=facts)
        return Notification(
            id=self._new_id(),
            receiver=group.receiver,
            group_key=group.key,
            group_labels=group.labels,
            common_labels=_common([alert.labels for alert in alerts]),
            common_annotations=_common([alert.annotations for alert in alerts]),
            status=AlertStatus.FIRING if listed else AlertStatus.RESOLVED,
            reason=reason,
            alerts=alerts,
            at=look.now,
            text=headline(alerts, group.labels, change),
            detail=detail(alerts, group.labels, change),
            firing=change.firing,
            before=change.before,
            added=change.added,
            ended=change.ended,
            group_devices=None if facts is None else facts.devices,
            group_online=None if facts is None else facts.online,
            external_url=self._external_url,
        )

    def _told(self, look: Look, alert: Alert, *, new: bool) -> ToldAlert:
        resolved = alert.state is AlertState.RESOLVED
        return ToldAlert(
            fingerprint=alert.fingerprint,
            status=AlertStatus.RESOLVED if resolved else AlertStatus.FIRING,
            labels=alert.labels,
            annotations=self._annotations(look, alert),
            starts_at=alert.starts_at,
            ends_at=(alert.ended_at or look.now) if resolved else None,
            end_reason=(alert.end_reason or EndReason.RECOVERED) if resolved else None,
            end_note=self._end_note(alert) if resolved else "",
            since_at=alert.since_at,
            new=new,
            late=alert.late,
            events=alert.events,
        )

    def _end_note(self, alert: Alert) -> str:
        if alert.end_reason is EndReason.WENT_MISSING:
            return self._annotator.source(alert.condition.source).missing_hint
        return alert.end_note

    def _annotations(self, look: Look, alert: Alert) -> dict[str, str]:
        """What lies around it is said anew each time: since when, as seen today, and how its devices are."""
        condition, rule = look.draft.conditions.get(alert.condition), self._rules.get(alert.rule)
        if condition is None or rule is None or alert.kind not in _SAID_ANEW:
            return alert.annotations
        return self._annotator.annotations(rule, condition, alert.labels, now=look.now, read_at=look.now)

    def _settle(self, look: Look, group: Group, news: _News, *, told: bool) -> None:
        draft, now = look.draft, look.now
        for alert in (*news.new, *news.grew):
            draft.told.put((group.receiver, alert.fingerprint), Told(now, alert.size))
        for alert in (*news.ended, *news.untold):
            draft.told.put((group.receiver, alert.fingerprint), None)
            rest = tuple(key for key in alert.groups if key != group.key)
            draft.put_alert(alert.fingerprint, msgspec.structs.replace(alert, groups=rest) if rest else None)
        if draft.is_empty(group.key):
            draft.put_group(group.key, None)
            return
        route = self._grouping.route_of(group)
        told_at = now if told else group.told_at
        repeat_at = None
        if _repeatable(news) and told_at is not None:
            repeat_at = next_tick(now, route.group_interval, after=told_at + route.repeat_interval)
        draft.put_group(group.key, msgspec.structs.replace(group, flushed_at=now, told_at=told_at, flush_at=repeat_at))


def _news(draft: Ledger, group: Group) -> _News:
    news = _News()
    for alert in draft.alerts_in(group.key):
        told = draft.told.get((group.receiver, alert.fingerprint))
        fires = alert.state is AlertState.FIRING
        if alert.state is AlertState.RESOLVED:
            (news.untold if told is None else news.ended).append(alert)
        elif told is None and fires:
            news.new.append(alert)
        elif told is not None and alert.occurrence and told.size < alert.size:
            news.grew.append(alert)
        if not alert.occurrence:
            news.known += told is not None
            if fires or (told is not None and alert.state is AlertState.PENDING):
                news.firing.append(alert)
    return news


def _repeatable(news: _News) -> list[Alert]:
    """The alerts worth a reminder: of what was so before the first look there is none."""
    return [alert for alert in news.firing if not alert.baseline]


def _by_age(alerts: Iterable[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: (alert.starts_at, alert.fingerprint))


def _common(dictionaries: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all of them say alike."""
    if not dictionaries:
        return {}
    first, *others = dictionaries
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}
