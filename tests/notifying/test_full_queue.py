"""More events than the queue holds: none is lost, none comes twice, and memory has a bound."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from fleetpulse.alerting.judge import Alerting, Observed
from fleetpulse.alerting.state import Judgement
from fleetpulse.fleet.events import DeviceCameOnline, DeviceWentOffline, Event
from notifying.house import House, house, running, turned

PAGE = 1000
PAGES = 60
HELD = 50_000


class Witness(Alerting):
    """Remembers which events were judged, and how full the queue was then."""

    house: ClassVar[House]
    ids: ClassVar[list[int]]
    queued: ClassVar[list[int]]

    def judge(
        self, events: Sequence[tuple[int, Event]], observed: Sequence[Observed] = (), *, now: datetime
    ) -> Judgement:
        Witness.ids += [event_id for event_id, _ in events]
        Witness.queued += [len(self.house.queue)] * len(events)
        return super().judge(events, observed, now=now)


async def flap(made: House, pages: range) -> int:
    """In each page, every device of a thousand turns the other way; the id of the last event."""
    last = 0
    for page in pages:
        kind = DeviceCameOnline if page % 2 else DeviceWentOffline
        last = await made.happen(*(turned(f"d-{number}", kind=kind) for number in range(PAGE)))
    return last


async def test_while_the_evaluator_is_held_the_queue_fills_and_then_all_is_judged_in_order(tmp_path: Path) -> None:
    Witness.ids, Witness.queued = [], []

    async with house(tmp_path, agents=False, alerting=Witness, rules=()) as made:
        Witness.house = made
        sizes = [await flap(made, range(page, page + 1)) and len(made.queue) for page in range(PAGES)]
        async with running(made.evaluator.run):
            await made.judged(PAGE * PAGES)
            last = await flap(made, range(PAGES, PAGES + 2))
            await made.judged(last)
        left = len((await made.journal.remember()).conditions)

    assert sizes == [min(HELD, PAGE * page) for page in range(1, PAGES + 1)]
    assert Witness.ids == list(range(1, PAGE * (PAGES + 2) + 1))
    surplus = PAGE * PAGES - HELD
    assert set(Witness.queued[:surplus]) == {HELD}  # these came from the journal
    assert Witness.queued[surplus + PAGE] < HELD
    assert (len(made.queue), made.consumer.backlog, left) == (0, 0, 0)


async def test_ended_in_the_midst_it_goes_on_behind_the_last_judgement_that_stands(tmp_path: Path) -> None:
    Witness.ids, Witness.queued = [], []
    async with house(tmp_path, agents=False, alerting=Witness, rules=()) as before:
        Witness.house = before
        await flap(before, range(6))
        async with running(before.evaluator.run):
            await before.judged(2 * PAGE)
    Witness.ids = []

    async with house(tmp_path, agents=False, alerting=Witness, rules=()) as made:
        Witness.house = made
        stands = (await made.journal.remember()).cursor  # one that was being committed when it ended stands, too
        async with running(made.evaluator.run):
            await made.judged(6 * PAGE)

    assert stands >= 2 * PAGE
    assert Witness.ids == list(range(stands + 1, 6 * PAGE + 1))
