"""Sources as the service takes them up: what those of one account share, and who looks by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from fleetpulse import clock
from fleetpulse.eventqueue.eventqueue import EventQueue
from fleetpulse.journal.journal import Journal
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.outbound import Outbound
from fleetpulse.secrets import Redactor
from fleetpulse.service.sources import WatchedSource, Watches
from fleetpulse.simulator.jfrog_connect import JFrogConnect as JFrogCloud
from fleetpulse.simulator.serve import serve
from fleetpulse.vendors.jfrog_connect import JFrogConnectSettings


class Desk:
    """Takes up sources of one simulated cloud."""

    def __init__(self, watches: Watches, meters: Meters, url: str, key_file: Path) -> None:
        self.meters = meters
        self._watches = watches
        self._url = url
        self._key_file = key_file

    async def source(self, name: str, **more: object) -> WatchedSource:
        told = {"name": name, "base_url": self._url, "project_key": "yard", "token_file": self._key_file, **more}
        return await self._watches.source(JFrogConnectSettings.model_validate(told))


@asynccontextmanager
async def desk(cloud: JFrogCloud, home: Path) -> AsyncIterator[Desk]:
    redactor, meters, key_file = Redactor(), Meters(version="0.0.0"), home / "key"
    key_file.write_text("demo-token")
    journal = await Journal.open(f"sqlite:///{home / 'fleetpulse.db'}", redact=redactor.redact)
    async with serve(cloud) as url, Outbound(version="0.0.0", redactor=redactor) as outbound:
        queue = EventQueue(journal)
        watches = Watches(
            outbound=outbound,
            journal=journal,
            queue=queue,
            evaluator=queue.consumer("evaluator", after=0),
            pages=FleetPages(),
            meters=meters,
            finished_for=timedelta(hours=24),
        )
        yield Desk(watches, meters, url, key_file)
    await journal.close()


async def test_sources_that_share_a_key_share_budget_plan_and_one_watch_over_it(tmp_path: Path) -> None:
    async with desk(JFrogCloud(devices=1), tmp_path) as made:
        one = await made.source("one", request_rate="1/s", sweep={"devices": "2s"})
        two = await made.source("two", request_rate="5/s", sweep={"devices": "1s"})

        assert one.budget is two.budget
        assert one.pacer is two.pacer
        assert one.budget_reading().ceiling == 1.0
        assert one.budget_reading().needed == two.budget_reading().needed > 1.5
        assert one.watch.live_intervals["devices"] > timedelta(seconds=3)
        assert [*one.services, *two.services] == ["key watch one"]


async def test_a_guest_asks_within_the_sources_budget_and_is_counted_twice(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=3)
    async with desk(cloud, tmp_path) as made:
        watched = await made.source("edge", request_rate="100/s")
        codes: list[int | str] = []

        sighting = await watched.guest(lambda code, _: codes.append(code)).device(cloud.uuids()[0])

        counted = 'fleetpulse_vendor_requests_total{code="200",source="edge"} 1.0'
        assert sighting.device.id == cloud.uuids()[0]
        assert codes == [200]
        assert counted in made.meters.text().decode()


async def test_a_view_tells_how_it_is_swept_paused_and_counted(tmp_path: Path) -> None:
    async with desk(JFrogCloud(devices=3), tmp_path) as made:
        watched = await made.source("edge", request_rate="3/m")
        until_at = clock.now() + timedelta(hours=2)
        await watched.watch.pause(until_at)

        view = watched.view(clock.now())

        assert (view.paused, view.paused_until, view.fresh) == (True, until_at, False)
        assert (view.summary, view.credentials_expire_at) == (None, None)
        assert view.resources["devices"].asked_interval_s == 60.0
        assert view.resources["devices"].progress_rows is None
