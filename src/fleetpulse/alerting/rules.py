"""Rules: which conditions become alerts, after how long, and how grave they are."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

import msgspec

from fleetpulse.alerting.condition import OCCURRENCES, Condition, ConditionKind
from fleetpulse.alerting.matchers import Matcher

Matchable = Mapping[str, str | tuple[str, ...]]
"""What matchers see: labels, and `name` and `tag`, which are none."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. `for_` delays firing, `keep_firing_for` delays the end.

    Parameters of single conditions: `count` and `ratio` of `deployment_failed` (fire when at least `count` devices
    failed, or, where `ratio` is given, at least that share of them); `after` of `device_silent` (for how long);
    `within` of `credentials_expiring` (how long before). `for_` of `device_offline` and `after` may be None: as usual
    for the vendor. `sleepers_only`: without matchers it speaks of no vendor but those where being offline is healthy.
    """

    name: str
    when: ConditionKind
    for_: timedelta | None = timedelta()
    keep_firing_for: timedelta = timedelta()
    severity: str = "warning"
    matchers: tuple[Matcher, ...] = ()
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    enabled: bool = True
    count: int = 1
    ratio: float | None = None
    after: timedelta | None = None
    within: timedelta = timedelta(days=14)
    sleepers_only: bool = False

    @property
    def occurrence(self) -> bool:
        """Whether it tells a past fact: once, again only when it grows."""
        return self.when in OCCURRENCES

    def wants(self, condition: Condition, matchable: Matchable) -> bool:
        """Whether this rule makes an alert of the condition, seen with these labels (and `name`, `tag`)."""
        return self.keeps(self.when, matchable) and self._reaches(condition)

    def keeps(self, kind: ConditionKind, matchable: Matchable) -> bool:
        """Whether this rule, perhaps changed since, still wants an alert it made, however large its condition."""
        return self.enabled and self.when is kind and all(matcher.matches(matchable) for matcher in self.matchers)

    def _reaches(self, condition: Condition) -> bool:
        if self.ratio is None or condition.deployment is None:
            return condition.size >= self.count
        devices = len(condition.deployment.devices)
        # divided, not multiplied: 3 / 30 is the very number that "0.1" is read as, 0.1 * 30 is more than 3
        return devices > 0 and condition.size / devices >= self.ratio


_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)

DEFAULT_RULES: Final = (
    Rule(name="FleetDeviceOffline", when=ConditionKind.DEVICE_OFFLINE, for_=None),
    Rule(name="FleetDeviceSilent", when=ConditionKind.DEVICE_SILENT, sleepers_only=True),
    Rule(name="FleetDeploymentFailed", when=ConditionKind.DEPLOYMENT_FAILED, severity="critical"),
    Rule(name="FleetJobFailed", when=ConditionKind.JOB_FAILED, severity="critical"),
    Rule(name="FleetSourceBaseline", when=ConditionKind.SOURCE_BASELINE, severity="info"),
    Rule(name="FleetTunnelOpen", when=ConditionKind.TUNNEL_OPEN, for_=8 * _HOUR, severity="info"),
    Rule(name="FleetSimPausedBySystem", when=ConditionKind.SIM_PAUSED_BY_SYSTEM),
    Rule(name="FleetSourceDown", when=ConditionKind.SOURCE_DOWN, for_=5 * _MINUTE, severity="critical"),
    Rule(name="FleetSourceDegraded", when=ConditionKind.SOURCE_DEGRADED, for_=15 * _MINUTE),
    Rule(name="FleetSourceMisconfigured", when=ConditionKind.SOURCE_MISCONFIGURED, severity="critical"),
    Rule(name="FleetCredentialsRejected", when=ConditionKind.CREDENTIALS_REJECTED, severity="critical"),
    Rule(name="FleetCredentialsExpiring", when=ConditionKind.CREDENTIALS_EXPIRING),
)


def merge(defaults: Iterable[Rule], given: Iterable[tuple[str, Mapping[str, object]]]) -> tuple[Rule, ...]:
    """The rules in force: an entry named like a default changes only the keys it gives, any other is added.

    `given` holds (name, fields of `Rule` that were written). Errors: TypeError for a new rule without `when`.
    """
    rules = {rule.name: rule for rule in defaults}
    for name, fields in given:
        if name in rules:
            rules[name] = msgspec.structs.replace(rules[name], **fields)
        else:
            rules[name] = Rule(name=name, **fields)  # type: ignore[arg-type]  # the settings model checked the types
    return tuple(rules.values())
