"""The tree of routes, from what the settings say and inherit, and how people read it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from fleetpulse.alerting.matchers import parse_matcher
from fleetpulse.alerting.routes import Route
from fleetpulse.alerting.settings import RouteSettings
from fleetpulse.durations import format_duration

_WAITS: Final = ("group_wait", "group_interval", "repeat_interval")
_INHERITED: Final = ("receiver", "group_by", *_WAITS)


def route_of(settings: RouteSettings | None, receivers: Sequence[str]) -> Route:
    """The root of the tree. What a route does not say it inherits from the one above, the root from the defaults.

    Where the root names no receiver, the only one there is takes its place. Without any, the root leads to "": alerts
    are listed, and nobody is told.
    Errors: ValueError from a matcher that `RouteSettings.problems` would have told.
    """
    default = Route(key="{}", receiver=receivers[0] if len(receivers) == 1 else "")
    return default if settings is None else _node(settings, default, key=default.key)


def describe_routes(route: Route) -> str:
    """The tree, a line a route, indented: its matchers, who is told, and what differs from the route above."""
    return "\n".join(_lines(route, None, indent=""))


def _node(settings: RouteSettings, above: Route, *, key: str) -> Route:
    said = {name: value for name in _INHERITED if (value := getattr(settings, name)) is not None}
    matchers = tuple(parse_matcher(text) for text in settings.matchers)
    node = msgspec.structs.replace(above, **said, key=key, matchers=matchers, continue_=settings.continue_, routes=())
    return msgspec.structs.replace(node, routes=tuple(_below(settings.routes, node)))


def _below(routes: Sequence[RouteSettings], above: Route) -> Iterator[Route]:
    """The routes of a node. Siblings that match alike are counted, `...#2`: their groups must not be one."""
    seen: Counter[str] = Counter()
    for settings in routes:
        spelt = ",".join(sorted(str(parse_matcher(text)) for text in settings.matchers))
        key = f"{above.key}/{{{spelt}}}"
        seen[key] += 1
        yield _node(settings, above, key=key if seen[key] == 1 else f"{key}#{seen[key]}")


def _lines(route: Route, above: Route | None, *, indent: str) -> Iterator[str]:
    matched = ", ".join(map(str, route.matchers)) or "everything"
    told = route.receiver or "nobody: there is no receiver, alerts are only listed"
    particulars = [text for name in _INHERITED[1:] if (text := _particular(route, above, name))]
    if route.continue_:
        particulars.append("continue")
    yield f"{indent}{matched} -> {told}" + (f"  ({', '.join(particulars)})" if particulars else "")
    for below in route.routes:
        yield from _lines(below, route, indent=f"{indent}  ")


def _particular(route: Route, above: Route | None, name: str) -> str:
    value = getattr(route, name)
    if above is not None and value == getattr(above, name):
        return ""
    return f"{name} {format_duration(value)}" if name in _WAITS else f"{name} [{', '.join(value)}]"
