"""The rulebook: the rules in force, from the defaults and what the settings say, and how people read them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fleetpulse.alerting.condition import ConditionKind
from fleetpulse.alerting.rules import DEFAULT_RULES, Rule, merge
from fleetpulse.alerting.settings import RuleSettings
from fleetpulse.durations import format_duration

_VENDORS: Final = "usual"  # of the vendor: it is not the same everywhere, and a rule speaks of all of them


def rules_of(settings: Iterable[RuleSettings]) -> tuple[Rule, ...]:
    """The default rules, changed where an entry has their name, then the entries with names of their own.

    Errors: TypeError for a new rule without `when`, ValueError from a matcher; `RuleSettings.problems` tells both.
    """
    return merge(DEFAULT_RULES, ((entry.name, entry.given()) for entry in settings))


def describe_rules(rules: Sequence[Rule]) -> str:
    """One line a rule, in columns: name, condition, `for`, severity, then what only some rules have."""
    rows = [(rule.name, str(rule.when), f"for {_for(rule)}", rule.severity) for rule in rules]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=True)), *_particulars(rule)]).rstrip()
        for row, rule in zip(rows, rules, strict=True)
    )


def _for(rule: Rule) -> str:
    return _VENDORS if rule.for_ is None else format_duration(rule.for_)


def _particulars(rule: Rule) -> Iterator[str]:
    if not rule.enabled:
        yield "disabled"
    if rule.occurrence:
        yield "told once"
    yield from _parameters(rule)
    if rule.keep_firing_for:
        yield f"keep_firing_for {format_duration(rule.keep_firing_for)}"
    if rule.matchers:
        yield f"only {', '.join(map(str, rule.matchers))}"
    if rule.labels:
        yield "labels " + ", ".join(f'{name}="{value}"' for name, value in rule.labels.items())
    if rule.annotations:
        yield f"annotations {', '.join(rule.annotations)}"


def _parameters(rule: Rule) -> Iterator[str]:
    if rule.ratio is not None:
        yield f"on {rule.ratio:.0%} of its devices at least"
    elif rule.count > 1:
        yield f"on {rule.count} devices at least"
    if rule.when is ConditionKind.DEVICE_SILENT:
        yield f"after {_VENDORS if rule.after is None else format_duration(rule.after)}"
    if rule.when is ConditionKind.CREDENTIALS_EXPIRING:
        yield f"within {format_duration(rule.within)}"
