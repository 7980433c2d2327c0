"""Promises of SIMs, tunnels, and devices that move or go missing."""

from typing import Any

import msgspec
import pytest

from alerting.stage import (
    AT_ONCE,
    HOUR,
    MINUTE,
    NO_WAIT,
    SECOND,
    SOURCE,
    Stage,
    baselined,
    degraded,
    recovered,
    removed,
    subjects,
    tunnelled,
    turned,
)
from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.alerting.notification import AlertStatus, EndReason
from fleetpulse.alerting.state import AlertState
from fleetpulse.fleet.device import Device, DeviceStatus, KnownDevice, SimState
from fleetpulse.fleet.events import (
    DeviceAppeared,
    DeviceCameOnline,
    DeviceForgotten,
    DeviceMoved,
    DeviceReturned,
    DeviceWentMissing,
    DeviceWentOffline,
    Problem,
    SimChanged,
    TunnelClosed,
    TunnelEvent,
    TunnelOpened,
    TunnelTerminated,
)

FIRING, RESOLVED = AlertStatus
PAUSED = SimState.PAUSED_BY_SYSTEM
SIMS = {SOURCE: SourceFacts(SOURCE, "hologram", "Hologram", offline_for=None, silent_after=24 * HOUR)}


def sims(**wiring: Any) -> Stage:
    return Stage(**{"sources": SIMS, "route": NO_WAIT, **wiring})


def sim(kind: Any, state: SimState | None, *, at: Any, **fields: Any) -> Any:
    extra = {"before": Device("sim-1")} if kind in {SimChanged, DeviceMoved} else {}
    return turned(kind, "sim-1", at=at, **{"sim": state, **extra, **fields})


@pytest.mark.parametrize("kind", [SimChanged, DeviceAppeared, DeviceReturned, DeviceWentOffline])
def test_a_sim_paused_by_the_system_is_told_at_once(kind: Any) -> None:
    stage = sims()

    (told,) = stage.play(sim(kind, PAUSED, at=stage.now))

    assert (told.text, told.detail) == (
        "[FIRING 1] FleetSimPausedBySystem · edge-prod · Lyon",
        "1 SIM paused by the system in Lyon",
    )
    assert told.alerts[0].annotations["summary"] == "The SIM of sim-1 in Lyon is paused by the system"
    assert told.alerts[0].labels["device"] == "sim-1"


@pytest.mark.parametrize("state", [each for each in SimState if each is not PAUSED])
def test_no_other_state_of_a_sim_is_an_alert(state: SimState) -> None:
    stage = sims()

    stage.play(sim(SimChanged, state, at=stage.now))

    assert stage.is_empty()


@pytest.mark.parametrize(
    ("kind", "state", "fields", "reason"),
    [
        (SimChanged, SimState.ACTIVE, {}, EndReason.NO_LONGER_PAUSED),
        (SimChanged, SimState.RETIRED, {}, EndReason.NO_LONGER_PAUSED),
        (SimChanged, None, {}, EndReason.NO_LONGER_PAUSED),
        (DeviceWentMissing, PAUSED, {}, EndReason.WENT_MISSING),
        (DeviceForgotten, PAUSED, {}, EndReason.FORGOTTEN),
        (DeviceMoved, PAUSED, {"to": "sims-eu"}, EndReason.MOVED),
    ],
)
def test_it_ends_with_the_pause_or_the_device(kind: Any, state: Any, fields: Any, reason: EndReason) -> None:
    stage = sims()
    stage.play(sim(SimChanged, PAUSED, at=stage.now))

    stage.play(sim(kind, state, at=stage.now, **fields))
    (told,) = stage.wait(5 * MINUTE)

    assert [alert.end_reason for alert in told.alerts] == [reason]
    assert stage.is_empty()


@pytest.mark.parametrize(
    ("kind", "state"), [(SimChanged, SimState.UNKNOWN), (DeviceCameOnline, PAUSED), (DeviceWentOffline, PAUSED)]
)
def test_it_goes_on_while_nothing_says_that_it_is_over(kind: Any, state: SimState) -> None:
    stage = sims()
    stage.play(sim(SimChanged, PAUSED, at=stage.now))

    stage.play(sim(kind, state, at=stage.now))
    stage.wait(HOUR)

    assert stage.alerts() == ["sim-1"]
    assert len(stage.told) == 1


def test_the_end_of_a_pause_as_it_is_read() -> None:
    stage = sims()
    stage.play(sim(SimChanged, PAUSED, at=stage.now))
    stage.wait(18 * MINUTE)
    stage.play(sim(SimChanged, SimState.ACTIVE, at=stage.now))

    (told,) = stage.wait(2 * MINUTE)

    assert told.text == "[RESOLVED] 1 SIM no longer paused by the system in Lyon after 18 min"


def test_a_sim_of_a_device_never_online_is_no_alert() -> None:
    stage = sims()

    stage.play(sim(SimChanged, PAUSED, at=stage.now, ever_online=False))

    assert stage.is_empty()


@pytest.mark.parametrize("status", [DeviceStatus.ONLINE, DeviceStatus.OFFLINE, DeviceStatus.UNKNOWN])
def test_a_sim_paused_before_the_first_look_is_listed_and_told_in_the_summary_alone(status: DeviceStatus) -> None:
    stage = sims()
    known = (KnownDevice(Device("sim-1", sim=PAUSED), status, stage.now, ever_online=True),)
    is_offline = status is DeviceStatus.OFFLINE
    found: dict[str, Any] = {"offline": known} if is_offline else {"paused": known}

    stage.play(baselined(at=stage.now, counts={"online": 430}, sims={PAUSED: 1}, **found))

    assert stage.alerts() == ["devices", "sim-1"]
    (told,) = stage.told
    assert told.text.startswith("First look at edge-prod: 430 devices (430 online), 1 SIM paused by the system, told")


def test_the_end_of_a_pause_that_was_there_at_the_first_look_is_told() -> None:
    stage = sims()
    known = KnownDevice(Device("sim-1", group="Lyon", sim=PAUSED), DeviceStatus.ONLINE, stage.now, ever_online=True)
    stage.play(baselined(at=stage.now, paused=(known,), sims={PAUSED: 1}))

    stage.wait(HOUR)
    told = stage.play(sim(SimChanged, SimState.ACTIVE, at=stage.now, status=DeviceStatus.ONLINE))

    assert [alert.end_reason for each in told for alert in each.alerts] == [EndReason.NO_LONGER_PAUSED]


def test_a_device_that_is_online_is_not_offline_because_its_sim_is_paused() -> None:
    stage = sims(sources={SOURCE: SourceFacts(SOURCE, "iomote", "Iomote")})
    known = KnownDevice(Device("sim-1", sim=PAUSED), DeviceStatus.ONLINE, stage.now, ever_online=True)

    stage.play(baselined(at=stage.now, paused=(known,)))

    assert [alert.rule for _, alert in stage.alerting.ledger.alerts.items()] == [
        "FleetSourceBaseline",
        "FleetSimPausedBySystem",
    ]


def test_a_stale_source_tells_of_no_sim() -> None:
    stage = sims()
    stage.play(degraded(Problem.STALE, at=stage.now), degraded(Problem.DOWN, at=stage.now))
    stage.play(sim(SimChanged, PAUSED, at=stage.now))
    held = stage.alerts()
    stage.play(recovered(Problem.STALE, at=stage.now), recovered(Problem.DOWN, at=stage.now))

    stage.see("sim-1")

    assert (held, stage.alerts()) == ([], ["sim-1"])


def opened(stage: Stage) -> TunnelEvent:
    return tunnelled(TunnelOpened, at=stage.now)


def test_a_tunnel_is_told_once_it_was_open_for_eight_hours() -> None:
    stage = Stage(route=NO_WAIT)
    stage.fleet.called = {"d-1": "gate-17"}
    stage.play(opened(stage))
    stage.wait(8 * HOUR - SECOND)
    early = stage.see("t-1")
    stage.wait(SECOND)

    (told,) = stage.see("t-1")

    assert early == []
    assert told.text == "[FIRING] Tunnel t-1 to gate-17 (d-1) is open since 08:00 UTC"
    assert told.alerts[0].labels["tunnel"] == "t-1"
    assert told.alerts[0].labels["severity"] == "info"


def test_a_tunnel_needs_an_observation_for_its_time_to_run_out() -> None:
    stage = Stage()
    stage.play(opened(stage))

    stage.wait(24 * HOUR)

    assert stage.alerts(AlertState.PENDING) == ["t-1"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [(TunnelClosed, "Tunnel t-1 to gate-17 was closed"), (TunnelTerminated, "Tunnel t-1 to gate-17 was terminated")],
)
def test_the_end_of_a_tunnel_is_told(kind: Any, words: str) -> None:
    stage = Stage(rules=AT_ONCE, route=NO_WAIT)
    stage.fleet.called = {"d-1": "gate-17"}
    stage.play(opened(stage))
    stage.wait(9 * HOUR)

    (told,) = stage.play(tunnelled(kind, at=stage.now))

    assert told.text == f"[RESOLVED] {words} after 9 h"
    assert stage.is_empty()


def test_nobody_hears_of_a_tunnel_that_was_closed_in_time() -> None:
    stage = Stage()
    stage.play(opened(stage))
    stage.wait(HOUR)

    stage.play(tunnelled(TunnelClosed, at=stage.now))
    stage.wait(24 * HOUR)

    assert stage.told == []
    assert stage.is_empty()


def test_a_removed_source_takes_its_tunnels_with_it() -> None:
    stage = Stage(rules=AT_ONCE, route=NO_WAIT)
    stage.play(opened(stage))
    stage.wait(9 * HOUR)

    (told,) = stage.play(removed(at=stage.now))

    assert told.text == "[RESOLVED] FleetTunnelOpen · edge-prod · t-1: source removed after 9 h"


def test_a_device_that_moved_to_another_source_is_told_with_where_it_is_now() -> None:
    stage = Stage()
    stage.drop("gate-17", "gate-18")
    stage.wait(12 * MINUTE + 30 * SECOND)
    stage.play(
        turned(DeviceMoved, "gate-17", at=stage.now, before=Device("gate-17"), to="edge-test"),
        turned(DeviceCameOnline, "gate-18", at=stage.now),
    )

    (told,) = stage.wait(5 * MINUTE)

    assert told.text == (
        "[RESOLVED] 2 devices no longer alerting in Lyon after 18 min: 1 came back, 1 moved to edge-test"
    )
    assert stage.is_empty()


def test_where_it_moved_is_told_after_a_restart_too() -> None:
    stage = Stage()
    stage.drop("gate-17")
    stage.play(turned(DeviceMoved, "gate-17", at=stage.now, before=Device("gate-17"), to="edge-test"))
    stage.restart()

    (told,) = stage.wait(5 * MINUTE)

    assert told.text.endswith(": moved to edge-test")


def test_a_device_that_moved_to_another_group_goes_on_under_the_labels_it_had() -> None:
    stage = Stage()
    stage.drop("gate-17", group="Lyon")

    stage.play(turned(DeviceMoved, "gate-17", at=stage.now, group="Nantes", before=Device("gate-17", group="Lyon")))
    stage.wait(HOUR)
    going_on = stage.alerts()
    (told,) = [*stage.online("gate-17", group="Nantes"), *stage.wait(5 * MINUTE)]

    assert going_on == ["gate-17"]
    assert told.group_labels["group"] == "Lyon"


def test_a_move_alone_opens_nothing() -> None:
    stage = Stage(rules=AT_ONCE)

    stage.play(turned(DeviceMoved, "gate-17", at=stage.now, before=Device("gate-17")))

    assert stage.is_empty()


def test_a_device_that_went_missing_is_told_with_why_it_may_be() -> None:
    facts = SourceFacts(SOURCE, "jfrog-connect-v1", "JFrog Connect", missing_hint="Agents from 7.0 on are not listed")
    stage = Stage(sources={SOURCE: facts})
    stage.drop("gate-17", "gate-18")
    stage.wait(4 * MINUTE + 30 * SECOND)
    stage.play(*(turned(DeviceWentMissing, device, at=stage.now) for device in ("gate-17", "gate-18")))

    (told,) = stage.wait(5 * MINUTE)

    assert (told.text, told.detail) == (
        "[RESOLVED] 2 devices no longer alerting in Lyon after 10 min: went missing",
        "Agents from 7.0 on are not listed",
    )
    assert [alert.end_note for alert in told.alerts] == ["Agents from 7.0 on are not listed"] * 2


def test_a_hint_stands_beside_what_still_fires() -> None:
    stage = Stage(sources={SOURCE: SourceFacts(SOURCE, missing_hint="Agents from 7.0 on are not listed")})
    stage.drop("gate-17", "gate-18")
    stage.play(turned(DeviceWentMissing, "gate-17", at=stage.now))

    (told,) = stage.wait(5 * MINUTE)

    assert told.detail == "+0 -1, now 1 of 15 in Lyon. Agents from 7.0 on are not listed"
    assert (subjects(told, FIRING), subjects(told, RESOLVED)) == (["gate-18"], ["gate-17"])


def test_rules_over_one_device_end_together() -> None:
    stage = sims()
    stage.offline("sim-1", sim=PAUSED, last_seen_at=stage.now - 48 * HOUR)
    both = sorted(each.group_labels["alertname"] for each in stage.told)

    stage.play(msgspec.structs.replace(turned(DeviceForgotten, "sim-1", at=stage.now)))
    stage.wait(5 * MINUTE)

    assert both == ["FleetDeviceSilent", "FleetSimPausedBySystem"]
    assert stage.is_empty()
