"""Grouping: in which groups an alert is, one for each receiver it is routed to, and when those are flushed."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from fleetpulse.alerting.look import Look
from fleetpulse.alerting.routes import Route, group_key
from fleetpulse.alerting.rules import Matchable
from fleetpulse.alerting.state import Alert, AlertState, Group, Told


def next_tick(anchor: datetime, interval: timedelta, *, after: datetime) -> datetime:
    """The first multiple of `interval` behind the last flush that is not before `after`: Alertmanager's rhythm."""
    ticks = -((anchor - after) // interval)  # in whole microseconds: a float would round a tick away
    return anchor + max(1, ticks) * interval


def matchable(alert: Alert) -> Matchable:
    """What matchers see of an alert: its labels, and `name` and `tag` as they were when it opened."""
    return {**alert.labels, **alert.matchable}


class Grouping:
    """The routing tree over the groups that are.

    Which groups an alert belongs to follows from its labels and the tree alone. A receiver reached by several routes
    is told by the first of them: what it was told is kept by (receiver, alert), so a second group would tell nothing.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._routes = {node.key: node for node in route.walk()}

    def route_of(self, group: Group) -> Route:
        """The route of a group that is kept."""
        return self._routes[group.route]

    def place(self, look: Look, alert: Alert) -> Alert:
        """Put an alert that fires into its groups, making those that are not there."""
        wanted = self._wanted(alert)
        placed = msgspec.structs.replace(alert, groups=tuple(dict.fromkeys([*alert.groups, *wanted])))
        look.draft.put_alert(alert.fingerprint, placed)
        for key, route in wanted.items():
            if alert.baseline:
                look.draft.told.put((route.receiver, alert.fingerprint), Told(look.now, alert.size))
            if look.draft.groups.get(key) is None:
                look.draft.put_group(key, _group(key, route, alert))
        if not alert.baseline:
            self.wake(look, placed)
        return placed

    def wake(self, look: Look, alert: Alert) -> None:
        """Let the alert's groups be flushed, each at its own pace, for there is news of it."""
        for key in alert.groups:
            group = look.draft.groups.get(key)
            if group is not None:
                look.draft.put_group(key, self._due(look, group))

    def was_told(self, look: Look, alert: Alert) -> bool:
        """Whether any receiver was told that it fires."""
        return any(told is not None for told in self._told(look, alert))

    def all_told(self, look: Look, alert: Alert) -> bool:
        """Whether each of its receivers was told, and of all its growth."""
        return all(told is not None and told.size >= alert.size for told in self._told(look, alert))

    def forget(self, look: Look, alert: Alert) -> None:
        """Remove an alert, what was told of it, and groups that are empty without it."""
        look.draft.put_alert(alert.fingerprint, None)
        for key in alert.groups:
            group = look.draft.groups.get(key)
            if group is None:
                continue
            look.draft.told.put((group.receiver, alert.fingerprint), None)
            if look.draft.is_empty(key):
                look.draft.put_group(key, None)

    def follow(self, look: Look, *, owed_since: Mapping[str, datetime]) -> None:
        """Follow a tree that may have changed since the groups were made.

        Who was told already is told nothing anew; who is no longer meant hears no more. A receiver that was never told
        is told what fires; past facts that somebody was told, and the baseline, are news for nobody. What was made for
        a receiver that is gone, at or after the time in `owed_since`, never arrived and was told to nobody.
        """
        before = dict(look.draft.groups.items())
        for key, group in before.items():
            if not self._stands(group):
                look.draft.put_group(key, None)
        for _, alert in sorted(look.draft.alerts.items()):
            if alert.groups or alert.state is AlertState.FIRING:
                self._move(look, alert, before, owed_since)
        for key, _ in list(look.draft.groups.items()):
            if look.draft.is_empty(key):
                look.draft.put_group(key, None)

    def _move(self, look: Look, alert: Alert, before: Mapping[str, Group], owed_since: Mapping[str, datetime]) -> None:
        told: dict[str, Told] = {}
        lost = False
        for receiver in [before[key].receiver for key in alert.groups if key in before]:
            entry = look.draft.told.get((receiver, alert.fingerprint))
            if entry is None:
                continue
            if receiver in owed_since and owed_since[receiver] <= entry.at:
                lost = True
                look.draft.told.put((receiver, alert.fingerprint), None)
                look.decide("never delivered", alert, detail=f"{receiver} is gone")
            else:
                told[receiver] = entry
        there = [key for key in alert.groups if key in before and self._stands(before[key])]
        wanted = {
            key: route
            for key, route in self._wanted(alert).items()
            if alert.state is AlertState.FIRING or route.receiver in told or key in there
        }
        if list(wanted) == there and len(there) == len(alert.groups):
            return
        for receiver in told.keys() - {route.receiver for route in wanted.values()}:
            look.draft.told.put((receiver, alert.fingerprint), None)
            look.decide("route changed", alert, detail=f"{receiver} hears no more of it")
        if not wanted and alert.state is AlertState.RESOLVED:
            self.forget(look, alert)
            return
        moved = msgspec.structs.replace(alert, groups=tuple(wanted))
        look.draft.put_alert(alert.fingerprint, moved)
        silent = alert.baseline or (alert.occurrence and bool(told) and not lost)
        for key, route in wanted.items():
            if route.receiver not in told and silent:
                told[route.receiver] = Told(look.now, alert.size)
                look.draft.told.put((route.receiver, alert.fingerprint), told[route.receiver])
            self._join(look, moved, key, route, told.get(route.receiver))

    def _join(self, look: Look, alert: Alert, key: str, route: Route, told: Told | None) -> None:
        """Let an alert that moved be told, repeated or ended by its new group, as by the one before."""
        group = look.draft.groups.get(key) or _group(key, route, alert)
        news = alert.state is AlertState.RESOLVED or told is None or told.size < alert.size
        if news and (told is not None or alert.state is AlertState.FIRING):
            group = self._due(look, group)
        elif told is not None and not alert.baseline and not alert.occurrence and group.told_at is None:
            repeat_at = next_tick(told.at, route.group_interval, after=told.at + route.repeat_interval)
            group = msgspec.structs.replace(
                group, flushed_at=told.at, told_at=told.at, flush_at=min(repeat_at, group.flush_at or repeat_at)
            )
        look.draft.put_group(key, group)

    def _stands(self, group: Group) -> bool:
        """Whether a group's route is there and still leads to the same receiver."""
        route = self._routes.get(group.route)
        return route is not None and route.receiver == group.receiver

    def _wanted(self, alert: Alert) -> dict[str, Route]:
        """The groups the tree puts it in, by key. Without receivers there is one route to nobody."""
        wanted: dict[str, Route] = {}
        for route in self._route.matching(matchable(alert)):
            if route.receiver and route.receiver not in {taken.receiver for taken in wanted.values()}:
                wanted[group_key(route, route.group_labels(alert.labels))] = route
        return wanted

    def _due(self, look: Look, group: Group) -> Group:
        route = self._routes[group.route]
        if group.flushed_at is None:
            due = look.now + route.group_wait
        else:
            due = next_tick(group.flushed_at, route.group_interval, after=look.now)
        return msgspec.structs.replace(group, flush_at=min(due, group.flush_at or due))

    def _told(self, look: Look, alert: Alert) -> list[Told | None]:
        groups = (look.draft.groups.get(key) for key in alert.groups)
        return [look.draft.told.get((group.receiver, alert.fingerprint)) for group in groups if group is not None]


def _group(key: str, route: Route, alert: Alert) -> Group:
    return Group(key=key, route=route.key, receiver=route.receiver, labels=route.group_labels(alert.labels))
