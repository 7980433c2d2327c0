"""Promises of what the service tells the web of its alerts."""

from datetime import UTC

from fleetpulse.alerting.judge import Alerting
from fleetpulse.alerting.routes import Route
from fleetpulse.alerting.rules import DEFAULT_RULES
from fleetpulse.alerting.state import AlertState, Remembered
from fleetpulse.service.views import Fleets, State
from web.house import alert


def state_with(*states: AlertState) -> State:
    state = State(receivers=(), rules=DEFAULT_RULES)
    state.alerting = Alerting(
        rules=DEFAULT_RULES,
        route=Route(key="{}", receiver="ops"),
        sources={},
        send_resolved={},
        fleet=Fleets(),
        new_id=lambda: "n-1",
        remembered=Remembered(alerts={str(number): alert(str(number), state=as_) for number, as_ in enumerate(states)}),
        zone=UTC,
    )
    return state


async def test_alerts_are_counted_by_rule_and_state_and_those_of_no_alert_are_0() -> None:
    state = state_with(AlertState.FIRING, AlertState.FIRING, AlertState.PENDING, AlertState.RESOLVED)

    await state.count_alerts()

    counts = state.alert_counts()
    assert {key: number for key, number in counts.items() if number} == {
        ("FleetDeviceOffline", "firing"): 2,
        ("FleetDeviceOffline", "pending"): 1,
    }
    assert counts.keys() == {(rule.name, each) for rule in DEFAULT_RULES for each in ("pending", "firing")}


async def test_before_alerting_is_there_nothing_fires() -> None:
    state = State(receivers=(), rules=DEFAULT_RULES)

    await state.count_alerts()

    assert set(state.alert_counts().values()) == {0}
    assert state.alerts() == []
