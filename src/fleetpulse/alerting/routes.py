"""The routing tree: which receivers hear of an alert, with whom it is grouped, and at which pace."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

import msgspec

from fleetpulse.alerting.matchers import Matcher
from fleetpulse.alerting.rules import Matchable

EVERY_LABEL: Final = "..."


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One node. `key` tells it from every other: its own and its parents' matchers, as Alertmanager spells them."""

    key: str
    receiver: str
    group_by: tuple[str, ...] = ("alertname", "source", "group")
    group_wait: timedelta = timedelta(seconds=30)
    group_interval: timedelta = timedelta(minutes=5)
    repeat_interval: timedelta = timedelta(hours=4)
    matchers: tuple[Matcher, ...] = ()
    continue_: bool = False
    routes: tuple["Route", ...] = ()

    def walk(self) -> Iterator["Route"]:
        """This node and all below it."""
        yield self
        for route in self.routes:
            yield from route.walk()

    def matching(self, matchable: Matchable) -> list["Route"]:
        """The nodes that take an alert: the deepest that match; siblings after one only where it says `continue`."""
        if not all(matcher.matches(matchable) for matcher in self.matchers):
            return []
        taken: list[Route] = []
        for route in self.routes:
            below = route.matching(matchable)
            taken += below
            if below and not route.continue_:
                break
        return taken or [self]

    def group_labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The labels an alert is grouped by here; a label it does not have groups as if empty and is not shown."""
        if EVERY_LABEL in self.group_by:
            return dict(labels)
        return {name: labels[name] for name in self.group_by if name in labels}


def group_key(route: Route, labels: Mapping[str, str]) -> str:
    """The identity of a group: route and labels, in Alertmanager's spelling."""
    return f"{route.key}:{spell(labels)}"


def spell(labels: Mapping[str, str]) -> str:
    """`{alertname="X", source="y"}`: sorted, quoted, the same for the same labels."""
    inner = ", ".join(f'{name}="{_quote(value)}"' for name, value in sorted(labels.items()))
    return "{" + inner + "}"


def _quote(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
