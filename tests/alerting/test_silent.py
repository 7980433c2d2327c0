"""Promises of devices that may sleep, and of what is usual for a vendor."""

from datetime import timedelta
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
    default,
    degraded,
    recovered,
    renamed,
    rule,
    subjects,
    turned,
)
from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.alerting.judge import Observed
from fleetpulse.alerting.matchers import parse_matcher
from fleetpulse.alerting.notification import AlertStatus, EndReason
from fleetpulse.alerting.rules import DEFAULT_RULES, Rule
from fleetpulse.alerting.state import AlertState
from fleetpulse.fleet.device import Device, DeviceStatus, KnownDevice
from fleetpulse.fleet.events import (
    DeviceBecameUnknown,
    DeviceCameOnline,
    DeviceForgotten,
    DeviceMoved,
    DeviceWentMissing,
    DeviceWentOffline,
    Problem,
)

DAY = 24 * HOUR
SLEEPERS = {SOURCE: SourceFacts(SOURCE, "hologram", "Hologram", offline_for=None, silent_after=DAY)}
LAPTOPS = {SOURCE: SourceFacts(SOURCE, "scalepad", "ScalePad", offline_for=None, silent_after=14 * DAY)}
SLOW = {SOURCE: SourceFacts(SOURCE, "iomote", "Iomote MyMote", offline_for=10 * MINUTE)}


def sleepers(**wiring: Any) -> Stage:
    return Stage(**{"sources": SLEEPERS, "route": NO_WAIT, **wiring})


def fired(stage: Stage) -> list[tuple[str, str]]:
    return sorted(
        (alert.rule, alert.condition.subject)
        for _, alert in stage.alerting.ledger.alerts.items()
        if alert.state is AlertState.FIRING
    )


@pytest.mark.parametrize(
    "rules",
    [
        DEFAULT_RULES,
        AT_ONCE,
        rule("FleetDeviceOffline", for_=MINUTE),
        (*DEFAULT_RULES, msgspec.structs.replace(default("FleetDeviceOffline"), name="Mine", for_=0 * SECOND)),
    ],
)
def test_being_offline_is_no_alert_where_it_is_healthy_whatever_a_rule_says(rules: tuple[Rule, ...]) -> None:
    stage = sleepers(rules=rules)
    stage.offline("sim-1")
    stage.wait(23 * HOUR)

    stage.see("sim-1")

    assert (stage.alerts(), stage.alerts(AlertState.PENDING)) == ([], [])


def test_a_silent_device_is_told_on_an_observation_after_its_time() -> None:
    stage = sleepers()
    stage.offline("sim-1")
    stage.wait(24 * HOUR)
    early = Observed(SOURCE, ["sim-1"], stage.now - SECOND)

    stage.play(observed=[early])
    before = stage.alerts()
    stage.see("sim-1")

    assert before == []
    assert fired(stage) == [("FleetDeviceSilent", "sim-1")]
    assert [subjects(each, AlertStatus.FIRING) for each in stage.told] == [["sim-1"]]


def test_laptops_may_sleep_for_two_weeks() -> None:
    stage = sleepers(sources=LAPTOPS)
    stage.offline("laptop-1")
    stage.wait(14 * DAY - SECOND)
    stage.see("laptop-1")
    before = stage.alerts()
    stage.wait(SECOND)

    stage.see("laptop-1")

    assert (before, stage.alerts()) == ([], ["laptop-1"])


def test_silence_counts_from_the_vendors_word_of_when_it_was_last_seen() -> None:
    stage = sleepers()
    stage.offline("sim-1", last_seen_at=stage.now - 23 * HOUR)
    stage.wait(HOUR)

    stage.see("sim-1")

    (alert,) = stage.told[0].alerts
    assert (alert.starts_at, alert.since_at) == (stage.now, stage.now - DAY)


def test_one_that_is_silent_too_long_already_when_it_is_first_told_of_needs_no_second_look() -> None:
    stage = sleepers()

    (told,) = stage.offline("sim-1", last_seen_at=stage.now - 3 * DAY)

    assert [(alert.starts_at, alert.since_at) for alert in told.alerts] == [(stage.now, stage.now - 3 * DAY)]


def test_what_we_saw_online_ourselves_is_not_silent_though_its_session_began_long_ago() -> None:
    stage = sleepers()

    stage.offline("sim-1", was=DeviceStatus.ONLINE, last_seen_at=stage.now - 3 * DAY)
    stage.see("sim-1")

    assert stage.alerts() == []


def test_what_went_offline_while_nobody_looked_counts_from_the_vendors_word() -> None:
    stage = sleepers()

    stage.offline("sim-1", was=DeviceStatus.ONLINE, late=True, last_seen_at=stage.now - 3 * DAY)

    assert stage.alerts() == ["sim-1"]


def test_a_last_seen_in_the_future_counts_as_none() -> None:
    stage = sleepers()
    stage.offline("sim-1")
    stage.offline("sim-2", last_seen_at=stage.now + 900 * DAY)
    stage.fleet.heard = {"sim-1": stage.now + 900 * DAY}
    stage.wait(DAY)

    (told,) = stage.see("sim-1", "sim-2")
    silent = stage.alerts()
    stage.fleet.heard = {"sim-2": stage.now}
    stage.see("sim-2")

    assert (silent, stage.alerts()) == (["sim-1", "sim-2"], ["sim-1"])
    assert [alert.annotations.get("last_seen") for alert in told.alerts if alert.labels["device"] == "sim-1"] == [None]


def test_a_session_between_two_looks_puts_the_alert_off() -> None:
    stage = sleepers()
    stage.offline("sim-1")
    stage.wait(20 * HOUR)
    stage.fleet.heard = {"sim-1": stage.now}
    stage.wait(4 * HOUR)

    stage.see("sim-1")
    put_off = stage.alerts()
    stage.wait(20 * HOUR)
    stage.see("sim-1")

    assert (put_off, stage.alerts()) == ([], ["sim-1"])


def test_an_event_that_tells_of_a_session_between_two_looks_puts_the_alert_off() -> None:
    stage = sleepers()
    stage.offline("sim-1")
    stage.wait(DAY)
    heard_at = stage.now - HOUR
    stage.fleet.heard = {"sim-1": heard_at}
    event = renamed("sim-1", at=stage.now, name="Sim 1", last_seen_at=heard_at)

    stage.play(event, observed=[Observed(SOURCE, ["sim-1"], stage.now)])

    assert (stage.alerts(), stage.reasons()) == ([], [])


@pytest.mark.parametrize("ago", [-HOUR, 3 * DAY])
def test_an_event_whose_last_session_is_no_news_or_nonsense_leaves_silence_as_it_is(ago: timedelta) -> None:
    stage = sleepers()
    stage.offline("sim-1")
    stage.wait(DAY)

    (told,) = stage.play(renamed("sim-1", at=stage.now, last_seen_at=stage.now - ago))

    assert [alert.since_at for alert in told.alerts] == [stage.now - DAY]


def test_a_session_between_two_looks_ends_the_alert_and_the_next_silence_is_told_anew() -> None:
    stage = sleepers()
    stage.offline("sim-1")
    stage.wait(DAY)
    stage.see("sim-1")
    stage.fleet.heard = {"sim-1": stage.now + HOUR}
    stage.wait(2 * HOUR)

    (ended,) = stage.see("sim-1")
    stage.wait(23 * HOUR)
    (again,) = stage.see("sim-1")

    assert [alert.end_reason for alert in ended.alerts] == [EndReason.SEEN_AGAIN]
    assert ended.text == "[RESOLVED] 1 device seen again in Lyon after 26 h"
    assert subjects(again, AlertStatus.FIRING) == ["sim-1"]


def test_a_session_between_two_looks_ends_the_alerts_of_all_rules() -> None:
    second = msgspec.structs.replace(default("FleetDeviceSilent"), name="Long", after=2 * DAY)
    stage = sleepers(rules=(*DEFAULT_RULES, second))
    stage.offline("sim-1", last_seen_at=stage.now - 3 * DAY)
    stage.fleet.heard = {"sim-1": stage.now}
    stage.wait(MINUTE)

    stage.see("sim-1")
    told = stage.wait(5 * MINUTE)

    assert [alert.end_reason for each in told for alert in each.alerts] == [EndReason.SEEN_AGAIN] * 2


def test_what_is_kept_firing_after_a_session_ends_when_its_time_is_over() -> None:
    stage = sleepers(rules=rule("FleetDeviceSilent", keep_firing_for=10 * MINUTE))
    stage.offline("sim-1", last_seen_at=stage.now - DAY)
    stage.fleet.heard = {"sim-1": stage.now}
    stage.see("sim-1")
    ends_at = stage.now + 10 * MINUTE

    for _ in range(12):
        stage.wait(MINUTE)
        stage.see("sim-1")
        stage.play(renamed("sim-1", at=stage.now, name="Sim 1"))
    stage.wait(5 * MINUTE)

    assert [alert.ends_at for alert in stage.told[-1].alerts] == [ends_at]


def test_only_what_was_silent_already_when_it_was_found_is_late() -> None:
    stage = sleepers()
    stage.offline("sim-1", late=True, last_seen_at=stage.now - 3 * DAY)
    stage.offline("sim-2", late=True, last_seen_at=stage.now)
    stage.wait(DAY)

    stage.see("sim-2")
    stage.wait(5 * MINUTE)

    assert {alert.labels["device"]: alert.late for alert in stage.told[-1].alerts} == {"sim-1": True, "sim-2": False}


def test_without_news_of_it_an_alert_goes_on() -> None:
    stage = sleepers()
    stage.offline("sim-1", last_seen_at=stage.now - DAY)
    stage.fleet.heard = {"sim-1": stage.now - DAY}
    stage.wait(HOUR)

    stage.see("sim-1")

    assert stage.alerts() == ["sim-1"]
    assert len(stage.told) == 1


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        (DeviceCameOnline, {}, EndReason.CAME_BACK),
        (DeviceWentMissing, {}, EndReason.WENT_MISSING),
        (DeviceForgotten, {}, EndReason.FORGOTTEN),
        (DeviceMoved, {"before": Device("sim-1"), "to": "sims-eu"}, EndReason.MOVED),
    ],
)
def test_silence_ends_with_its_reason(kind: Any, fields: dict[str, Any], reason: EndReason) -> None:
    stage = sleepers()
    stage.offline("sim-1", last_seen_at=stage.now - 3 * DAY)

    stage.play(turned(kind, "sim-1", at=stage.now, **fields))
    (told,) = stage.wait(5 * MINUTE)

    assert [alert.end_reason for alert in told.alerts] == [reason]
    assert stage.is_empty()


def test_a_device_never_online_is_not_silent() -> None:
    stage = sleepers()

    stage.offline("sim-1", ever_online=False)
    stage.wait(3 * DAY)
    stage.see("sim-1")

    assert stage.is_empty()


def test_an_unknown_status_proves_no_silence() -> None:
    stage = sleepers()
    stage.offline("sim-1")
    stage.play(turned(DeviceBecameUnknown, "sim-1", at=stage.now))
    stage.wait(2 * DAY)

    stage.see("sim-1")

    assert stage.alerts() == []


def test_what_was_silent_at_the_first_look_is_listed_and_what_became_so_later_is_told() -> None:
    stage = sleepers()
    known = [
        KnownDevice(Device(device, group="Lyon"), DeviceStatus.OFFLINE, stage.now, stage.now - age, ever_online=True)
        for device, age in (("sim-1", 3 * DAY), ("sim-2", HOUR))
    ]
    stage.play(baselined(at=stage.now, offline=tuple(known)))
    at_first = stage.alerts()
    stage.wait(DAY)

    (told,) = stage.see("sim-1", "sim-2")

    assert at_first == ["devices", "sim-1"]
    assert subjects(told, AlertStatus.FIRING, new=True) == ["sim-2"]


def test_a_stale_source_tells_of_no_silence() -> None:
    stage = sleepers()
    stage.offline("sim-1")
    stage.play(degraded(Problem.STALE, at=stage.now), degraded(Problem.DOWN, at=stage.now))
    stage.wait(DAY)
    stage.see("sim-1")
    stale = stage.alerts()

    stage.play(recovered(Problem.STALE, at=stage.now), recovered(Problem.DOWN, at=stage.now))
    stage.see("sim-1")

    assert (stale, stage.alerts()) == ([], ["sim-1"])


def test_no_alert_waits_for_a_sleeper() -> None:
    stage = sleepers()

    stage.offline("sim-1")
    stage.wait(23 * HOUR)
    stage.see("sim-1")

    assert dict(stage.alerting.ledger.alerts.items()) == {}
    assert stage.alerting.due_at() is None


def test_silence_is_found_by_an_observation_after_a_restart() -> None:
    stage = sleepers()
    stage.offline("sim-1")
    stage.wait(2 * DAY)
    stage.restart()
    remembered = stage.alerts()

    stage.see("sim-1")

    assert (remembered, stage.alerts()) == ([], ["sim-1"])


def test_an_event_about_a_silent_device_is_an_observation_too() -> None:
    stage = sleepers()
    stage.offline("sim-1")
    stage.wait(DAY)

    stage.play(renamed("sim-1", at=stage.now, name="Sim 1"))

    assert stage.alerts() == ["sim-1"]


def test_what_a_rule_says_itself_counts_before_what_is_usual() -> None:
    stage = sleepers(rules=rule("FleetDeviceSilent", after=2 * HOUR, for_=HOUR))
    stage.offline("sim-1")
    stage.wait(2 * HOUR)
    stage.see("sim-1")
    pending = stage.alerts(AlertState.PENDING)
    stage.wait(HOUR)

    stage.see("sim-1")

    assert (pending, stage.alerts()) == (["sim-1"], ["sim-1"])


def test_a_changed_after_of_the_default_rule_speaks_of_no_vendor_that_it_did_not_speak_of() -> None:
    stage = Stage(rules=rule("FleetDeviceSilent", after=2 * HOUR))
    stage.drop("gate-17")
    stage.wait(3 * HOUR)

    stage.see("gate-17")

    assert fired(stage) == [("FleetDeviceOffline", "gate-17")]


@pytest.mark.parametrize(
    "rules",
    [
        rule("FleetDeviceSilent", after=2 * HOUR, matchers=(parse_matcher("vendor=jfrog-connect"),)),
        (*DEFAULT_RULES, Rule(name="Long", when=default("FleetDeviceSilent").when, after=2 * HOUR)),
    ],
    ids=["matchers", "own"],
)
def test_a_rule_of_ones_own_speaks_of_what_it_matches(rules: tuple[Rule, ...]) -> None:
    stage = Stage(rules=rules)
    stage.drop("gate-17")
    stage.wait(3 * HOUR)

    stage.see("gate-17")

    assert [subject for _, subject in fired(stage)] == ["gate-17", "gate-17"]


def test_a_rule_that_says_no_time_where_none_is_usual_waits_a_day() -> None:
    stage = Stage(rules=(Rule(name="Long", when=default("FleetDeviceSilent").when),))
    stage.offline("gate-17")
    stage.wait(DAY - SECOND)
    stage.see("gate-17")
    before = stage.alerts()
    stage.wait(SECOND)

    stage.see("gate-17")

    assert (before, stage.alerts()) == ([], ["gate-17"])


@pytest.mark.parametrize(
    ("rules", "for_"), [(DEFAULT_RULES, 10 * MINUTE), (rule("FleetDeviceOffline", for_=2 * MINUTE), 2 * MINUTE)]
)
def test_for_is_as_usual_for_the_vendor_unless_the_rule_says_it(rules: tuple[Rule, ...], for_: timedelta) -> None:
    stage = Stage(rules=rules, sources=SLOW)
    stage.offline("gate-17")
    stage.wait(for_ - SECOND)
    stage.see("gate-17")
    before = stage.alerts()
    stage.wait(SECOND)

    stage.see("gate-17")

    assert (before, stage.alerts()) == ([], ["gate-17"])


def test_an_alert_of_a_rule_that_no_longer_speaks_of_the_vendor_ends_at_the_start() -> None:
    stage = Stage()
    stage.drop("gate-17")

    stage.restart(sources=SLEEPERS)
    (told,) = stage.wait(5 * MINUTE)

    assert [alert.end_reason for alert in told.alerts] == [EndReason.RULE_CHANGED]


def test_silent_devices_as_they_are_read() -> None:
    stage = sleepers()
    told = stage.offline("sim-1", "sim-2", last_seen_at=stage.now - 30 * HOUR)
    stage.wait(HOUR)

    (back,) = stage.online("sim-1", "sim-2")

    assert [(each.text, each.detail) for each in told] == [
        (
            "[FIRING 2] FleetDeviceSilent · edge-prod · Lyon",
            "2 devices silent in Lyon, 12 others there are online",
        )
    ]
    summaries = [alert.annotations["summary"] for alert in told[0].alerts]
    assert "sim-1 in Lyon is silent since 2026-03-01 02:00 UTC" in summaries
    assert back.text == "[RESOLVED] 2 devices back online in Lyon after 31 h"


def test_who_goes_offline_again_is_silent_from_then_on() -> None:
    stage = sleepers()
    stage.offline("sim-1")
    stage.wait(20 * HOUR)
    stage.online("sim-1")
    stage.play(turned(DeviceWentOffline, "sim-1", at=stage.now))
    stage.wait(5 * HOUR)

    stage.see("sim-1")

    assert stage.alerts() == []
