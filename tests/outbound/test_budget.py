"""The awaiting shell around the turns: cancellation, the cap, the sharing of one account."""

import asyncio
from itertools import pairwise

import pytest

from fleetpulse import clock
from fleetpulse.durations import Rate
from fleetpulse.outbound.budget import Budget, Budgets
from fleetpulse.outbound.turns import Priority

FAST = Rate(500, 1.0)


async def test_turns_come_no_faster_than_the_rate_from_the_first_on() -> None:
    budget = Budget(rate=Rate(100, 1.0))
    began = clock.monotonic()
    at: list[float] = []

    async def take() -> None:
        async with budget.turn(Priority.STATE):
            at.append(clock.monotonic())

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(take(), name=f"taker {number}")

    assert at[0] - began >= 0.01
    assert all(later - earlier >= 0.0095 for earlier, later in pairwise(at))


async def test_who_matters_more_is_served_first() -> None:
    budget = Budget(rate=Rate(100, 1.0))
    order: list[Priority] = []

    async def take(priority: Priority) -> None:
        async with budget.turn(priority):
            order.append(priority)

    async with asyncio.TaskGroup() as group:
        for priority in reversed(Priority):
            group.create_task(take(priority), name=f"taker {priority}")

    assert order == sorted(Priority)


async def test_the_cap_in_flight_holds_and_a_finished_request_makes_room() -> None:
    budget = Budget(rate=FAST, in_flight=2)
    flying = peak = 0

    async def take() -> None:
        nonlocal flying, peak
        async with budget.turn(Priority.STATE):
            flying += 1
            peak = max(peak, flying)
            await asyncio.sleep(0.01)
            flying -= 1

    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(take(), name=f"taker {number}")

    assert peak == 2


async def test_a_cancelled_waiter_gives_its_turn_on() -> None:
    budget = Budget(rate=FAST, in_flight=1)
    holding, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with budget.turn(Priority.STATE):
            holding.set()
            await release.wait()

    async def take() -> None:
        async with budget.turn(Priority.STATE):
            pass

    holder = asyncio.create_task(hold(), name="holder")
    await holding.wait()
    first, second = asyncio.create_task(take(), name="first"), asyncio.create_task(take(), name="second")
    await asyncio.sleep(0)

    first.cancel()
    release.set()
    await asyncio.wait_for(second, 5)
    await holder

    assert first.cancelled()


async def test_a_waiter_cancelled_in_the_breath_of_its_grant_gives_the_turn_on() -> None:
    budget = Budget(rate=FAST, in_flight=1)

    async def take() -> None:
        async with budget.turn(Priority.STATE):
            pass

    async with budget.turn(Priority.STATE):
        first = asyncio.create_task(take(), name="first")
        second = asyncio.create_task(take(), name="second")
        await asyncio.sleep(0.01)  # both wait, and the next turn is due
    first.cancel()  # granted by the exit above, and not yet awake

    await asyncio.wait_for(second, 5)

    assert first.cancelled()


async def test_a_waiter_cancelled_just_before_its_grant_gives_the_turn_on() -> None:
    budget = Budget(rate=FAST, in_flight=1)

    async def take() -> None:
        async with budget.turn(Priority.STATE):
            pass

    async with budget.turn(Priority.STATE):
        first = asyncio.create_task(take(), name="first")
        second = asyncio.create_task(take(), name="second")
        await asyncio.sleep(0.01)  # both wait, and the next turn is due
        first.cancel()  # not yet awake when the exit below grants

    await asyncio.wait_for(second, 5)

    assert first.cancelled()


async def test_who_stops_waiting_leaves_no_alarm_behind() -> None:
    budget = Budget(rate=Rate(1, 3600.0))
    waiter = asyncio.create_task(budget.turn(Priority.STATE).__aenter__(), name="waiter")
    await asyncio.sleep(0)
    assert budget._alarm is not None

    waiter.cancel()
    await asyncio.wait([waiter])

    assert budget._alarm is None


async def test_a_request_that_fails_gives_its_turn_on() -> None:
    budget = Budget(rate=FAST, in_flight=1)

    with pytest.raises(ZeroDivisionError):
        async with budget.turn(Priority.STATE):
            raise ZeroDivisionError

    async with asyncio.timeout(5), budget.turn(Priority.STATE):
        pass


async def test_a_pause_holds_all_and_ends() -> None:
    budget = Budget(rate=FAST)
    budget.slow_down(0.05)
    began = clock.monotonic()

    async with budget.turn(Priority.STATE):
        waited_s = clock.monotonic() - began

    assert waited_s >= 0.045


async def test_ceiling_and_granted_tell_full_and_present_speed() -> None:
    budget = Budget(rate=Rate(3, 60.0))

    budget.slow_down()

    assert budget.ceiling == pytest.approx(0.05)
    assert budget.granted == pytest.approx(0.025)

    budget.slow_down(60.0)

    assert budget.granted == 0.0


async def test_the_speed_is_known_in_a_pause_too() -> None:
    budget = Budget(rate=Rate(3, 60.0))

    budget.slow_down(60.0)

    assert budget.granted == 0.0
    assert budget.speed == pytest.approx(0.025)


async def test_turns_leave_room_for_requests_that_travel_unevenly() -> None:
    budget = Budget(rate=Rate(1, 3600.0))
    waiter = asyncio.create_task(budget.turn(Priority.STATE).__aenter__(), name="waiter")
    await asyncio.sleep(0)
    assert budget._alarm is not None

    wait_s = budget._alarm.when() - asyncio.get_running_loop().time()
    waiter.cancel()
    await asyncio.wait([waiter])

    assert wait_s == pytest.approx(3636, abs=1)


async def test_sources_that_share_a_credential_share_the_smaller_budget() -> None:
    budgets = Budgets()

    first = budgets.get("api.example.com", "key-1", Rate(10, 1.0))
    second = budgets.get("API.example.com", "key-1", Rate(3, 60.0), in_flight=1)
    third = budgets.get("api.example.com", "key-1", Rate(5, 1.0))
    stranger = budgets.get("api.example.com", "key-2", Rate(10, 1.0))

    assert first is second is third
    assert first.ceiling == pytest.approx(0.05)
    assert stranger is not first
    assert stranger.ceiling == pytest.approx(10)


async def test_no_credential_is_kept_in_the_pool() -> None:
    budgets = Budgets()

    budgets.get("api.example.com", "key-in-the-clear", Rate(10, 1.0))

    assert "key-in-the-clear" not in repr(vars(budgets))
