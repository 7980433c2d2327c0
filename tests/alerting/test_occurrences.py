"""Promises of past facts: told once, again only when they grow, never repeated, ended without a word."""

import msgspec
import pytest

from alerting.stage import (
    HOUR,
    MINUTE,
    ROUTE,
    SECOND,
    Stage,
    baselined,
    contradicting,
    default,
    failing,
    finished,
    job_ended,
    progressing,
    removed,
    rollout,
    rule,
    subjects,
)
from fleetpulse.alerting.notification import AlertStatus, NotifyReason
from fleetpulse.alerting.rules import DEFAULT_RULES
from fleetpulse.alerting.state import AlertState
from fleetpulse.fleet.job import JobStatus

FIRING, RESOLVED = AlertStatus


def test_a_failed_deployment_is_told_once_and_never_repeated() -> None:
    stage = Stage()
    stage.play(failing(rollout("dp-1", 3), at=stage.now))

    told = stage.wait(48 * HOUR)

    assert [(each.reason, subjects(each, FIRING)) for each in told] == [(NotifyReason.FIRST, ["dp-1"])]


def test_it_is_told_again_only_when_it_grows() -> None:
    stage = Stage()
    stage.play(failing(rollout("dp-1", 3), at=stage.now))
    stage.wait(30 * SECOND)
    stage.play(progressing(rollout("dp-1", 3), at=stage.now))
    quiet = stage.wait(HOUR)

    stage.play(failing(rollout("dp-1", 5), at=stage.now))
    stage.wait(HOUR)

    assert quiet == []
    assert [each.reason for each in stage.told] == [NotifyReason.FIRST, NotifyReason.GREW]
    assert subjects(stage.told[1], FIRING, new=True) == ["dp-1"]
    assert "failed on 5 of 20 devices" in stage.told[1].text


def test_growth_that_was_taken_back_before_it_was_told_is_not_told() -> None:
    stage = Stage()
    stage.play(failing(rollout("dp-1", 3), at=stage.now))
    stage.wait(30 * SECOND)
    stage.play(failing(rollout("dp-1", 5), at=stage.now))

    stage.play(progressing(rollout("dp-1", 3), at=stage.now))

    assert stage.wait(HOUR) == []


def test_a_group_of_several_tells_only_the_new_ones() -> None:
    stage = Stage()
    stage.play(failing(rollout("dp-1", 3), at=stage.now))
    stage.wait(30 * SECOND)
    stage.play(failing(rollout("dp-2", 1), at=stage.now))

    (told,) = stage.wait(HOUR)

    assert [alert.labels["deployment"] for alert in told.alerts] == ["dp-2"]
    assert (told.firing, told.before, told.added) == (1, 0, 1)


def test_two_at_once_share_a_message() -> None:
    stage = Stage()
    stage.play(failing(rollout("dp-1", 3), at=stage.now), failing(rollout("dp-2", 1), at=stage.now))

    (told,) = stage.wait(HOUR)

    assert subjects(told, FIRING) == ["dp-1", "dp-2"]


def test_it_ends_without_a_word_once_it_was_told_and_can_grow_no_more() -> None:
    stage = Stage()
    stage.play(failing(rollout("dp-1", 3), at=stage.now))
    stage.wait(5 * HOUR)
    running = stage.alerts()

    stage.play(finished(rollout("dp-1", 3, done=True), at=stage.now))
    stage.wait(24 * HOUR)

    assert running == ["dp-1"]
    assert [each.status for each in stage.told] == [FIRING]
    assert stage.is_empty()


def test_it_stays_listed_for_a_day() -> None:
    stage = Stage()
    stage.play(job_ended("42", at=stage.now))

    stage.wait(23 * HOUR)
    listed = stage.alerts()
    stage.wait(2 * HOUR)

    assert listed == ["42"]
    assert stage.is_empty()


def test_it_is_not_dropped_before_it_was_told() -> None:
    stage = Stage(route=msgspec.structs.replace(ROUTE, group_wait=5 * HOUR))
    stage.play(job_ended("42", at=stage.now))

    told = stage.wait(48 * HOUR)

    assert [subjects(each, FIRING) for each in told] == [["42"]]
    assert stage.is_empty()


def test_growth_is_told_though_the_deployment_is_finished_meanwhile() -> None:
    stage = Stage(route=msgspec.structs.replace(ROUTE, group_interval=3 * HOUR))
    stage.play(failing(rollout("dp-1", 3), at=stage.now))
    stage.wait(30 * SECOND)
    grown = rollout("dp-1", 5, done=True)
    stage.play(failing(grown, at=stage.now), finished(grown, at=stage.now))

    told = stage.wait(48 * HOUR)

    assert [each.reason for each in told] == [NotifyReason.GREW]
    assert stage.is_empty()


def test_nothing_is_kept_of_a_fact_that_no_rule_wants() -> None:
    stage = Stage(rules=rule("FleetJobFailed", enabled=False))

    stage.play(job_ended("42", at=stage.now))

    assert stage.is_empty()


def test_a_deployment_below_the_threshold_is_watched_until_it_is_finished() -> None:
    stage = Stage(rules=rule("FleetDeploymentFailed", count=5))
    stage.play(failing(rollout("dp-1", 3), at=stage.now))
    watched = not stage.is_empty()

    stage.play(finished(rollout("dp-1", 3, done=True), at=stage.now))

    assert watched
    assert stage.is_empty()
    assert stage.told == []


@pytest.mark.parametrize(("failed", "told"), [(2, []), (3, ["dp-1"]), (4, ["dp-1"])])
def test_a_ratio_is_reached_by_exactly_that_share(failed: int, told: list[str]) -> None:
    stage = Stage(rules=rule("FleetDeploymentFailed", ratio=0.1))

    stage.play(failing(rollout("dp-1", failed, of=30), at=stage.now))

    assert stage.alerts() == told


@pytest.mark.parametrize(("failed", "told"), [(4, []), (5, ["dp-1"])])
def test_a_count_is_reached_by_that_many(failed: int, told: list[str]) -> None:
    stage = Stage(rules=rule("FleetDeploymentFailed", count=5))

    stage.play(failing(rollout("dp-1", failed), at=stage.now))

    assert stage.alerts() == told


def test_what_follows_a_forgotten_fact_in_the_same_batch_begins_anew() -> None:
    stage = Stage(rules=rule("FleetDeploymentFailed", count=3))

    stage.play(
        failing(rollout("dp-1", 1), at=stage.now),
        finished(rollout("dp-1", 1, done=True), at=stage.now),
        failing(rollout("dp-1", 3), at=stage.now),
    )

    (alert,) = (alert for _, alert in stage.alerting.ledger.alerts.items())
    assert [event.type for event in alert.events] == ["fleet.deployment.device_failed"]


def test_a_fact_needs_no_observation_for_its_for_to_run_out() -> None:
    stage = Stage(rules=rule("FleetJobFailed", for_=10 * MINUTE))
    stage.play(job_ended("42", at=stage.now))
    stage.wait(9 * MINUTE)
    pending = stage.alerts(AlertState.PENDING)

    told = stage.wait(25 * HOUR)

    assert pending == ["42"]
    assert [subjects(each, FIRING) for each in told] == [["42"]]
    assert stage.is_empty()


@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.CANCELED, JobStatus.UNSEEN, JobStatus.UNKNOWN])
def test_a_job_that_did_not_fail_is_nothing(status: JobStatus) -> None:
    stage = Stage()

    stage.play(job_ended("42", status, at=stage.now))

    assert stage.is_empty()


def test_a_removed_source_takes_its_past_facts_with_it() -> None:
    stage = Stage()
    stage.play(failing(rollout("dp-1", 3), at=stage.now))
    stage.wait(30 * SECOND)

    stage.play(removed(at=stage.now))

    assert stage.is_empty()
    assert stage.reasons()[-1] == "ended"


def test_two_rules_over_one_fact_are_forgotten_together() -> None:
    second = msgspec.structs.replace(default("FleetJobFailed"), name="Second", for_=30 * MINUTE)
    stage = Stage(rules=(*DEFAULT_RULES, second))
    stage.play(job_ended("42", at=stage.now))
    stage.wait(65 * MINUTE)

    stage.restart()
    stage.wait(24 * HOUR)

    assert sorted(each.group_labels["alertname"] for each in stage.told) == ["FleetJobFailed", "Second"]
    assert stage.is_empty()


def test_the_row_of_a_long_deployment_does_not_grow() -> None:
    stage = Stage()

    for failed in range(1, 20):
        stage.play(failing(rollout("dp-1", failed), at=stage.now))

    (alert,) = (alert for _, alert in stage.alerting.ledger.alerts.items())
    assert len(alert.events) == 10


def test_the_first_look_is_told_in_one_message_and_what_is_wrong_is_listed() -> None:
    stage = Stage()
    stage.play(baselined("gate-17", "gate-18", at=stage.now))
    stage.wait(5 * MINUTE)
    stage.see("gate-17", "gate-18")

    stage.wait(48 * HOUR)

    assert [each.text for each in stage.told] == [
        "First look at edge-prod: 430 devices (428 online, 2 offline), told once; what was so before is not news"
    ]
    assert stage.alerts() == ["gate-17", "gate-18"]


def test_the_parts_of_a_first_look_are_one_summary() -> None:
    stage = Stage()
    stage.play(baselined("gate-17", at=stage.now, parts=2), baselined("gate-18", at=stage.now, part=1, parts=2))
    stage.wait(5 * MINUTE)
    stage.see("gate-17", "gate-18")

    stage.wait(25 * HOUR)

    assert len(stage.told) == 1
    assert stage.alerts() == ["gate-17", "gate-18"]


def test_the_end_of_what_was_wrong_at_the_first_look_is_told_like_any_other() -> None:
    stage = Stage()
    stage.play(baselined("gate-17", at=stage.now))
    stage.wait(5 * MINUTE)
    stage.see("gate-17")

    stage.online("gate-17")
    stage.wait(25 * HOUR)

    assert [subjects(each, RESOLVED) for each in stage.told] == [[], ["gate-17"]]
    assert stage.is_empty()


def test_a_new_device_beside_the_baseline_is_told_and_repeated_but_not_the_baseline_alone() -> None:
    stage = Stage()
    stage.play(baselined("gate-17", at=stage.now))
    stage.wait(5 * MINUTE)
    stage.see("gate-17")
    stage.drop("gate-18")
    stage.wait(5 * HOUR)

    stage.online("gate-18")
    stage.wait(24 * HOUR)

    assert [(each.reason, each.firing) for each in stage.told[1:]] == [
        (NotifyReason.MORE, 2),
        (NotifyReason.REPEAT, 2),
        (NotifyReason.RESOLVED, 1),
    ]


def test_success_that_devices_contradict_is_told_as_a_failure() -> None:
    stage = Stage()
    deployment = contradicting(rollout("dp-1", 0, done=True), d_1="app gate 1.3 instead of 1.4")

    stage.play(finished(deployment, at=stage.now))
    (told,) = stage.wait(HOUR)

    assert told.text == (
        "[FIRING] Deployment dp-1 is done in name only: 1 of 20 devices reports success but another version: "
        "app gate 1.3 instead of 1.4; of the 20, none is offline now"
    )
    assert told.alerts[0].annotations["devices"] == "d-1"


def test_a_contradiction_that_shows_only_after_the_end_is_told_too() -> None:
    stage = Stage()
    ended = rollout("dp-1", 0, done=True)
    stage.play(finished(ended, at=stage.now))
    silent = stage.is_empty()

    stage.play(progressing(contradicting(ended, d_1="1.3 instead of 1.4"), at=stage.now))
    stage.wait(48 * HOUR)

    assert silent
    assert [subjects(each, FIRING) for each in stage.told] == [["dp-1"]]
    assert stage.is_empty()


def test_a_contradiction_is_growth_of_what_failed() -> None:
    stage = Stage()
    stage.play(failing(rollout("dp-1", 3), at=stage.now))
    stage.wait(30 * SECOND)

    stage.play(progressing(contradicting(rollout("dp-1", 3), d_7="1.3 instead of 1.4"), at=stage.now))
    (told,) = stage.wait(HOUR)

    assert told.reason is NotifyReason.GREW
    assert "failed on 3 of 20 devices; 1 reports success but another version: 1.3 instead of 1.4" in told.text


def test_a_device_that_failed_and_contradicts_counts_once() -> None:
    stage = Stage(rules=rule("FleetDeploymentFailed", count=4))

    stage.play(failing(contradicting(rollout("dp-1", 3), d_0="1.3 instead of 1.4"), at=stage.now))

    assert stage.alerts() == []


@pytest.mark.parametrize(("reports", "told"), [(1, []), (2, ["dp-1"])])
def test_a_ratio_counts_contradictions_of_what_devices_reported(reports: int, told: list[str]) -> None:
    stage = Stage(rules=rule("FleetDeploymentFailed", ratio=0.5))
    devices = {f"d_{number}": "1.3 instead of 1.4" for number in range(1, 1 + reports)}

    stage.play(progressing(contradicting(rollout("dp-1", 1, of=6), **devices), at=stage.now))

    assert stage.alerts() == told


def test_a_contradiction_that_was_taken_back_before_it_was_told_is_not_told() -> None:
    stage = Stage()
    stage.play(failing(rollout("dp-1", 3), at=stage.now))
    stage.wait(30 * SECOND)
    stage.play(progressing(contradicting(rollout("dp-1", 3), d_7="1.3 instead of 1.4"), at=stage.now))

    stage.play(progressing(rollout("dp-1", 3), at=stage.now))

    assert stage.wait(HOUR) == []
