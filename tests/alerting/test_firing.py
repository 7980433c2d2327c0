"""Promises of how an alert opens, fires, and ends."""

import msgspec
import pytest

from alerting.stage import (
    AT_ONCE,
    HOUR,
    MINUTE,
    NO_WAIT,
    ROUTE,
    SECOND,
    SOURCE,
    T0,
    Stage,
    baselined,
    degraded,
    recovered,
    removed,
    renamed,
    rule,
    subjects,
    turned,
)
from fleetpulse.alerting.condition import ConditionKind
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
    DeviceWentMissing,
    DeviceWentOffline,
    Problem,
)

KEPT = rule("FleetDeviceOffline", keep_firing_for=10 * MINUTE)


def test_for_runs_out_only_on_an_observation_made_after_its_time() -> None:
    stage = Stage()
    stage.offline("gate-17")
    stage.wait(HOUR)
    early = Observed(SOURCE, ["gate-17"], stage.now - HOUR + 4 * MINUTE)

    stage.play(observed=[early])
    pending = stage.alerts(AlertState.PENDING)
    stage.see("gate-17")

    assert pending == ["gate-17"]
    assert stage.alerts() == ["gate-17"]


def test_for_counts_from_the_first_observation_over_a_restart() -> None:
    stage = Stage()
    stage.offline("gate-17")
    stage.wait(4 * MINUTE)
    stage.restart()
    stage.wait(MINUTE)

    stage.see("gate-17")

    assert stage.alerts() == ["gate-17"]


def test_nobody_hears_of_a_device_that_is_back_within_for() -> None:
    stage = Stage()
    stage.offline("gate-17")
    stage.wait(4 * MINUTE)

    stage.online("gate-17")
    stage.wait(HOUR)

    assert stage.told == []
    assert stage.is_empty()
    assert "ended before anyone was told" in stage.reasons()


def test_a_device_never_online_opens_no_alert() -> None:
    stage = Stage(rules=AT_ONCE)

    stage.offline("gate-17", ever_online=False)

    assert stage.is_empty()
    assert stage.reasons() == ["never online"]


def test_a_change_of_attributes_opens_no_alert() -> None:
    stage = Stage(rules=AT_ONCE)

    stage.play(renamed("gate-17", at=stage.now, name="Gate 17"))

    assert stage.is_empty()


def test_an_unknown_status_neither_ends_an_alert_nor_lets_for_run_out() -> None:
    stage = Stage()
    stage.offline("gate-17")
    stage.wait(MINUTE)
    stage.play(turned(DeviceBecameUnknown, "gate-17", at=stage.now))
    stage.wait(5 * MINUTE)

    stage.see("gate-17")
    in_doubt = stage.alerts(AlertState.PENDING)
    stage.offline("gate-17")
    stage.see("gate-17")

    assert in_doubt == ["gate-17"]
    assert stage.alerts() == ["gate-17"]


def test_an_alert_goes_on_while_its_device_is_unknown() -> None:
    stage = Stage()
    stage.drop("gate-17")

    stage.play(turned(DeviceBecameUnknown, "gate-17", at=stage.now))
    stage.wait(HOUR)

    assert stage.alerts() == ["gate-17"]
    assert len(stage.told) == 1


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (turned(DeviceCameOnline, "gate-17", at=T0), EndReason.CAME_BACK),
        (turned(DeviceWentMissing, "gate-17", at=T0), EndReason.WENT_MISSING),
        (turned(DeviceForgotten, "gate-17", at=T0), EndReason.FORGOTTEN),
        (removed(at=T0), EndReason.SOURCE_REMOVED),
    ],
)
def test_each_end_has_its_reason(event: DeviceCameOnline, reason: EndReason) -> None:
    stage = Stage()
    stage.drop("gate-17")

    stage.play(msgspec.structs.replace(event, seen_at=stage.now))
    (told,) = stage.wait(5 * MINUTE)

    assert [alert.end_reason for alert in told.alerts] == [reason]
    assert stage.is_empty()


def test_the_end_tells_the_events_of_beginning_and_end() -> None:
    stage = Stage()
    stage.drop("gate-17")

    stage.online("gate-17")
    (told,) = stage.wait(5 * MINUTE)

    assert [event.type for event in told.alerts[0].events] == ["fleet.device.went_offline", "fleet.device.came_online"]


def test_keep_firing_for_bridges_a_short_return() -> None:
    stage = Stage(rules=KEPT)
    stage.drop("gate-17")
    stage.online("gate-17")
    stage.wait(9 * MINUTE)

    stage.offline("gate-17")
    stage.wait(HOUR)

    assert stage.alerts() == ["gate-17"]
    assert len(stage.told) == 1


def test_keep_firing_for_ends_by_itself_with_the_reason_of_the_end() -> None:
    stage = Stage(rules=KEPT)
    stage.drop("gate-17")
    stage.online("gate-17")
    ends_at = stage.now + 10 * MINUTE

    told = stage.wait(20 * MINUTE)

    assert [(alert.end_reason, alert.ends_at) for each in told for alert in each.alerts] == [
        (EndReason.CAME_BACK, ends_at)
    ]


def test_what_was_kept_firing_had_ended_though_the_next_event_was_read_late() -> None:
    stage = Stage(rules=KEPT)
    stage.drop("gate-17")
    online = turned(DeviceCameOnline, "gate-17", at=stage.now)
    offline = turned(DeviceWentOffline, "gate-17", at=stage.now + 11 * MINUTE)
    stage.now += 12 * MINUTE

    stage.play(online, offline)

    assert stage.alerts(AlertState.PENDING) == ["gate-17"]


def test_a_removed_source_ends_at_once_what_is_kept_firing_and_pending() -> None:
    stage = Stage(rules=KEPT)
    stage.drop("gate-17")
    stage.online("gate-17")
    stage.offline("gate-18")

    stage.play(removed(at=stage.now))
    told = stage.wait(5 * MINUTE)

    assert [subjects(each, AlertStatus.RESOLVED) for each in told] == [["gate-17"]]
    assert stage.is_empty()


def test_labels_stay_as_they_were_when_the_alert_opened() -> None:
    stage = Stage()
    stage.drop("gate-17", group="Lyon")

    stage.play(renamed("gate-17", at=stage.now, group="Nantes", name="Gate 17"))
    stage.online("gate-17", group="Nantes")
    (told,) = stage.wait(5 * MINUTE)

    assert told.group_labels["group"] == "Lyon"
    assert told.alerts[0].labels == stage.told[0].alerts[0].labels
    assert told.alerts[0].annotations["name"] == "Gate 17"


def test_a_group_that_is_learned_before_anyone_was_told_is_a_label_from_then_on() -> None:
    stage = Stage()
    stage.offline("gate-17", group="")
    stage.wait(MINUTE)

    stage.play(renamed("gate-17", at=stage.now, group="Lyon", name="Gate 17"))
    stage.wait(4 * MINUTE)
    told = [*stage.see("gate-17"), *stage.wait(MINUTE)]

    (alert,) = told[0].alerts
    assert (alert.labels["group"], alert.annotations["name"]) == ("Lyon", "Gate 17")
    assert alert.starts_at == stage.now - 6 * MINUTE
    assert len(list(stage.alerting.ledger.alerts.items())) == len(told) == 1


def test_a_group_that_is_learned_during_group_wait_delays_nothing() -> None:
    stage = Stage(rules=AT_ONCE)
    stage.offline("gate-17", group="")

    stage.play(renamed("gate-17", at=stage.now, group="Lyon"))
    (told,) = stage.wait(30 * SECOND)

    assert told.group_labels["group"] == "Lyon"
    assert stage.online("gate-17") == []
    assert [len(each.alerts) for each in stage.wait(HOUR)] == [1]
    assert stage.is_empty()


def test_a_group_that_is_learned_later_leaves_the_labels_as_they_were_told() -> None:
    stage = Stage()
    stage.drop("gate-17", group="")

    stage.play(renamed("gate-17", at=stage.now, group="Lyon", name="Gate 17"))
    stage.online("gate-17", group="Lyon")
    (told,) = stage.wait(5 * MINUTE)

    assert told.alerts[0].labels == stage.told[0].alerts[0].labels
    assert told.alerts[0].annotations["name"] == "Gate 17"


def test_what_was_wrong_at_the_first_look_gets_its_group_in_silence() -> None:
    stage = Stage(route=NO_WAIT)
    nameless = KnownDevice(Device("gate-17"), DeviceStatus.OFFLINE, stage.now - HOUR, ever_online=True)
    stage.play(baselined(at=stage.now, offline=(nameless,)))
    stage.see("gate-17")
    before = len(stage.told)

    stage.play(renamed("gate-17", at=stage.now, group="Lyon", name="Gate 17"))
    in_silence = len(stage.told) == before
    stage.see("gate-17")
    (told,) = stage.online("gate-17", group="Lyon")

    assert in_silence
    assert stage.alerts(AlertState.PENDING) == []
    assert (told.group_labels["group"], told.alerts[0].annotations["name"]) == ("Lyon", "Gate 17")


def test_a_rule_for_a_group_speaks_of_a_device_once_its_group_is_learned() -> None:
    lyon = Rule(
        name="Lyon", when=ConditionKind.DEVICE_OFFLINE, matchers=(parse_matcher("group=Lyon"),), for_=2 * MINUTE
    )
    stage = Stage(rules=[lyon], route=NO_WAIT)
    stage.offline("gate-17", group="")
    stage.wait(MINUTE)

    stage.play(renamed("gate-17", at=stage.now, group="Lyon"))
    stage.wait(MINUTE)

    assert [subjects(each, AlertStatus.FIRING) for each in stage.see("gate-17")] == [["gate-17"]]


def test_an_alert_has_the_labels_of_its_rule_its_source_and_its_subject() -> None:
    stage = Stage(rules=rule("FleetDeviceOffline", labels={"page": "yes"}, for_=0 * SECOND), route=NO_WAIT)

    (told,) = stage.offline("gate-17")

    assert told.alerts[0].labels == {
        "alertname": "FleetDeviceOffline",
        "severity": "warning",
        "source": "edge-prod",
        "vendor": "jfrog-connect",
        "device": "gate-17",
        "group": "Lyon",
        "team": "edge",
        "page": "yes",
    }


def test_two_rules_over_one_condition_are_two_alerts() -> None:
    critical = msgspec.structs.replace(DEFAULT_RULES[0], name="Critical", severity="critical", for_=HOUR)
    stage = Stage(rules=(*DEFAULT_RULES, critical))
    stage.drop("gate-17")
    stage.wait(HOUR)

    stage.see("gate-17")
    (told,) = stage.wait(30 * SECOND)

    assert told.group_labels["alertname"] == "Critical"
    assert stage.alerts() == ["gate-17", "gate-17"]


def test_an_unknown_source_is_judged_under_its_name_alone() -> None:
    stage = Stage(rules=AT_ONCE, route=NO_WAIT, sources={})

    (told,) = stage.offline("gate-17")

    assert (told.alerts[0].labels["source"], told.alerts[0].labels.get("vendor")) == ("edge-prod", None)


@pytest.mark.parametrize("problem", [Problem.MISCONFIGURED, Problem.REJECTED])
def test_a_source_that_is_set_up_wrongly_is_told_at_once_and_its_recovery_too(problem: Problem) -> None:
    stage = Stage()
    stage.play(degraded(problem, at=stage.now))
    first = stage.wait(30 * SECOND)

    stage.play(recovered(problem, at=stage.now))
    second = stage.wait(5 * MINUTE)

    assert [each.status for each in (*first, *second)] == [AlertStatus.FIRING, AlertStatus.RESOLVED]
    assert stage.is_empty()


def test_a_source_is_down_once_a_sweep_fails_after_five_minutes() -> None:
    stage = Stage()
    stage.play(degraded(Problem.DOWN, at=stage.now))
    stage.wait(6 * MINUTE)
    before = stage.alerts()

    stage.see("devices")

    assert (before, stage.alerts()) == ([], ["devices"])


def test_the_problems_of_one_source_end_apart() -> None:
    stage = Stage()
    stage.play(degraded(Problem.DOUBTED, at=stage.now), degraded(Problem.RATE_LIMITED, at=stage.now))
    stage.wait(15 * MINUTE)
    stage.see("devices/doubted", "devices/rate_limited")

    stage.play(recovered(Problem.DOUBTED, at=stage.now))

    assert stage.alerts() == ["devices/rate_limited"]


def test_a_stale_source_opens_nothing() -> None:
    stage = Stage()
    stage.offline("gate-17")
    stage.play(degraded(Problem.STALE, at=stage.now))
    stage.wait(10 * MINUTE)

    stage.see("gate-17")
    stale = stage.alerts()
    stage.play(recovered(Problem.STALE, at=stage.now))
    stage.see("gate-17")

    assert (stale, stage.alerts()) == ([], ["gate-17"])


def test_a_stale_source_opens_nothing_even_without_for() -> None:
    stage = Stage(rules=rule("FleetSourceDegraded", AT_ONCE, enabled=False))
    stage.play(degraded(Problem.STALE, at=stage.now))
    stage.offline("gate-17")
    stage.see("gate-17")
    stale = (stage.alerts(), stage.alerts(AlertState.PENDING))

    stage.play(recovered(Problem.STALE, at=stage.now))
    unseen = stage.alerts()
    stage.see("gate-17")

    assert stale == ([], ["gate-17"])
    assert (unseen, stage.alerts()) == ([], ["gate-17"])


def test_the_same_device_twice_in_one_batch_is_judged_as_in_two() -> None:
    stage = Stage(rules=AT_ONCE)

    stage.play(
        turned(DeviceWentOffline, "gate-17", at=stage.now),
        turned(DeviceCameOnline, "gate-17", at=stage.now),
        turned(DeviceWentOffline, "gate-18", at=stage.now),
    )

    assert stage.alerts() == ["gate-18"]
    assert stage.reasons() == ["firing", "ended before anyone was told", "firing"]


def test_a_matcher_of_a_rule_sees_name_and_tags() -> None:
    matchers = (parse_matcher('name=~"gate.*"'), parse_matcher('tag="prod"'))
    stage = Stage(rules=rule("FleetDeviceOffline", AT_ONCE, matchers=matchers))

    stage.offline("d-1", name="gate-1", tags=("edge", "prod"))
    stage.offline("d-2", name="gate-2", tags=("edge",))
    stage.offline("d-3", name="lift-3", tags=("prod",))

    assert stage.alerts() == ["d-1"]


def test_a_disabled_rule_makes_no_alert() -> None:
    stage = Stage(rules=rule("FleetDeviceOffline", AT_ONCE, enabled=False))

    stage.offline("gate-17")

    assert stage.alerts() == []


def test_no_receiver_means_alerts_that_are_listed_and_nobody_told() -> None:
    stage = Stage(rules=AT_ONCE, route=msgspec.structs.replace(ROUTE, receiver=""))

    stage.offline("gate-17")
    stage.wait(HOUR)
    listed = stage.alerts()
    stage.online("gate-17")

    assert listed == ["gate-17"]
    assert stage.told == []
    assert stage.is_empty()
    assert "no receiver" in stage.reasons()


def test_a_device_that_returns_offline_opens_anew() -> None:
    stage = Stage(rules=AT_ONCE)
    stage.offline("gate-17")
    stage.play(turned(DeviceWentMissing, "gate-17", at=stage.now))
    gone = stage.alerts()

    stage.offline("gate-17", status=DeviceStatus.OFFLINE)

    assert (gone, stage.alerts()) == ([], ["gate-17"])
