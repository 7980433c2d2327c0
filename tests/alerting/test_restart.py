"""Promises of a start: nothing is lost or told twice, and changed rules and routes are followed."""

import msgspec
import pytest

from alerting.stage import (
    AT_ONCE,
    HOUR,
    MINUTE,
    ROUTE,
    SECOND,
    SOURCE,
    Stage,
    baselined,
    degraded,
    failing,
    finished,
    job_ended,
    rollout,
    rule,
    subjects,
)
from fleetpulse.alerting.condition import ConditionKind
from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.alerting.matchers import parse_matcher
from fleetpulse.alerting.notification import AlertStatus, EndReason, NotifyReason
from fleetpulse.alerting.routes import Route
from fleetpulse.alerting.rules import DEFAULT_RULES, Rule
from fleetpulse.alerting.state import AlertState
from fleetpulse.fleet.events import Problem

FIRING, RESOLVED = AlertStatus
ONCALL = msgspec.structs.replace(ROUTE, receiver="oncall")
EACH = msgspec.structs.replace(ROUTE, group_by=("device",))
CRITICAL_FIRST = msgspec.structs.replace(
    ROUTE,
    routes=(
        msgspec.structs.replace(ROUTE, key="{}/new", receiver="oncall", matchers=(parse_matcher("severity=warning"),)),
    ),
)

UNWATCHED = {SOURCE: SourceFacts(SOURCE, watched=False)}


def both(first: str, second: str) -> Route:
    """A route on which two receivers are told everything."""
    nodes = (
        msgspec.structs.replace(ROUTE, key="{}/first", receiver=first, continue_=True),
        msgspec.structs.replace(ROUTE, key="{}/second", receiver=second),
    )
    return msgspec.structs.replace(ROUTE, routes=nodes)


def test_an_unchanged_start_decides_nothing() -> None:
    stage = Stage()
    stage.drop("gate-17", "gate-18")
    stage.online("gate-17")
    stage.offline("gate-19")
    stage.play(failing(rollout("dp-1", 3), at=stage.now), baselined("gate-20", at=stage.now))

    stage.restart()

    assert not stage.judgements[-1]


def test_repeats_go_on_at_their_pace_over_a_restart() -> None:
    stage = Stage()
    stage.drop("gate-17")
    told_at = stage.now
    stage.wait(3 * HOUR)

    stage.restart()
    (told,) = stage.wait(3 * HOUR)

    assert (told.reason, told.at - told_at) == (NotifyReason.REPEAT, 4 * HOUR)


@pytest.mark.parametrize(
    "rules", [DEFAULT_RULES[1:], rule("FleetDeviceOffline", enabled=False)], ids=["removed", "disabled"]
)
@pytest.mark.parametrize("kept", [0 * MINUTE, HOUR])
def test_a_rule_that_is_gone_ends_its_alerts_at_once_with_that_reason(rules: tuple[Rule, ...], kept: float) -> None:
    stage = Stage()
    stage.drop("gate-17")
    stage.offline("gate-18")

    stage.restart(rules=tuple(msgspec.structs.replace(each, keep_firing_for=kept) for each in rules))
    told = stage.wait(10 * MINUTE)

    assert [alert.end_reason for each in told for alert in each.alerts] == [EndReason.RULE_REMOVED]
    assert (stage.alerts(), stage.alerts(AlertState.PENDING)) == ([], [])


def test_a_rule_that_wants_other_devices_ends_the_alerts_it_no_longer_wants() -> None:
    stage = Stage()
    stage.drop("gate-17", group="Lyon")
    stage.drop("gate-18", group="Nantes")

    stage.restart(rules=rule("FleetDeviceOffline", matchers=(parse_matcher("group=Nantes"),)))
    told = stage.wait(10 * MINUTE)

    assert [(alert.labels["device"], alert.end_reason) for each in told for alert in each.alerts] == [
        ("gate-17", EndReason.RULE_CHANGED)
    ]
    assert stage.alerts() == ["gate-18"]


def test_a_new_rule_sees_what_is_already_wrong() -> None:
    stage = Stage()
    stage.drop("gate-17")
    new = msgspec.structs.replace(DEFAULT_RULES[0], name="New", for_=0 * SECOND)

    stage.restart(rules=(*DEFAULT_RULES, new))
    remembered = stage.wait(HOUR)
    stage.see("gate-17")
    told = stage.wait(30 * SECOND)

    assert remembered == [], "what is only remembered may be over"
    assert [(each.group_labels["alertname"], subjects(each, FIRING)) for each in told] == [("New", ["gate-17"])]


def test_a_rule_that_returns_sees_again_what_is_wrong() -> None:
    stage = Stage()
    stage.drop("gate-17")
    stage.restart(rules=DEFAULT_RULES[1:])
    stage.wait(10 * MINUTE)

    stage.restart(rules=DEFAULT_RULES)
    told = [*stage.see("gate-17"), *stage.wait(MINUTE)]

    assert [subjects(each, FIRING) for each in told] == [["gate-17"]]


def test_a_changed_for_counts_from_the_same_first_observation() -> None:
    stage = Stage()
    stage.offline("gate-17")
    stage.wait(4 * MINUTE)

    stage.restart(rules=rule("FleetDeviceOffline", for_=3 * MINUTE))
    stage.see("gate-17")

    assert stage.alerts() == ["gate-17"]


def test_a_changed_annotation_is_in_the_next_message() -> None:
    stage = Stage()
    stage.drop("gate-17")

    stage.restart(rules=rule("FleetDeviceOffline", annotations={"runbook_url": "https://runbooks.example.com/offline"}))
    (told,) = stage.wait(5 * HOUR)

    assert told.alerts[0].annotations["runbook_url"] == "https://runbooks.example.com/offline"


@pytest.mark.parametrize("route", [EACH, CRITICAL_FIRST], ids=["other groups", "other receiver"])
def test_the_end_of_what_moved_to_another_group_is_told_once(route: Route) -> None:
    stage = Stage()
    stage.drop("gate-17")
    stage.restart(route=route)
    stage.wait(MINUTE)
    stage.online("gate-17")

    told = stage.wait(HOUR)

    assert [subjects(each, RESOLVED) for each in told] == [["gate-17"]]
    assert stage.is_empty()


def test_a_receiver_that_was_told_is_told_nothing_anew_by_other_groups() -> None:
    stage = Stage()
    stage.drop("gate-17", "gate-18")
    told_at = stage.now

    stage.restart(route=EACH)
    told = stage.wait(5 * HOUR)

    assert [(each.reason, each.at - told_at) for each in told] == [(NotifyReason.REPEAT, 4 * HOUR)] * 2


@pytest.mark.parametrize("route", [ONCALL, CRITICAL_FIRST], ids=["same route", "new route"])
def test_a_receiver_that_was_never_told_is_told_what_fires_and_the_other_hears_no_more(route: Route) -> None:
    stage = Stage()
    stage.drop("gate-17")

    stage.restart(route=route)
    told = [*stage.wait(MINUTE), *stage.wait(5 * HOUR)]
    stage.online("gate-17")
    told += stage.wait(5 * MINUTE)

    assert [(each.receiver, each.reason) for each in told] == [
        ("oncall", NotifyReason.FIRST),
        ("oncall", NotifyReason.REPEAT),
        ("oncall", NotifyReason.RESOLVED),
    ]
    assert "route changed" in stage.reasons()
    assert stage.is_empty()


def test_all_of_a_group_that_another_receiver_takes_over_is_told_to_it_and_nothing_stays_behind() -> None:
    stage = Stage()
    stage.drop("gate-17", "gate-18", "gate-19")

    stage.restart(route=ONCALL)
    (told,) = stage.wait(MINUTE)
    stage.online("gate-17", "gate-18", "gate-19")
    stage.wait(10 * MINUTE)

    assert subjects(told, FIRING) == ["gate-17", "gate-18", "gate-19"]
    assert stage.is_empty()


def test_past_facts_and_the_baseline_are_no_news_for_a_new_receiver() -> None:
    stage = Stage()
    stage.play(job_ended("42", at=stage.now), baselined("gate-17", at=stage.now))
    stage.wait(5 * MINUTE)
    stage.see("gate-17")

    stage.restart(route=ONCALL)
    quiet = stage.wait(25 * HOUR)
    stage.online("gate-17")
    told = stage.wait(MINUTE)

    assert quiet == []
    assert [(each.receiver, subjects(each, RESOLVED)) for each in told] == [("oncall", ["gate-17"])]
    assert stage.is_empty()


def test_what_a_receiver_that_is_gone_never_got_is_told_to_the_one_in_its_place() -> None:
    stage = Stage()
    stage.play(job_ended("41", at=stage.now))
    stage.wait(HOUR)
    stage.play(job_ended("42", at=stage.now), baselined("gate-17", at=stage.now))
    (lost, _) = stage.wait(MINUTE * 10)
    stage.wait(20 * HOUR)

    stage.restart(route=ONCALL, owed_since={"ops": lost.at})
    told = stage.wait(5 * HOUR)
    stage.restart(owed_since={"ops": lost.at})
    again = stage.wait(5 * HOUR)

    assert sorted((each.receiver, *subjects(each, FIRING)) for each in told) == [
        ("oncall", "42"),
        ("oncall", "devices"),
    ]
    assert again == []


def test_what_one_of_two_receivers_never_got_is_told_in_its_place_though_the_other_knows() -> None:
    stage = Stage(route=both("pager", "ops"))
    stage.play(job_ended("42", at=stage.now))
    stage.wait(MINUTE)

    stage.restart(route=both("pager", "chat"), owed_since={"ops": stage.told[0].at})
    told = stage.wait(HOUR)

    assert [(each.receiver, subjects(each, FIRING)) for each in told] == [("chat", ["42"])]


def test_growth_that_never_arrived_is_told_whole() -> None:
    stage = Stage()
    stage.play(failing(rollout("dp-1", 3), at=stage.now))
    stage.wait(MINUTE)
    stage.play(failing(rollout("dp-1", 5), at=stage.now))
    (grown,) = stage.wait(10 * MINUTE)

    stage.restart(route=ONCALL, owed_since={"ops": grown.at})
    (told,) = stage.wait(MINUTE)

    assert "failed on 5 of 20 devices" in told.text


def test_a_disabled_source_ends_its_alerts_with_that_reason_and_stays_silent() -> None:
    stage = Stage()
    stage.drop("gate-17")
    stage.offline("gate-18")
    stage.play(degraded(Problem.REJECTED, at=stage.now))

    stage.restart(sources=UNWATCHED)
    told = stage.wait(10 * HOUR)
    stage.restart()
    later = stage.wait(10 * HOUR)

    ends = [(alert.labels["alertname"], alert.end_reason) for each in told for alert in each.alerts]
    assert ends == [("FleetDeviceOffline", EndReason.SOURCE_DISABLED)]
    assert (stage.alerts(), stage.alerts(AlertState.PENDING), later) == ([], [], [])


def test_an_event_of_a_disabled_source_that_is_judged_late_opens_nothing() -> None:
    stage = Stage(rules=AT_ONCE, sources=UNWATCHED)

    stage.offline("gate-17")

    assert stage.alerts() == []


@pytest.mark.parametrize("rules", [DEFAULT_RULES, AT_ONCE], ids=["default", "without for"])
def test_once_the_source_is_enabled_again_what_is_seen_to_be_wrong_alerts_again(rules: tuple[Rule, ...]) -> None:
    stage = Stage(rules=rules)
    stage.drop("gate-17", "gate-18")
    watched = {SOURCE: SourceFacts(SOURCE)}
    stage.restart(sources=UNWATCHED)
    stage.wait(10 * HOUR)

    stage.restart(sources=watched)
    unseen = stage.wait(HOUR)
    stage.online("gate-18")
    told = [*stage.see("gate-17"), *stage.wait(HOUR)]

    assert unseen == []
    assert [(each.reason, subjects(each, FIRING)) for each in told] == [(NotifyReason.FIRST, ["gate-17"])]


def test_past_facts_of_a_disabled_source_are_told_once_and_never_again() -> None:
    stage = Stage()
    stage.play(job_ended("41", at=stage.now))
    stage.wait(MINUTE)
    stage.play(failing(rollout("dp-1", 3), at=stage.now))

    stage.restart(sources=UNWATCHED)
    stage.play(job_ended("42", at=stage.now))  # it happened before, and was not judged by then
    told = stage.wait(HOUR)
    stage.restart(sources={SOURCE: SourceFacts(SOURCE)})
    again = stage.wait(HOUR)

    assert sorted(subjects(each, FIRING) for each in told) == [["42"], ["dp-1"]]
    assert again == []


def test_an_end_not_yet_told_is_told_by_the_changed_routes() -> None:
    stage = Stage()
    stage.drop("gate-17")
    stage.online("gate-17")

    stage.restart(route=EACH)
    told = stage.wait(HOUR)

    assert [subjects(each, RESOLVED) for each in told] == [["gate-17"]]
    assert stage.is_empty()


def test_an_end_that_nobody_is_left_to_be_told_of_is_forgotten() -> None:
    stage = Stage()
    stage.drop("gate-17")
    stage.online("gate-17")

    stage.restart(route=ONCALL)

    assert stage.is_empty()


def test_what_fires_is_told_once_there_is_a_receiver() -> None:
    stage = Stage(rules=AT_ONCE, route=msgspec.structs.replace(ROUTE, receiver=""))
    stage.offline("gate-17")
    stage.restart(route=ROUTE)

    told = stage.wait(MINUTE)

    assert [subjects(each, FIRING) for each in told] == [["gate-17"]]


def test_what_was_pending_again_goes_on_for_who_was_told() -> None:
    stage = Stage()
    stage.drop("gate-17")
    stage.online("gate-17")
    stage.offline("gate-17")
    stage.restart(route=EACH)
    stage.wait(10 * MINUTE)

    stage.see("gate-17")
    quiet = stage.wait(HOUR)
    (told,) = [*stage.online("gate-17"), *stage.wait(10 * MINUTE)]

    assert quiet == []
    assert subjects(told, RESOLVED) == ["gate-17"]
    assert stage.is_empty()


def test_a_raised_count_takes_nothing_back() -> None:
    stage = Stage()
    stage.play(failing(rollout("dp-1", 3), at=stage.now))

    stage.restart(rules=rule("FleetDeploymentFailed", count=5))
    told = stage.wait(MINUTE)

    assert [subjects(each, FIRING) for each in told] == [["dp-1"]]


def test_a_fact_no_rule_wants_any_more_is_forgotten() -> None:
    stage = Stage()
    stage.play(finished(rollout("dp-1", 3, done=True), at=stage.now), job_ended("42", at=stage.now))

    stage.restart(rules=tuple(each for each in DEFAULT_RULES if each.when is not ConditionKind.JOB_FAILED))

    assert stage.is_empty()
