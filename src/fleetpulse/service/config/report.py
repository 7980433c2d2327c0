"""What `check-config` prints of the settings in force, and what is allowed and still probably not meant."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from fleetpulse.alerting.rulebook import describe_rules, rules_of
from fleetpulse.alerting.settings import RouteSettings
from fleetpulse.alerting.tree import describe_routes, route_of
from fleetpulse.durations import format_duration
from fleetpulse.receivers.settings import ReceiverSettings
from fleetpulse.service.config.unmet import unmet
from fleetpulse.service.facts import facts_of
from fleetpulse.service.settings import Settings
from fleetpulse.vendors.settings import SourceSettings

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def describe(settings: Settings) -> str:
    """Sources, receivers, rules, routes, warnings: lines for a terminal; no secret, of addresses the host alone."""
    lines = [f"{_counted(len(settings.sources), 'source')}"]
    lines += _table(_source(source) for source in settings.sources)
    lines.append(_counted(len(settings.receivers), "receiver"))
    lines += _table(_receiver(receiver) for receiver in settings.receivers)
    rules = rules_of(settings.rules)
    lines += [_counted(len(rules), "rule"), *_indented(describe_rules(rules, list(map(facts_of, settings.sources))))]
    names = [receiver.name for receiver in settings.receivers]
    lines += ["routes", *_indented(describe_routes(route_of(settings.route, names)))]
    found = list(warnings(settings))
    if found:
        lines.append(_counted(len(found), "warning"))
        lines += [f"  {warning}" for warning in found]
    return "\n".join(lines) + "\n"


def warnings(settings: Settings) -> Iterator[str]:
    """What the start and `check-config` say although it is no error."""
    active = [source for source in settings.sources if source.enabled]
    if not active:
        yield "nothing is watched: there is no enabled source"
    if not settings.receivers:
        yield "nobody is told: there is no receiver"
    if not settings.http.external_url:
        yield "messages carry no links: [http] has no external_url"
    for source in active:
        yield from _source_warnings(source)
    for name in _untold(settings):
        yield f"receivers '{name}': no route names it, so it is told nothing"
    yield from unmet(settings)


def _source_warnings(source: SourceSettings) -> Iterator[str]:
    url = urlsplit(source.base_url)
    if url.scheme == "http" and url.hostname not in _LOOPBACK:
        yield f"sources '{source.name}': base_url is not https, so the key travels in the clear"
    interval = source.interval_of(next(iter(source.resources)))
    if interval.total_seconds() * source.request_rate.per_second < 1:
        yield (
            f"sources '{source.name}': request_rate {source.request_rate} does not allow a request every "
            f"{format_duration(interval)}, so the interval will be longer"
        )
    if source.stale_after is not None and source.stale_after < 2 * interval:
        yield (
            f"sources '{source.name}': one failed sweep makes it stale, for stale_after is "
            f"{format_duration(source.stale_after)} and the interval {format_duration(interval)}"
        )


def _untold(settings: Settings) -> list[str]:
    """The receivers that no route names; the only one there is needs no naming."""
    names = [receiver.name for receiver in settings.receivers]
    if settings.route is None or len(names) < 2:  # noqa: PLR2004 - one is told everything
        return []
    named = set(_named(settings.route))
    return [name for name in names if name not in named]


def _named(route: RouteSettings) -> Iterator[str]:
    if route.receiver is not None:
        yield route.receiver
    for inner in route.routes:
        yield from _named(inner)


def _source(source: SourceSettings) -> tuple[str, ...]:
    pace = ", ".join(_resource(source, resource) for resource in source.resources)
    state = "" if source.enabled else "disabled"
    return source.name, source.vendor, urlsplit(source.base_url).hostname or "", pace, f"{source.request_rate}", state


def _resource(source: SourceSettings, resource: str) -> str:
    return f"{resource} every {format_duration(source.interval_of(resource))}"


def _receiver(receiver: ReceiverSettings) -> tuple[str, ...]:
    rate = f"{receiver.rate}" if receiver.rate else "as fast as it answers"
    return receiver.name, receiver.kind, rate, "" if receiver.send_resolved else "beginnings only"


def _table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    cells = list(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    ]


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.splitlines()]


def _counted(number: int, thing: str) -> str:
    return f"{number or 'no'} {thing}{'' if number == 1 else 's'}"
