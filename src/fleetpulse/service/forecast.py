"""What the config takes of each account's budget, and how soon a drop is told then. Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from fleetpulse.alerting.condition import ConditionKind
from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.alerting.routes import Route
from fleetpulse.alerting.rulebook import rules_of
from fleetpulse.alerting.rules import Rule
from fleetpulse.alerting.term import after_of, for_of, speaks_of
from fleetpulse.alerting.tree import route_of
from fleetpulse.durations import format_duration
from fleetpulse.service.facts import facts_of
from fleetpulse.service.settings import Settings
from fleetpulse.sweeping.plan import Demand, needed, plan
from fleetpulse.vendors.settings import SourceSettings

_EXACT: Final = timedelta(minutes=10)  # below that people reckon in seconds
_WHOLE: Final = " whole"  # as the live plan calls the walks over all devices, where those in between look at a few


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """One source. `needed` and `allowed` are requests per second of its account, which `shared` sources use too.

    `intervals` are what each resource gets, `asked` what it is configured to; a census that is walked whole only now
    and then has a second entry for that. `told` is how soon a drop is told at best and at worst, None where no rule
    tells it; `rule` and `wait` are what that takes beside the sweeps. `silent_after` is how long a device is silent
    before a rule tells that, None where none does.
    """

    source: str
    devices: int
    needed: float
    allowed: float
    shared: tuple[str, ...]
    intervals: Mapping[str, timedelta]
    asked: Mapping[str, timedelta]
    told: tuple[timedelta, timedelta] | None
    rule: str
    for_: timedelta
    wait: timedelta
    silent_after: timedelta | None

    def sentence(self) -> str:
        """`12.4 req/s needed, 8 allowed: devices every 93 s, a drop is told after 93-190 s`."""
        main = next(iter(self.intervals))
        whole = self.intervals.get(f"{main}{_WHOLE}")
        all_of_them = f", all of them every {_spoken(whole)}" if whole else ""
        shared = f" (shared with {', '.join(self.shared)})" if self.shared else ""
        return (
            f"{self.source}: {self.devices:,} devices, {_rates(self.needed, self.allowed)}"
            f"{shared}: {main} every {_spoken(self.intervals[main])}{all_of_them}, {self._drop()}"
        )

    def stretched(self) -> Iterator[str]:
        """The resources that can't have the interval they ask for."""
        for resource, interval in self.intervals.items():
            if interval > self.asked[resource]:
                yield f"{resource} every {_spoken(interval)} instead of {_spoken(self.asked[resource])}"

    def document(self) -> dict[str, Any]:
        """As JSON values; what ends in `_s` is seconds."""
        return {
            "source": self.source,
            "devices": self.devices,
            "needed_per_s": self.needed,
            "allowed_per_s": self.allowed,
            "shared_with": list(self.shared),
            "interval_s": {resource: interval.total_seconds() for resource, interval in self.intervals.items()},
            "asked_interval_s": {resource: interval.total_seconds() for resource, interval in self.asked.items()},
            "told_after_s": None if self.told is None else [each.total_seconds() for each in self.told],
        }

    def _drop(self) -> str:
        if self.told is not None:
            soon, late = self.told
            parts = [f"{self.rule} waits {format_duration(self.for_)}", f"group_wait {format_duration(self.wait)}"]
            return f"a drop is told after {_between(soon, late)} ({', '.join(parts)})"
        if self.silent_after is not None:
            return f"being offline is no trouble here, being silent for {format_duration(self.silent_after)} is"
        return "no rule tells a drop"


def forecasts(settings: Settings, devices: Mapping[str, int], *, credentials: Mapping[str, str]) -> list[Forecast]:
    """The forecasts of the sources that `devices` gives a number of devices for, in the order of the configuration.

    `credentials` are the sources' secrets: those that have the same one at the same host share a budget, and the
    smaller rate holds for them.
    """
    sources = [source for source in settings.sources if source.name in devices]
    found: dict[str, Forecast] = {}
    for _, account in groupby(
        sorted(sources, key=lambda one: _account(one, credentials)), key=lambda one: _account(one, credentials)
    ):
        sharing = list(account)
        for forecast in _of_account(settings, sharing, devices):
            found[forecast.source] = forecast
    return [found[source.name] for source in sources]


def _account(source: SourceSettings, credentials: Mapping[str, str]) -> tuple[str, str]:
    return urlsplit(source.base_url).netloc.lower(), credentials[source.name]


def _of_account(
    settings: Settings, sources: Sequence[SourceSettings], devices: Mapping[str, int]
) -> Iterator[Forecast]:
    demands = [demand for source in sources for demand in _demands(source, devices[source.name])]
    allowed = min(source.request_rate.per_second for source in sources)
    planned = plan(demands, granted=allowed)
    route = route_of(settings.route, [receiver.name for receiver in settings.receivers])
    for source in sources:
        own = [demand for demand in demands if demand.source == source.name]
        intervals = {demand.resource: planned[demand.source, demand.resource] for demand in own}
        facts = facts_of(source)
        offline, silent = (
            _fitting(settings, source, when, facts)
            for when in (ConditionKind.DEVICE_OFFLINE, ConditionKind.DEVICE_SILENT)
        )
        rule = min(offline, key=lambda each: for_of(each, facts), default=None)
        wait = _wait(route, source, rule) if rule is not None else timedelta()
        for_ = for_of(rule, facts) if rule is not None else timedelta()
        yield Forecast(
            source=source.name,
            devices=devices[source.name],
            needed=needed(demands),
            allowed=allowed,
            shared=tuple(other.name for other in sources if other is not source),
            intervals=intervals,
            asked={demand.resource: demand.interval for demand in own},
            told=None if rule is None else _told(_state_interval(source, intervals), for_, wait),
            rule="" if rule is None else rule.name,
            for_=for_,
            wait=wait,
            silent_after=min((after_of(each, facts) for each in silent), default=None),
        )


def _demands(source: SourceSettings, devices: int) -> Iterable[Demand]:
    """As the live plan begins: a look at the stalest devices takes one request, until one has shown how many it is."""
    for resource, what in source.resources.items():
        demand = partial(Demand, source.name, priority=what.priority)
        requests, interval = source.requests_of(resource, devices), source.interval_of(resource)
        if what.whole_every is None:
            yield demand(resource=resource, interval=interval, requests=requests)
        else:
            yield demand(resource=resource, interval=interval, requests=1)
            yield demand(resource=f"{resource}{_WHOLE}", interval=what.whole_every, requests=requests)


def _state_interval(source: SourceSettings, intervals: Mapping[str, timedelta]) -> timedelta:
    """How often it is seen whether a device is online: the census, else the main resource."""
    census = next((name for name, what in source.resources.items() if what.census), next(iter(intervals)))
    return intervals[census]


def _fitting(settings: Settings, source: SourceSettings, when: ConditionKind, facts: SourceFacts) -> list[Rule]:
    """The enabled rules over a condition that speak of this source, as far as their matchers know beforehand."""
    return [
        rule
        for rule in rules_of(settings.rules)
        if rule.enabled and rule.when is when and speaks_of(rule, facts) and _fits(rule, source)
    ]


def _fits(rule: Rule, source: SourceSettings) -> bool:
    known = {**source.labels, "source": source.name, "vendor": source.vendor, "severity": rule.severity}
    return all(matcher.matches(known) for matcher in rule.matchers if matcher.label in known)


def _wait(route: Route, source: SourceSettings, rule: Rule) -> timedelta:
    """The shortest group_wait of the routes that take such an alert, of what is known of it beforehand."""
    labels = {**source.labels, "alertname": rule.name, "severity": rule.severity}
    taken = route.matching({**labels, "source": source.name, "vendor": source.vendor})
    return min((node.group_wait for node in taken), default=route.group_wait)


def _told(interval: timedelta, for_: timedelta, wait: timedelta) -> tuple[timedelta, timedelta]:
    """Seen within one interval; `for` runs out, confirmed at the next look; then group_wait."""
    looks = math.ceil(for_ / interval)
    return looks * interval + wait, (looks + 1) * interval + wait


def _rates(needs: float, allowed: float) -> str:
    """Both in the unit that suits what is allowed."""
    unit, per_unit = ("req/s", 1) if allowed >= 1 else ("req/min", 60)
    return f"{needs * per_unit:.3g} {unit} needed, {allowed * per_unit:.3g} allowed"


def _spoken(duration: timedelta) -> str:
    if duration < _EXACT:
        return f"{duration.total_seconds():.3g} s"
    return format_duration(timedelta(minutes=round(duration / timedelta(minutes=1))))


def _between(soon: timedelta, late: timedelta) -> str:
    if late < _EXACT:
        return f"{soon.total_seconds():.0f}-{late.total_seconds():.0f} s"
    return f"{_spoken(soon)} to {_spoken(late)}"
