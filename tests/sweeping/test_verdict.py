"""What each error means for the record of a source."""

from datetime import UTC, datetime, timedelta

import pytest

from fleetpulse.fleet.events import Problem, SourceResourceUnavailable
from fleetpulse.fleet.source import SourceRecord
from fleetpulse.secrets import Redactor
from fleetpulse.sweeping.verdict import failed, problem_of, told
from fleetpulse.vendors.contract import (
    AnswerInvalid,
    CursorRefused,
    FilterMatchesNothing,
    RateLimited,
    ResourceUnavailable,
    SourceUnreachable,
)

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RECORD = SourceRecord("edge-prod", "jfrog-connect")


@pytest.mark.parametrize(
    ("error", "on_main", "elsewhere"),
    [
        (SourceUnreachable("x"), Problem.DOWN, Problem.FAILING),
        (AnswerInvalid("x"), Problem.DOWN, Problem.FAILING),
        (CursorRefused("x"), Problem.DOWN, Problem.FAILING),
        (RateLimited("x"), Problem.RATE_LIMITED, Problem.FAILING),
        (ResourceUnavailable("x"), Problem.MISCONFIGURED, None),
        (FilterMatchesNothing("x"), Problem.MISCONFIGURED, Problem.FAILING),
        (KeyError("x"), Problem.DOWN, Problem.FAILING),
    ],
)
def test_an_error_means_one_thing_on_the_main_resource_and_another_elsewhere(
    error: Exception, on_main: Problem, elsewhere: Problem | None
) -> None:
    assert (problem_of(error, main=True), problem_of(error, main=False)) == (on_main, elsewhere)


def test_a_rate_limit_that_lasts_more_than_three_intervals_is_down_too() -> None:
    record = RECORD
    problems: list[str] = []

    for minutes in range(6):
        record, events = failed(
            record,
            "devices",
            RateLimited("429"),
            detail="429",
            main=True,
            interval=MINUTE,
            seen_at=T0 + minutes * MINUTE,
        )
        problems += [str(getattr(event, "problem", "")) for event in events]

    assert problems == ["rate_limited", "down"]
    down = record.trouble("devices", Problem.DOWN)
    assert down is not None
    assert down.since_at == T0 + 4 * MINUTE


def test_a_surprise_is_told_with_its_kind_and_a_vendors_error_in_its_words() -> None:
    texts = [told(error, redact=str) for error in (KeyError("id"), SourceUnreachable("no answer"))]

    assert texts == ["KeyError: 'id'", "no answer"]


def test_no_secret_is_told_with_a_surprise_not_even_half_of_one() -> None:
    redactor = Redactor()
    redactor.learn("demo-token-of-some-length")

    text = told(ValueError("x" * 480 + " demo-token-of-some-length"), redact=redactor.redact)

    assert "demo" not in text


def test_an_optional_resource_that_is_not_to_be_had_is_no_trouble() -> None:
    record, (event,) = failed(
        RECORD, "deployments", ResourceUnavailable("403"), detail="403", main=False, interval=MINUTE, seen_at=T0
    )

    assert isinstance(event, SourceResourceUnavailable)
    assert record.troubles == ()
