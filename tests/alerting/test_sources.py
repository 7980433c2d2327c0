"""Promises of what is told of a source itself: degraded, paused, its credentials about to expire."""

from typing import Any

import pytest

from alerting.stage import (
    AT_ONCE,
    HOUR,
    MINUTE,
    NO_WAIT,
    SECOND,
    SOURCE,
    T0,
    Stage,
    degraded,
    recovered,
    rule,
    subjects,
)
from fleetpulse.alerting.facts import SourceFacts
from fleetpulse.alerting.matchers import parse_matcher
from fleetpulse.alerting.notification import AlertStatus, EndReason
from fleetpulse.alerting.state import AlertState
from fleetpulse.fleet.events import Problem

FIRING, RESOLVED = AlertStatus
DAY = 24 * HOUR
TOKEN = {SOURCE: SourceFacts(SOURCE, "jfrog-connect", "JFrog Connect", credential="token")}


def keyed(**wiring: Any) -> Stage:
    return Stage(**{"sources": TOKEN, "route": NO_WAIT, **wiring})


def names(stage: Stage, state: AlertState = AlertState.FIRING) -> list[str]:
    return sorted(alert.rule for _, alert in stage.alerting.ledger.alerts.items() if alert.state is state)


@pytest.mark.parametrize(
    ("problem", "resource", "text"),
    [
        (
            Problem.RATE_LIMITED,
            "devices",
            "JFrog Connect limits the requests of edge-prod for its devices since 08:00 UTC: 429",
        ),
        (Problem.DOUBTED, "devices", "JFrog Connect lists too few devices for edge-prod since 08:00 UTC: 429"),
        (Problem.FAILING, "deployments", "The deployments of edge-prod cannot be read since 08:00 UTC: 429"),
        (Problem.STALE, "devices", "What is known of edge-prod is stale since 08:00 UTC: 429"),
    ],
)
def test_a_degraded_source_is_told_after_a_quarter_of_an_hour(problem: Problem, resource: str, text: str) -> None:
    stage = Stage(route=NO_WAIT)
    stage.play(degraded(problem, at=stage.now, resource=resource, detail="429"))
    stage.wait(15 * MINUTE - SECOND)
    early = stage.see(f"{resource}/{problem}")
    stage.wait(SECOND)

    told = stage.see(f"{resource}/{problem}")

    assert early == []
    assert [each.text for each in told] == [f"[FIRING] {text}"]


@pytest.mark.parametrize("verdict", [Problem.DOWN, Problem.REJECTED, Problem.MISCONFIGURED])
def test_one_cause_is_told_once(verdict: Problem) -> None:
    stage = Stage(route=NO_WAIT)
    stage.play(
        degraded(Problem.FAILING, at=stage.now, resource="deployments"),
        degraded(Problem.RATE_LIMITED, at=stage.now),
        degraded(Problem.STALE, at=stage.now),
        degraded(verdict, at=stage.now),
    )
    stage.wait(HOUR)

    stage.see("devices", "devices/stale", "devices/rate_limited", "deployments/failing")
    stage.wait(HOUR)

    assert [each.firing for each in stage.told] == [1]
    assert len(names(stage)) == 1


def test_what_fails_still_once_the_source_is_up_is_told_then() -> None:
    stage = Stage(route=NO_WAIT)
    stage.play(degraded(Problem.FAILING, at=stage.now, resource="deployments"), degraded(Problem.DOWN, at=stage.now))
    stage.wait(HOUR)
    stage.see("deployments/failing")
    held = names(stage)
    stage.play(recovered(Problem.DOWN, at=stage.now))

    stage.see("deployments/failing")

    assert (held, names(stage)) == ([], ["FleetSourceDegraded"])


def test_what_was_told_of_a_source_that_goes_down_is_not_repeated_meanwhile() -> None:
    stage = Stage(rules=AT_ONCE)
    stage.play(degraded(Problem.FAILING, at=stage.now, resource="deployments"))
    stage.wait(MINUTE)
    stage.play(degraded(Problem.DOWN, at=stage.now))

    told = stage.wait(7 * HOUR)

    assert {each.group_labels["alertname"] for each in told} == {"FleetSourceDown"}


def test_a_pause_is_no_alert() -> None:
    stage = Stage(rules=AT_ONCE)

    stage.play(degraded(Problem.PAUSED, at=stage.now))
    stage.wait(DAY)
    stage.see("devices", "devices/paused")

    assert (stage.alerts(), stage.alerts(AlertState.PENDING), stage.told) == ([], [], [])


def test_a_paused_source_neither_opens_nor_repeats_what_its_devices_are() -> None:
    stage = Stage()
    stage.drop("gate-17")
    stage.offline("gate-18")
    stage.play(degraded(Problem.PAUSED, at=stage.now))

    paused = [*stage.wait(10 * HOUR), *stage.see("gate-17", "gate-18")]
    stage.play(recovered(Problem.PAUSED, at=stage.now))
    resumed = [*stage.see("gate-17", "gate-18"), *stage.wait(5 * MINUTE)]

    assert paused == []
    assert [subjects(each, FIRING) for each in resumed] == [["gate-17", "gate-18"]]


@pytest.mark.parametrize(
    "problem", [Problem.DOWN, Problem.REJECTED, Problem.MISCONFIGURED, Problem.RATE_LIMITED, Problem.EXPIRING]
)
def test_a_paused_source_has_no_alert_of_its_own(problem: Problem) -> None:
    stage = Stage(rules=AT_ONCE)
    stage.play(degraded(problem, at=stage.now))
    stage.wait(MINUTE)

    stage.play(degraded(Problem.PAUSED, at=stage.now))
    told = stage.wait(DAY)

    assert [alert.end_reason for each in told for alert in each.alerts] == [EndReason.SOURCE_PAUSED]
    assert names(stage) == []


def test_nothing_begins_to_be_told_of_a_paused_source() -> None:
    stage = Stage(rules=AT_ONCE)
    stage.play(degraded(Problem.PAUSED, at=stage.now))

    stage.play(degraded(Problem.STALE, at=stage.now), degraded(Problem.DOWN, at=stage.now))
    stage.wait(HOUR)
    stage.see("devices", "devices/stale")

    assert (stage.told, names(stage), names(stage, AlertState.PENDING)) == ([], [], [])


def test_what_is_wrong_with_it_still_after_the_pause_is_told_once_it_is_seen() -> None:
    stage = Stage()
    stage.play(degraded(Problem.DOWN, at=stage.now))
    stage.wait(5 * MINUTE)
    stage.see("devices")
    stage.play(degraded(Problem.PAUSED, at=stage.now))
    stage.wait(DAY)
    stage.play(recovered(Problem.PAUSED, at=stage.now))
    unseen = names(stage)

    told = [*stage.see("devices"), *stage.wait(MINUTE)]

    assert unseen == []
    assert [subjects(each, FIRING) for each in told] == [["devices"]]


def test_what_was_repaired_during_the_pause_is_not_told() -> None:
    stage = Stage()
    stage.play(degraded(Problem.DOWN, at=stage.now))
    stage.play(degraded(Problem.PAUSED, at=stage.now))
    stage.wait(DAY)

    stage.play(recovered(Problem.PAUSED, at=stage.now), recovered(Problem.DOWN, at=stage.now))
    stage.wait(DAY)

    assert stage.told == []
    assert stage.is_empty()


def test_a_pause_holds_over_a_restart() -> None:
    stage = Stage()
    stage.play(degraded(Problem.DOWN, at=stage.now), degraded(Problem.PAUSED, at=stage.now))
    stage.restart()
    stage.wait(HOUR)

    stage.see("devices")

    assert (names(stage), names(stage, AlertState.PENDING)) == ([], [])


def test_a_key_is_told_from_two_weeks_before_its_end() -> None:
    stage = keyed()
    until_at = stage.now + 30 * DAY
    stage.play(degraded(Problem.EXPIRING, at=stage.now, until_at=until_at))
    stage.wait(16 * DAY - SECOND)
    early = stage.see("devices")
    stage.wait(SECOND)

    (told,) = stage.see("devices")

    assert early == []
    assert told.text == "[FIRING] The token of edge-prod expires in 14 days (2026-04-01 08:00 UTC)"


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (13 * DAY + HOUR, "expires in 13 days (2026-03-15 09:00 UTC)"),
        (DAY, "expires in 1 day (2026-03-03 08:00 UTC)"),
        (5 * HOUR, "expires in 5 h (2026-03-02 13:00 UTC)"),
        (-HOUR, "expired at 2026-03-02 07:00 UTC"),
    ],
)
def test_a_key_that_ends_soon_is_told_at_once(left: Any, words: str) -> None:
    stage = keyed()

    (told,) = stage.play(degraded(Problem.EXPIRING, at=stage.now, until_at=stage.now + left))

    assert told.text == f"[FIRING] The token of edge-prod {words}"


def test_a_key_whose_end_is_not_known_is_told_at_once() -> None:
    stage = keyed()

    (told,) = stage.play(degraded(Problem.EXPIRING, at=stage.now))

    assert told.text == "[FIRING] The token of edge-prod expires soon"


def test_each_reminder_counts_the_days_anew() -> None:
    stage = keyed()
    stage.play(degraded(Problem.EXPIRING, at=stage.now, until_at=stage.now + 10 * DAY))

    *_, told = stage.wait(3 * DAY)

    assert told.text == "[FIRING] The token of edge-prod expires in 7 days (2026-03-12 08:00 UTC)"


def test_a_replaced_key_ends_it() -> None:
    stage = keyed()
    stage.play(degraded(Problem.EXPIRING, at=stage.now, until_at=stage.now + 10 * DAY))
    stage.wait(HOUR)

    (told,) = stage.play(recovered(Problem.EXPIRING, at=stage.now))

    assert told.text == "[RESOLVED] The token of edge-prod was replaced after 60 min"
    assert stage.is_empty()


@pytest.mark.parametrize("recovers", [True, False])
def test_a_new_key_that_lives_a_month_ends_the_alert_of_the_old_one_and_has_its_own_time(recovers: bool) -> None:
    stage = keyed()
    stage.play(degraded(Problem.EXPIRING, at=stage.now, until_at=stage.now + 10 * DAY))
    stage.wait(HOUR)
    new = degraded(Problem.EXPIRING, at=stage.now, until_at=stage.now + 29 * DAY)
    told = stage.play(*([recovered(Problem.EXPIRING, at=stage.now)] if recovers else []), new)
    stage.wait(15 * DAY - SECOND)
    early = stage.see("devices")
    stage.wait(SECOND)

    again = stage.see("devices")

    assert [each.status for each in told] == [RESOLVED]
    assert early == []
    assert [each.status for each in again] == [FIRING]


@pytest.mark.parametrize("days", [3, 20])
def test_within_is_the_rules_word(days: int) -> None:
    stage = keyed(rules=rule("FleetCredentialsExpiring", within=days * DAY))
    stage.play(degraded(Problem.EXPIRING, at=stage.now, until_at=stage.now + 30 * DAY))
    stage.wait((30 - days) * DAY - SECOND)
    stage.see("devices")
    early = names(stage)
    stage.wait(SECOND)

    stage.see("devices")

    assert (early, names(stage)) == ([], ["FleetCredentialsExpiring"])


def test_the_time_of_a_key_goes_on_over_a_restart() -> None:
    stage = keyed()
    stage.play(degraded(Problem.EXPIRING, at=stage.now, until_at=stage.now + 15 * DAY))
    stage.restart()
    stage.wait(DAY)
    stage.restart()

    told = stage.see("devices")

    assert [each.status for each in told] == [FIRING]


def test_a_key_of_a_source_that_is_down_or_stale_is_told_all_the_same() -> None:
    stage = keyed(rules=rule("FleetCredentialsExpiring", matchers=(parse_matcher(f"source={SOURCE}"),)))
    stage.play(degraded(Problem.DOWN, at=T0), degraded(Problem.STALE, at=T0))

    stage.play(degraded(Problem.EXPIRING, at=stage.now, until_at=stage.now + DAY))

    assert names(stage) == ["FleetCredentialsExpiring"]
