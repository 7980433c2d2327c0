"""What is allowed and reaches nobody: matchers that no alert fits, labels to group by that no alert has."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from fleetpulse.alerting.matchers import Matcher, parse_matcher
from fleetpulse.alerting.routes import EVERY_LABEL
from fleetpulse.alerting.rulebook import rules_of
from fleetpulse.alerting.rules import Rule
from fleetpulse.alerting.settings import RouteSettings
from fleetpulse.service.config.document import shown
from fleetpulse.service.config.shape import did_you_mean
from fleetpulse.service.settings import Settings

Values = Mapping[str, frozenset[str] | None]
"""What each label of an alert can be; None where only the vendors know."""

_OF_VENDORS: Final = ("device", "deployment", "bulk_job", "tunnel", "resource", "group")
_MATCHED_ONLY: Final = ("name", "tag")


def unmet(settings: Settings) -> Iterator[str]:
    """A line for each matcher that nothing fits and each label to group by that nothing has, with what was meant."""
    rules = rules_of(settings.rules)
    for rule in rules:
        yield from _matchers(f"rules '{rule.name}'", rule.matchers, _values(settings, [rule]))
    if settings.route is not None:
        yield from _routes("route", settings.route, _values(settings, rules))


def _routes(place: str, route: RouteSettings, values: Values) -> Iterator[str]:
    yield from _matchers(place, map(parse_matcher, route.matchers), values)
    labels = [name for name in values if name not in _MATCHED_ONLY]
    for name in route.group_by or ():
        if name not in labels and name != EVERY_LABEL:
            why = "can be matched but is no label" if name in _MATCHED_ONLY else "is a label of no alert"
            yield f"{place}: group_by holds '{shown(name)}', which {why}{did_you_mean(name, labels)}"
    for number, inner in enumerate(route.routes, start=1):
        yield from _routes(f"{place}.routes #{number}", inner, values)


def _matchers(place: str, matchers: Iterable[Matcher], values: Values) -> Iterator[str]:
    for matcher in matchers:
        if matcher.label not in values:
            yield (
                f"{place}: the matcher {shown(str(matcher))} is about a label that no alert has"
                f"{did_you_mean(matcher.label, values)}"
            )
            continue
        possible = values[matcher.label]
        if possible and not any(matcher.matches({matcher.label: value}) for value in possible):
            meant = "" if matcher.operator.is_regex else did_you_mean(matcher.value, possible)
            yield f"{place}: the matcher {shown(str(matcher))} fits no alert{meant}"


def _values(settings: Settings, rules: Iterable[Rule]) -> Values:
    """What alerts of these rules can have, rules and sources that are switched off included: they may come back."""
    given = [source.labels for source in settings.sources] + [rule.labels for rule in rules]
    own = {name: {""} for labels in given for name in labels}  # one that is not given is the empty text to a matcher
    for labels in given:
        for name, value in labels.items():
            own[name].add(value)
    return {
        **{name: frozenset(values) for name, values in own.items()},
        **dict.fromkeys((*_OF_VENDORS, *_MATCHED_ONLY)),
        "alertname": frozenset(rule.name for rule in rules),
        "severity": frozenset(rule.severity for rule in rules),
        "source": frozenset(source.name for source in settings.sources),
        "vendor": frozenset(source.vendor for source in settings.sources),
    }
