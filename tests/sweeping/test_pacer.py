"""The lanes of one account: what they ask for, the intervals they are given, and when that is news."""

import asyncio
from datetime import timedelta

import pytest

from fleetpulse.durations import Rate
from fleetpulse.outbound import Budget, Priority
from fleetpulse.sweeping.pacer import TOLD_AGAIN_S, Lane, Pacer

MINUTE = timedelta(minutes=1)


class Account:
    """A census of 40 requests a minute and an inventory of 40 an hour."""

    def __init__(self, rate: Rate, *, expected: int = 40) -> None:
        self.budget = Budget(rate=rate)
        self.pacer = Pacer(budget=self.budget)
        self.states = self.lane("states", Priority.STATE, MINUTE, expected)
        self.details = self.lane("details", Priority.INVENTORY, 60 * MINUTE, expected)

    def lane(self, resource: str, priority: Priority, interval: timedelta, expected: int) -> Lane:
        return self.pacer.lane("edge", resource, priority=priority, interval=interval, expected=lambda: expected)


def sweep(lane: Lane, requests: int) -> None:
    lane.begin()
    for _ in range(requests):
        lane.requested()
    lane.ended()


async def test_before_the_first_sweep_its_cost_is_foretold() -> None:
    account = Account(Rate(3, 60.0))

    assert account.pacer.needed == pytest.approx(40 / 60 + 40 / 3600)
    assert account.states.live.total_seconds() == pytest.approx(40 / 0.045)


async def test_what_a_whole_sweep_took_is_believed_instead() -> None:
    account = Account(Rate(3, 60.0))

    sweep(account.states, 2)

    assert account.pacer.needed == pytest.approx(2 / 60 + 40 / 3600)
    assert account.states.live == MINUTE


async def test_a_sweep_under_way_takes_no_fewer_than_it_has_taken() -> None:
    account = Account(Rate(3, 60.0), expected=1)
    account.states.begin()

    for _ in range(27):
        account.states.requested()

    assert account.states.live.total_seconds() == pytest.approx(27 / 0.05, rel=0.15)


async def test_what_rests_asks_for_nothing_until_it_begins_again() -> None:
    account = Account(Rate(3, 60.0))

    account.states.rest()
    alone = account.details.live
    account.states.begin()

    assert alone == 60 * MINUTE
    assert account.details.live > 60 * MINUTE


async def test_too_many_requests_stretch_what_no_longer_fits_and_not_what_the_budget_could_carry() -> None:
    account = Account(Rate(1, 1.0))

    account.budget.slow_down(60.0)

    assert account.states.live.total_seconds() == pytest.approx(40 / 0.5, rel=0.15)
    assert account.states.at_best == MINUTE


async def test_stretched_intervals_are_told_once_and_again_when_they_change_or_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    account = Account(Rate(3, 60.0))
    woken: list[int] = []
    account.pacer.listen(lambda: woken.append(1))

    for _ in range(3):
        account.pacer.tell()
    first = capsys.readouterr().out
    await asyncio.sleep(TOLD_AGAIN_S)
    sweep(account.states, 44)
    account.pacer.tell()
    unchanged = capsys.readouterr().out
    sweep(account.states, 100)
    account.pacer.tell()
    changed = capsys.readouterr().out
    await asyncio.sleep(TOLD_AGAIN_S)
    sweep(account.states, 1)
    sweep(account.details, 1)
    account.pacer.tell()
    ended = capsys.readouterr().out

    told = "the budget carries 0.05 of 0.68 requests/s needed: states every 14m50s, details every 2h13m"
    assert first.count(told) == 1
    assert unchanged == ""
    assert "states every 37m" in changed
    assert "the budget carries every interval again" in ended
    assert len(woken) == 3


async def test_a_budget_that_goes_up_and_down_is_logged_now_and_then_while_pollers_hear_of_each_turn(
    capsys: pytest.CaptureFixture[str],
) -> None:
    account = Account(Rate(1, 1.0))
    woken: list[int] = []
    account.pacer.listen(lambda: woken.append(1))
    sweep(account.states, 40)

    for _ in range(60):
        account.budget.slow_down()
        account.pacer.tell()
        await asyncio.sleep(30)
        for _ in range(32):
            account.budget.speed_up()
        account.pacer.tell()

    assert len(woken) == 120
    assert capsys.readouterr().out.count("the budget carries") <= 4


async def test_what_asks_for_nothing_is_not_named_though_it_would_wait(capsys: pytest.CaptureFixture[str]) -> None:
    account = Account(Rate(3, 60.0))
    account.details.rest()

    account.pacer.tell()

    assert "states every" in (told := capsys.readouterr().out)
    assert "details" not in told


async def test_of_an_account_with_many_sources_a_line_names_some_and_counts_the_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pacer = Pacer(budget=Budget(rate=Rate(3, 60.0)))
    for number in range(20):
        pacer.lane(f"edge-{number}", "states", priority=Priority.STATE, interval=MINUTE, expected=lambda: 40)

    pacer.tell()

    told = capsys.readouterr().out
    assert "edge-0/states every 4h27m" in told
    assert "14 more" in told
