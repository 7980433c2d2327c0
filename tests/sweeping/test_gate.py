"""The gate of an account that several sources share, in moved time."""

import asyncio

import pytest

from fleetpulse import clock
from fleetpulse.secrets import SecretUnreadableError
from fleetpulse.sweeping.gate import Gate, State


def unchanged() -> bool:
    return False


async def admitted(gate: Gate, *, main: bool = True) -> float:
    """Wait until the gate admits; gives the seconds it took."""
    began = clock.monotonic()
    while not gate.admit(main=main):
        await gate.changed(main=main)
    return clock.monotonic() - began


async def shut(gate: Gate) -> None:
    gate.refused("401")
    await admitted(gate)
    gate.refused("401")


async def test_only_one_of_several_main_pollers_probes_at_a_time() -> None:
    gate = Gate(refresh_secret=unchanged)
    await shut(gate)

    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(admitted(gate)) for _ in range(3)]
        waiting.append(group.create_task(admitted(gate, main=False)))
        await asyncio.sleep(301)
        probing = sum(task.done() for task in waiting)
        gate.answered()

    assert probing == 1
    assert gate.state is State.OPEN


async def test_what_was_in_flight_at_a_refusal_does_not_confirm_it() -> None:
    gate = Gate(refresh_secret=unchanged)

    gate.refused("401")
    gate.refused("401")

    assert gate.state is State.SUSPECT


async def test_a_probe_that_meets_another_failure_says_nothing_about_the_key() -> None:
    gate = Gate(refresh_secret=unchanged)
    await shut(gate)
    await admitted(gate)

    gate.unclear()

    assert gate.state is State.SHUT
    assert 55 < await admitted(gate) < 70


@pytest.mark.parametrize("readable", [True, False])
async def test_a_changed_secret_is_probed_within_seconds_and_an_unreadable_file_is_no_change(readable: bool) -> None:
    fresh: list[bool] = []

    def refresh() -> bool:
        if not readable:
            raise SecretUnreadableError("cannot read key")
        return bool(fresh and fresh.pop())

    gate = Gate(refresh_secret=refresh)
    await shut(gate)
    fresh.append(True)

    waited_s = await admitted(gate)

    assert waited_s <= 6 if readable else 295 < waited_s < 310


async def test_the_pauses_between_probes_double_up_to_an_hour_and_a_word_from_outside_begins_them_anew() -> None:
    gate = Gate(refresh_secret=unchanged)
    await shut(gate)
    waited: list[int] = []

    for _ in range(6):
        waited.append(round(await admitted(gate) / 60))
        gate.refused("401")
    gate.probe_now()
    at_once = await admitted(gate)
    gate.refused("401")

    assert waited == [5, 10, 20, 40, 60, 60]
    assert at_once < 1
    assert round(await admitted(gate) / 60) == 5
