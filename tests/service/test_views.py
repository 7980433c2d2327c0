"""Promises of what the service tells the web of its alerts."""

from datetime import UTC

from fleetpulse.alerting.judge import Alerting
from fleetpulse.alerting.routes import Route
from fleetpulse.alerting.rules import DEFAULT_RULES
from fleetpulse.alerting.state import AlertState, Remembered
from fleetpulse.fleet.device import Device, DeviceStatus, KnownDevice
from fleetpulse.fleet.known import KnownFleet, dump
from fleetpulse.service.views import Fleets, State
from fleetpulse.vendors.hologram import HologramSettings
from web.house import T0, alert


def state_with(*states: AlertState) -> State:
    state = State(sources=(), receivers=(), rules=DEFAULT_RULES)
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


def test_a_disabled_source_is_listed_and_not_called_unhealthy() -> None:
    lab = HologramSettings(name="lab", vendor="hologram", enabled=False)
    edge = HologramSettings(name="edge", vendor="hologram")
    state = State(sources=(lab, edge), receivers=(), rules=())

    found = state.sources(T0)

    assert [(source.name, source.status, source.healthy) for source in found] == [("lab", "disabled", True)]


def test_missing_devices_are_not_counted_among_those_that_keep_their_last_state() -> None:
    fleet = KnownFleet("edge")
    devices = {"a": DeviceStatus.ONLINE, "b": DeviceStatus.MISSING}
    segment = {id_: KnownDevice(Device(id_), status, T0) for id_, status in devices.items()}
    fleet.load(0, dump(segment))
    fleets = Fleets()
    fleets.known["edge"] = fleet

    assert fleets.devices("edge") == 1


async def test_before_alerting_is_there_nothing_fires() -> None:
    state = State(sources=(), receivers=(), rules=DEFAULT_RULES)

    await state.count_alerts()

    assert set(state.alert_counts().values()) == {0}
    assert state.alerts() == []
