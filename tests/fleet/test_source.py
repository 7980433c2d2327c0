"""What is kept of a source: each problem begins and ends once."""

from datetime import timedelta

import pytest

from fleet.sightings import T0
from fleetpulse.fleet.events import Problem, SourceCredentialsRejected, SourceDegraded, SourceRecovered
from fleetpulse.fleet.source import (
    VERDICTS,
    SourceRecord,
    become_stale,
    degrade,
    expiring,
    freshened,
    recover,
    rescoped,
    swept_well,
    switch_off,
)

RECORD = SourceRecord("edge-prod", "jfrog-connect")
LATER = T0 + timedelta(minutes=5)


@pytest.mark.parametrize("problem", [problem for problem in Problem if problem is not Problem.REJECTED])
def test_a_problem_begins_once_and_ends_once(problem: Problem) -> None:
    record, began = degrade(RECORD, "devices", problem, detail="no answer", seen_at=T0)
    record, again = degrade(record, "devices", problem, detail="still none", seen_at=LATER)
    kept = record.trouble("devices", problem)
    record, ended = recover(record, "devices", problem, seen_at=LATER)
    record, nothing = recover(record, "devices", problem, seen_at=LATER)

    assert [type(event) for event in began + ended] == [SourceDegraded, SourceRecovered]
    assert (again, nothing, record.troubles) == ([], [], ())
    assert kept is not None
    assert (kept.since_at, kept.detail) == (T0, "still none")


def test_rejected_credentials_have_an_event_of_their_own() -> None:
    _, (event,) = degrade(RECORD, "devices", Problem.REJECTED, detail="401", seen_at=T0)

    assert isinstance(event, SourceCredentialsRejected)
    assert (event.subject, event.since_at, event.detail) == ("devices", T0, "401")


def test_a_good_sweep_ends_what_is_wrong_with_its_resource_but_for_what_it_says_nothing_of() -> None:
    record = RECORD
    for problem in set(Problem) - VERDICTS | {Problem.DOWN}:
        record, _ = degrade(record, "devices", problem, detail="", seen_at=T0)
    record, _ = degrade(record, "jobs", Problem.FAILING, detail="", seen_at=T0)

    record, events = swept_well(record, "devices", complete=True, seen_at=LATER)

    assert {(trouble.resource, trouble.problem) for trouble in record.troubles} == {
        ("devices", Problem.DOUBTED),  # ended by a walk that tells absence
        ("devices", Problem.EXPIRING),
        ("devices", Problem.PAUSED),
        ("jobs", Problem.FAILING),
    }
    assert {event.problem for event in events if isinstance(event, SourceRecovered)} == {
        Problem.DOWN,
        Problem.STALE,
        Problem.FAILING,
        Problem.RATE_LIMITED,
    }
    assert record.good_at == {"devices": LATER}


def test_only_a_complete_sweep_is_a_baseline_and_the_first_stays() -> None:
    partial, _ = swept_well(RECORD, "devices", complete=False, seen_at=T0)
    first, _ = swept_well(partial, "devices", complete=True, seen_at=T0)
    second, _ = swept_well(first, "devices", complete=True, seen_at=LATER)

    assert partial.baselined_at == {}
    assert second.baselined_at == {"devices": T0}


def test_a_list_that_is_never_complete_is_taken_as_the_baseline_at_its_third_sweep() -> None:
    record = RECORD
    for _ in range(2):
        record, _ = swept_well(record, "devices", complete=False, seen_at=T0)
    before = record
    third, _ = swept_well(record, "devices", complete=False, seen_at=LATER)

    assert (before.baselined_at, before.short_sweeps) == ({}, {"devices": 2})
    assert (third.baselined_at, third.short_sweeps) == ({"devices": LATER}, {})


def test_a_resource_is_switched_off_with_one_event_and_on_again_by_a_good_sweep() -> None:
    record, first = switch_off(RECORD, "deployments", detail="403", seen_at=T0)
    record, second = switch_off(record, "deployments", detail="403", seen_at=LATER)
    on, _ = swept_well(record, "deployments", complete=True, seen_at=LATER)

    assert [event.type for event in first + second] == ["fleet.source.resource_unavailable"]
    assert record.unavailable_at == {"deployments": LATER}
    assert on.unavailable_at == {}


def test_a_source_that_looks_elsewhere_has_its_baselines_again_one_by_one() -> None:
    record = SourceRecord("edge-prod", "jfrog-connect", baselined_at={"devices": T0, "deployments": T0}, scope="a")

    elsewhere = rescoped(record, "b")
    partly, _ = swept_well(elsewhere, "devices", complete=True, seen_at=LATER)
    again = rescoped(partly, "c")

    assert (elsewhere.baselined_at, elsewhere.rescoped) == ({}, ("deployments", "devices"))
    assert (partly.baselined_at, partly.rescoped) == ({"devices": LATER}, ("deployments",))
    assert again.rescoped == ("deployments", "devices")


@pytest.mark.parametrize("verdict", sorted(VERDICTS))
@pytest.mark.parametrize("before", sorted(VERDICTS))
def test_a_source_has_one_verdict_at_a_time(before: Problem, verdict: Problem) -> None:
    record, _ = degrade(RECORD, "devices", before, detail="", seen_at=T0)
    record, _ = degrade(record, "jobs", Problem.FAILING, detail="", seen_at=T0)

    record, events = degrade(record, "devices", verdict, detail="", seen_at=LATER)

    ended = [event.problem for event in events if isinstance(event, SourceRecovered)]
    assert {trouble.problem for trouble in record.troubles} == {Problem.FAILING, verdict}
    assert ended == ([] if before is verdict else [before])


def test_what_is_stale_is_down_with_the_reason_where_one_is_known() -> None:
    record, _ = degrade(RECORD, "devices", Problem.RATE_LIMITED, detail="429", seen_at=T0)

    record, events = become_stale(record, "devices", detail="no good sweep yet", seen_at=LATER)
    record, again = become_stale(record, "devices", detail="no good sweep yet", seen_at=LATER)

    down = record.trouble("devices", Problem.DOWN)
    assert down is not None
    assert down.detail == "no good sweep yet; 429"
    assert [getattr(event, "problem", None) for event in events] == [Problem.STALE, Problem.DOWN]
    assert again == []


@pytest.mark.parametrize("verdict", [Problem.REJECTED, Problem.MISCONFIGURED])
def test_what_is_stale_for_a_reason_that_is_told_is_not_down_as_well(verdict: Problem) -> None:
    record, _ = swept_well(RECORD, "devices", complete=True, seen_at=T0)
    record, _ = degrade(record, "devices", verdict, detail="", seen_at=LATER)

    record, _ = become_stale(record, "devices", detail="", seen_at=LATER)

    assert {trouble.problem for trouble in record.troubles} == {verdict, Problem.STALE}


def test_a_verdict_that_stood_beside_good_sweeps_is_no_reason_for_there_being_none() -> None:
    record, _ = degrade(RECORD, "devices", Problem.MISCONFIGURED, detail="group 'x' matches nothing", seen_at=T0)
    record, _ = swept_well(record, "devices", complete=True, seen_at=LATER, still={Problem.MISCONFIGURED})

    record, _ = become_stale(record, "devices", detail="", seen_at=LATER)
    record, _ = degrade(record, "devices", Problem.MISCONFIGURED, detail="404", seen_at=LATER + timedelta(minutes=1))
    record, _ = become_stale(record, "devices", detail="", seen_at=LATER)

    assert {trouble.problem for trouble in record.troubles} == {Problem.MISCONFIGURED, Problem.STALE}


def test_a_good_look_is_no_baseline_and_ends_what_a_good_sweep_ends() -> None:
    record, _ = degrade(RECORD, "devices", Problem.DOWN, detail="no answer", seen_at=T0)

    record, events = freshened(record, "devices", seen_at=LATER)

    assert (record.troubles, record.good_at) == ((), {"devices": LATER})
    assert (record.baselined_at, record.short_sweeps) == ({}, {})
    assert [event.problem for event in events if isinstance(event, SourceRecovered)] == [Problem.DOWN]


def test_when_a_trouble_comes_to_a_head_is_told_and_kept() -> None:
    record, (event,) = degrade(RECORD, "devices", Problem.PAUSED, detail="", seen_at=T0, until_at=LATER)
    trouble = record.trouble("devices", Problem.PAUSED)

    assert isinstance(event, SourceDegraded)
    assert event.until_at == LATER
    assert trouble is not None
    assert trouble.until_at == LATER


def test_another_end_of_the_credentials_is_another_trouble_and_the_same_one_is_no_news() -> None:
    record, begun = expiring(RECORD, "devices", until_at=LATER, detail="ends", seen_at=T0)
    same, silent = expiring(record, "devices", until_at=LATER, detail="ends", seen_at=LATER)
    other, changed = expiring(record, "devices", until_at=LATER + timedelta(days=1), detail="ends", seen_at=LATER)
    replaced, over = expiring(other, "devices", until_at=None, detail="", seen_at=LATER)

    assert [type(event) for event in begun] == [SourceDegraded]
    assert (same, silent) == (record, [])
    assert [type(event) for event in changed] == [SourceRecovered, SourceDegraded]
    assert (replaced.troubles, [type(event) for event in over]) == ((), [SourceRecovered])
