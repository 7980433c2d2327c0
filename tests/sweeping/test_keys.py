"""Keys that are replaced while the service runs, and keys that say when they end."""

import asyncio
import base64
import json
from datetime import datetime, timedelta
from pathlib import Path

from structlog.testing import capture_logs

from fleetpulse import clock
from fleetpulse.fleet.events import Problem, SourceDegraded
from fleetpulse.secrets import Redactor, Secret
from fleetpulse.simulator.jfrog_connect.account import JFrogConnect as JFrogCloud
from fleetpulse.sweeping.gate import Gate
from fleetpulse.sweeping.keys import KeyWatch
from sweeping.house import MINUTE, SOURCE, house, until

DAY = timedelta(days=1)


def token(ends_at: datetime) -> str:
    """A token as vendors make them: three parts, of which the middle one says when it ends."""
    claims = json.dumps({"sub": "fleetpulse", "exp": int(ends_at.timestamp())}).encode()
    return f"eyJ.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.invented"


async def test_a_replaced_key_is_tried_at_once_where_the_account_is_shut(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path, watch_keys=True) as home:
        await until(lambda: "devices" in home.watch.standing.record.baselined_at)
        cloud.set_token("another-token")
        await until(lambda: home.watch.standing.record.trouble("devices", Problem.REJECTED) is not None)
        await asyncio.sleep(20 * MINUTE)

        home.key_file.write_text("another-token")
        await asyncio.sleep(15)

        assert home.watch.standing.record.troubles == ()


async def test_a_key_swapped_as_kubernetes_swaps_it_is_used_by_the_next_request(tmp_path: Path) -> None:
    for name, key in (("..1", "demo-token"), ("..2", "another-token")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key").write_text(key)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "key").symlink_to("..data/key")
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path, watch_keys=True) as home:
        await until(lambda: "devices" in home.watch.standing.record.baselined_at)

        await asyncio.sleep(5)
        (tmp_path / "..new").symlink_to("..2")
        (tmp_path / "..new").replace(tmp_path / "..data")
        cloud.set_token("another-token")
        await asyncio.sleep(5 * MINUTE)

        assert {seen.status for seen in cloud.requests} == {200}


async def test_a_key_file_that_is_gone_for_a_while_is_told_once_and_changes_nothing(tmp_path: Path) -> None:
    cloud = JFrogCloud(devices=5)
    async with house(cloud, tmp_path, watch_keys=True) as home:
        await until(lambda: "devices" in home.watch.standing.record.baselined_at)

        home.key_file.unlink()
        await asyncio.sleep(10 * MINUTE)

        assert home.watch.standing.record.troubles == ()
        assert {seen.status for seen in cloud.requests} == {200}


async def test_one_key_of_several_that_cannot_be_read_is_told_when_that_begins(tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    for file in files:
        file.write_text("key-one")
    secrets = [Secret(file=file, redactor=Redactor()) for file in (*files, files[0])]
    watch = KeyWatch(gate=Gate(refresh_secret=lambda: False), secrets=secrets, redact=str)

    with capture_logs() as logs:
        watching = asyncio.ensure_future(watch.run())
        for _ in range(2):
            files[0].unlink()
            await asyncio.sleep(10 * MINUTE)
            files[0].write_text("key-one")
            await asyncio.sleep(MINUTE)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    told = [log["problem"] for log in logs if log["log_level"] == "warning"]
    assert told == [f"cannot read {files[0]}: No such file or directory"] * 2


async def test_a_key_that_ends_within_a_month_is_a_trouble_until_it_is_replaced(tmp_path: Path) -> None:
    ends_at = (clock.now() + 30 * DAY + timedelta(minutes=10)).replace(microsecond=0)
    (tmp_path / "key").write_text(token(ends_at))
    cloud = JFrogCloud(devices=5, token=token(ends_at))
    async with house(cloud, tmp_path, watch_keys=True) as home:
        await asyncio.sleep(5 * MINUTE)
        early = home.watch.standing.record.troubles
        shown = home.sample(f'fleetpulse_source_credentials_expiry_timestamp_seconds{{source="{SOURCE}"}}')
        await asyncio.sleep(10 * MINUTE)
        soon = home.watch.standing.record.trouble("devices", Problem.EXPIRING)
        later = token(ends_at + 300 * DAY)
        cloud.set_token(later)
        home.key_file.write_text(later)
        await asyncio.sleep(15)

        (degraded,) = [event for event in await home.events() if isinstance(event, SourceDegraded)]
        assert early == ()
        assert shown == ends_at.timestamp()
        assert soon is not None
        assert (soon.until_at, degraded.until_at, degraded.problem) == (ends_at, ends_at, Problem.EXPIRING)
        assert home.watch.standing.record.troubles == ()
