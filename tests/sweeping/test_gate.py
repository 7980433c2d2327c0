"""The gate of an account that several sources share, in moved time."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from fleetpulse import clock
from fleetpulse.secrets import Redactor, Secret
from fleetpulse.sweeping.gate import Door, Gate, State
from fleetpulse.sweeping.keys import refresh


def unchanged() -> bool:
    return False


async def admitted(door: Door, *, main: bool = True) -> float:
    """Wait until the door admits; gives the seconds it took."""
    began = clock.monotonic()
    while not door.admit(main=main):
        await door.changed(main=main)
    return clock.monotonic() - began


async def stopped(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def shut(*doors: Door) -> None:
    """The key is refused to one after another."""
    doors[0].refused("401", main=True)
    for door in doors:
        await admitted(door)
        door.refused("401", main=True)


async def test_only_one_of_several_sources_probes_at_a_time() -> None:
    gate = Gate(refresh_secret=unchanged)
    doors = [gate.door() for _ in range(3)]
    await shut(*doors)

    waiting = [asyncio.ensure_future(admitted(door)) for door in doors]
    waiting.append(asyncio.ensure_future(admitted(doors[0], main=False)))
    await asyncio.sleep(320)
    probing = [task.done() for task in waiting]
    doors[probing.index(True)].answered(main=True)
    await asyncio.sleep(60)
    after = [task.done() for task in waiting]
    await stopped(waiting)

    assert probing == [True, False, False, False]
    assert after == [True, True, False, True]  # the next one tries the key that is good again


async def test_a_key_that_is_refused_to_every_source_is_probed_as_one_and_by_each_in_turn() -> None:
    gate = Gate(refresh_secret=unchanged)
    doors = [gate.door() for _ in range(3)]
    await shut(*doors)
    probes: list[tuple[int, int]] = []

    async def probe(number: int) -> NoReturn:
        while True:
            await admitted(doors[number])
            probes.append((number, round(clock.monotonic() / 60)))
            doors[number].refused("401", main=True)

    began = round(clock.monotonic() / 60)
    tasks = [asyncio.ensure_future(probe(number)) for number in range(3)]
    await asyncio.sleep(40 * 60)
    await stopped(tasks)

    assert [at - began for _, at in probes] == [5, 15, 35]
    assert [number for number, _ in probes] == [0, 1, 2]


async def test_what_a_source_is_refused_is_its_own_when_another_is_answered() -> None:
    gate = Gate(refresh_secret=unchanged)
    healthy, refused = gate.door(), gate.door()
    await shut(refused)
    tried = healthy.admit(main=True)

    healthy.answered(main=True)

    assert tried
    assert (healthy.state, refused.state) == (State.OPEN, State.SHUT)
    assert healthy.admit(main=False)
    assert 295 < await admitted(refused) < 310


async def test_an_answer_to_another_source_leaves_a_refusal_to_be_confirmed() -> None:
    gate = Gate(refresh_secret=unchanged)
    healthy, refused = gate.door(), gate.door()

    for _ in range(2):
        refused.refused("403", main=True)
        healthy.answered(main=True)
        await admitted(refused)

    refused.refused("403", main=True)
    assert refused.state is State.SHUT
    assert healthy.state is State.OPEN


async def test_a_suspect_whose_confirmation_does_not_come_holds_the_others_for_seconds_only() -> None:
    gate = Gate(refresh_secret=unchanged)
    healthy, suspect = gate.door(), gate.door()

    suspect.refused("403", main=True)

    assert 5 < await admitted(healthy) < 20


async def test_what_was_in_flight_at_a_refusal_does_not_confirm_it() -> None:
    door = Gate(refresh_secret=unchanged).door()

    door.refused("401", main=True)
    door.refused("401", main=True)

    assert door.state is State.SUSPECT


async def test_what_was_in_flight_at_a_refusal_does_not_open_a_shut_door() -> None:
    door = Gate(refresh_secret=unchanged).door()
    await shut(door)

    door.answered(main=False)
    door.answered(main=True)

    assert door.state is State.SHUT


async def test_a_probe_that_meets_another_failure_says_nothing_about_the_key() -> None:
    door = Gate(refresh_secret=unchanged).door()
    await shut(door)
    await admitted(door)

    door.unclear(main=True)

    assert door.state is State.SHUT
    assert 55 < await admitted(door) < 70


async def test_a_renewed_secret_is_probed_at_once() -> None:
    gate = Gate(refresh_secret=unchanged)
    door = gate.door()
    await shut(door)

    gate.renewed()

    assert await admitted(door) < 1


def keys(home: Path, number: int) -> tuple[list[Path], list[Secret]]:
    """The files of one account's key, one for each of its sources."""
    files = [home / f"key-{place}" for place in range(number)]
    for file in files:
        file.write_text("key-one")
    return files, [Secret(file=file, redactor=Redactor()) for file in files]


async def test_a_refusal_reads_every_key_of_the_account_again(tmp_path: Path) -> None:
    files, secrets = keys(tmp_path, 3)
    door = Gate(refresh_secret=lambda: refresh(secrets)).door()
    for file in files:
        file.write_text("key-two")

    door.refused("401", main=True)

    assert [secret.reveal() for secret in secrets] == ["key-two"] * 3
    assert (door.state, door.times_changed) == (State.OPEN, 1)


@pytest.mark.parametrize("gone", [0, 1])
async def test_a_key_that_cannot_be_read_hides_no_other_ones_change(tmp_path: Path, gone: int) -> None:
    files, secrets = keys(tmp_path, 2)
    door = Gate(refresh_secret=lambda: refresh(secrets)).door()
    files[gone].unlink()
    files[1 - gone].write_text("key-two")

    door.refused("401", main=True)

    assert [secrets[gone].reveal(), secrets[1 - gone].reveal()] == ["key-one", "key-two"]
    assert (door.state, door.times_changed) == (State.OPEN, 1)


async def test_a_key_that_cannot_be_read_again_is_no_other_key(tmp_path: Path) -> None:
    files, secrets = keys(tmp_path, 1)
    files[0].unlink()
    door = Gate(refresh_secret=lambda: refresh(secrets)).door()
    await shut(door)

    assert 295 < await admitted(door) < 310


async def test_the_pauses_between_probes_double_up_to_an_hour_and_a_word_from_outside_begins_them_anew() -> None:
    door = Gate(refresh_secret=unchanged).door()
    await shut(door)
    waited: list[int] = []

    for _ in range(6):
        waited.append(round(await admitted(door) / 60))
        door.refused("401", main=True)
    door.probe_now()
    at_once = await admitted(door)
    door.refused("401", main=True)

    assert waited == [5, 10, 20, 40, 60, 60]
    assert at_once < 1
    assert round(await admitted(door) / 60) == 5
