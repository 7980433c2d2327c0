"""Errors of meaning: each value is of the right kind, and together they make no sense."""

from collections.abc import Iterable, Iterator

from fleetpulse.alerting.settings import RouteSettings
from fleetpulse.service.config.document import Problem, quoted
from fleetpulse.service.config.positions import Path
from fleetpulse.service.config.shape import did_you_mean
from fleetpulse.service.settings import Settings


def problems(settings: Settings) -> Iterator[Problem]:
    """Everything that can be told without looking at the disk or the network."""
    for table in ("http", "journal", "metrics"):
        yield from _own((table,), getattr(settings, table).problems())
    for index, source in enumerate(settings.sources):
        yield from _own(("sources", index), source.problems())
    for index, rule in enumerate(settings.rules):
        yield from _own(("rules", index), rule.problems())
    for index, receiver in enumerate(settings.receivers):
        yield from _own(("receivers", index), receiver.problems())
    yield from _repeated("sources", [source.name for source in settings.sources])
    yield from _repeated("rules", [rule.name for rule in settings.rules])
    yield from _repeated("receivers", [receiver.name for receiver in settings.receivers])
    yield from _routing(settings)


def _own(table: Path, found: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    for field, text in found:
        keys = _keys(field)
        yield Problem(table, keys, f"{quoted(keys)} {text}" if keys else text)


def _keys(field: str) -> Path:
    """`matchers.0` and `labels.team` as a path; a label's name may hold dots of its own."""
    name, dot, inner = field.partition(".")
    if not dot:
        return (name,) if name else ()
    return (name, int(inner) if inner.isdecimal() else inner)


def _repeated(table: str, names: Iterable[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Problem((table, index), ("name",), "'name' is taken by an entry above")
        seen.add(name)


def _routing(settings: Settings) -> Iterator[Problem]:
    names = [receiver.name for receiver in settings.receivers]
    if settings.route is None:
        if len(names) > 1:
            text = f"there are {len(names)} receivers, so [route] must name the 'receiver' that is told"
            yield Problem((), ("receivers",), text)
        return
    root = settings.route
    if root.receiver is None and len(names) > 1:
        yield Problem(("route",), ("receiver",), f"'receiver' is missing: there are {len(names)} to choose from")
    for key, given in (("matchers", root.matchers), ("continue", root.continue_)):
        if given:
            yield Problem(("route",), (key,), f"'{key}' belongs into [[route.routes]]: [route] takes every alert")
    yield from _routes(("route",), root, names)


def _routes(table: Path, route: RouteSettings, names: list[str]) -> Iterator[Problem]:
    yield from _own(table, route.problems())
    if route.receiver is not None and route.receiver not in names:
        there = f"there are {', '.join(map(repr, sorted(names)))}" if names else "there are none"
        text = f"'receiver' names no entry of [[receivers]]: {there}{did_you_mean(route.receiver, names)}"
        yield Problem(table, ("receiver",), text)
    for index, inner in enumerate(route.routes):
        yield from _routes((*table, "routes", index), inner, names)
