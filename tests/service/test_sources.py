"""Sources as the service takes them up: what those of one account share, and who looks by hand."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from structlog.testing import capture_logs

from fleetpulse import clock
from fleetpulse.service.views import State
from fleetpulse.simulator.jfrog_connect import JFrogConnect as JFrogCloud
from fleetpulse.vendors.contract import CredentialsRejected
from service.desk import desk


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


async def test_of_sources_that_share_a_key_each_keys_file_is_read_again(tmp_path: Path) -> None:
    cloud, files = JFrogCloud(devices=1), [tmp_path / "one", tmp_path / "two"]
    for file in files:
        file.write_text("demo-token")
    async with desk(cloud, tmp_path) as made:
        one, two = [await made.source(file.name, token_file=file, request_rate="100/s") for file in files]
        cloud.set_token("another-token")
        for file in files:
            file.write_text("another-token")

        watching = asyncio.ensure_future(one.services["key watch one"]())
        async with asyncio.timeout(10):
            while cloud.statuses[200] < 2:
                with suppress(CredentialsRejected):
                    await one.guest().device(cloud.uuids()[0])
                    await two.guest().device(cloud.uuids()[0])
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

        assert one.budget is two.budget


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


async def test_a_key_file_that_cannot_be_read_again_is_told_of_each_source_that_has_it(tmp_path: Path) -> None:
    async with desk(JFrogCloud(devices=3), tmp_path) as made:
        edge, twin = await made.source("edge"), await made.source("twin")
        state = State(sources=[edge.settings, twin.settings], receivers=(), rules=())
        state.watched += [edge, twin]
        (tmp_path / "key").unlink()

        with capture_logs() as logs:
            watching = asyncio.ensure_future(edge.services["key watch edge"]())
            async with asyncio.timeout(10):
                while not twin.expiry.unreadable:
                    assert not watching.done()
                    await asyncio.sleep(0.01)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        views = state.sources(clock.now())

    problem = f"cannot read {tmp_path / 'key'}: No such file or directory"
    assert [view.credentials_unreadable for view in views] == [problem] * 2
    assert [(log["sources"], log["problem"]) for log in logs if log["log_level"] == "warning"] == [
        ("edge, twin", problem)
    ]
