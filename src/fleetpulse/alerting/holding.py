"""Holding: alerts about which nobody can know anything now neither fire nor are repeated."""

from collections.abc import Mapping

from fleetpulse.alerting.condition import OF_SOURCES
from fleetpulse.alerting.conditions import trouble_key
from fleetpulse.alerting.ledger import Ledger
from fleetpulse.alerting.state import Alert
from fleetpulse.alerting.wording import SourceFacts
from fleetpulse.fleet.events import Problem


class Holding:
    """Tells which alerts are held."""

    def __init__(self, sources: Mapping[str, SourceFacts]) -> None:
        self._sources = sources

    def held(self, ledger: Ledger, alert: Alert) -> str:
        """Why the alert is held, empty where it isn't.

        While a source is stale, nobody knows whether what it told of still is so. What is wrong with the source itself
        and past facts stay true however old the last sweep is.
        """
        if alert.condition.kind in OF_SOURCES or alert.occurrence:
            return ""
        source = self._sources.get(alert.condition.source, SourceFacts(alert.condition.source))
        stale = ledger.conditions.get(trouble_key(source.name, source.main_resource, Problem.STALE))
        return "" if stale is None else "source stale"
