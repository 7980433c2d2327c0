"""The rulebook: the rules in force, from the defaults and what the settings say, and how people read them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from fleetpulse.alerting.condition import ConditionKind
from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.alerting.rules import DEFAULT_RULES, Rule, merge
from fleetpulse.alerting.settings import RuleSettings
from fleetpulse.alerting.term import after_of, for_of, speaks_of
from fleetpulse.durations import format_duration

_ANYWHERE: Final = SourceFacts("")
"""A source of no vendor in particular: its times are those of most vendors."""


def rules_of(settings: Iterable[RuleSettings]) -> tuple[Rule, ...]:
    """The default rules, changed where an entry has their name, then the entries with names of their own.

    Errors: TypeError for a new rule without `when`, ValueError from a matcher; `RuleSettings.problems` tells both.
    """
    return merge(DEFAULT_RULES, ((entry.name, entry.given()) for entry in settings))


def describe_rules(rules: Sequence[Rule], sources: Sequence[SourceFacts]) -> str:
    """One line a rule, in columns: name, condition, `for`, severity, then what only some rules have.

    What is not the same for all vendors is told for those of `sources`, `for 5m (iomote 10m)`.
    """
    rows = [(rule.name, str(rule.when), f"for {_time(for_of, rule, sources)}", rule.severity) for rule in rules]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [*(text.ljust(width) for text, width in zip(row, widths, strict=True)), *_particulars(rule, sources)]
        ).rstrip()
        for row, rule in zip(rows, rules, strict=True)
    )


def _time(of: Callable[[Rule, SourceFacts], timedelta], rule: Rule, sources: Iterable[SourceFacts]) -> str:
    """A time of a rule, then at which vendors it is another one."""
    times = {source.vendor: of(rule, source) for source in sources if speaks_of(rule, source)}
    usual = of(rule, _ANYWHERE)
    if times and usual not in times.values():
        usual = min(times.values())
    others = ", ".join(f"{vendor} {format_duration(time)}" for vendor, time in sorted(times.items()) if time != usual)
    return format_duration(usual) + (f" ({others})" if others else "")


def _particulars(rule: Rule, sources: Sequence[SourceFacts]) -> Iterator[str]:
    if not rule.enabled:
        yield "disabled"
    if rule.occurrence:
        yield "told once"
    yield from _parameters(rule, sources)
    if rule.keep_firing_for:
        yield f"keep_firing_for {format_duration(rule.keep_firing_for)}"
    if rule.matchers:
        yield f"only {', '.join(map(str, rule.matchers))}"
    if rule.labels:
        yield "labels " + ", ".join(f'{name}="{value}"' for name, value in rule.labels.items())
    if rule.annotations:
        yield f"annotations {', '.join(rule.annotations)}"


def _parameters(rule: Rule, sources: Sequence[SourceFacts]) -> Iterator[str]:
    if rule.ratio is not None:
        yield f"on {rule.ratio:.0%} of its devices at least"
    elif rule.count > 1:
        yield f"on {rule.count} devices at least"
    if rule.when is ConditionKind.DEVICE_SILENT:
        yield f"after {_time(after_of, rule, sources)}"
    if rule.when is ConditionKind.CREDENTIALS_EXPIRING:
        yield f"within {format_duration(rule.within)}"
