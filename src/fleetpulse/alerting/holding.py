"""Holding: alerts of which nobody can know anything now, or that say nothing new, neither fire nor are repeated."""

from collections.abc import Mapping
from typing import Final

from fleetpulse.alerting.condition import OF_SOURCES, ConditionKind
from fleetpulse.alerting.conditions import trouble_key
from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.alerting.ledger import Ledger
from fleetpulse.alerting.state import Alert
from fleetpulse.fleet.events import Problem
from fleetpulse.fleet.source import VERDICTS

_BLIND: Final = {Problem.STALE: "source stale", Problem.PAUSED: "source paused"}


class Holding:
    """Tells which alerts are held."""

    def __init__(self, sources: Mapping[str, SourceFacts]) -> None:
        self._sources = sources

    def held(self, ledger: Ledger, alert: Alert) -> str:
        """Why the alert is held, empty where it isn't.

        While a source is stale or paused, nobody knows whether what it told of still is so. What is wrong with the
        source itself and past facts stay true however old the last sweep is; but of a source that is down all is told
        by that: that it is stale, that its other resources fail, comes of the same cause.
        """
        source = alert.condition.source
        if alert.occurrence:
            return ""
        if alert.kind is ConditionKind.SOURCE_DEGRADED:
            return "source down" if any(self._stands(ledger, source, problem) for problem in VERDICTS) else ""
        if alert.kind in OF_SOURCES:
            return ""
        return next((reason for problem, reason in _BLIND.items() if self._stands(ledger, source, problem)), "")

    def paused(self, ledger: Ledger, source: str) -> bool:
        """Whether somebody wants the source not to be looked at: then nobody is told of what is wrong with it."""
        return self._stands(ledger, source, Problem.PAUSED)

    def _stands(self, ledger: Ledger, source: str, problem: Problem) -> bool:
        facts = self._sources.get(source, SourceFacts(source))
        return ledger.conditions.get(trouble_key(source, facts.main_resource, problem)) is not None
