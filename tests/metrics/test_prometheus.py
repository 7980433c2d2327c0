import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from fleetpulse.fleet.deployment import Deployment, RolloutStatus
from fleetpulse.fleet.device import Device, DeviceStatus, Readings, Sighting, SimState
from fleetpulse.fleet.flow import UpdateFlow
from fleetpulse.fleet.job import BulkJob
from fleetpulse.fleet.tunnel import Tunnel, TunnelStatus
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.metrics.readouts import BudgetReading, OutboxReading
from metrics.fleets import T0, rendered, shown
from web.house import House, serving

TOLD = Readings(T0, 0.25, 0.5, 1024.0, 4096.0, updates_blocked=False, transferred_bytes=5e9, messages=7.0)
ODD = 'é"\\\n\t\r\x00\u202e'


def everything() -> tuple[FleetPages, Meters]:
    """Every family with a sample."""
    devices = [
        Sighting(
            Device("d-1", "gate 17", "Lyon", ("door",), "Pi", "1.0", sim=SimState.ACTIVE), DeviceStatus.ONLINE, TOLD
        ),
        Sighting(Device("d-2", ODD, ODD, (ODD,), ODD, ODD), DeviceStatus.OFFLINE, TOLD),
        Sighting(Device(ODD), DeviceStatus.UNKNOWN),
    ]
    pages = shown(devices)
    deployment = Deployment(
        id="dp-1", name=ODD, created_at=T0, vulnerabilities={"Critical": 1}, devices={"d-1": RolloutStatus.FAILED}
    )
    pages.deployments("edge", [deployment])
    pages.jobs("edge", [BulkJob(id="7", device_count=3, started_at=T0)])
    pages.tunnels("edge", [Tunnel(id="t-1", device="d-1", status=TunnelStatus.OPEN)])
    pages.flows("edge", [UpdateFlow(id=ODD, severity=ODD)])
    meters = Meters(version="1.2.3")
    meters.expect_source("edge", vendor="jfrog-connect", resources=["devices"], labels={"team": ODD})
    meters.expect_receiver("slack")
    meters.source_walked("edge", complete=True)
    meters.source_stale("edge", is_stale=False)
    meters.credentials_expire("edge", T0)
    meters.sweep_every("edge", "devices", 60.0)
    meters.sweep_succeeded("edge", "devices", T0)
    meters.loop_lagged(0.001)
    meters.watch_queues(lambda: {"evaluator": 0})
    meters.watch_alerts(lambda: {("FleetDeviceOffline", "firing"): 1})
    meters.watch_outbox(lambda: [OutboxReading("slack", {"waiting": 1}, T0)])
    meters.watch_budget("edge", lambda: BudgetReading(5.0, 5.0, 1.0))
    return pages, meters


def test_promtool_finds_nothing_to_complain_of(promtool: str) -> None:
    pages, meters = everything()

    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=rendered(pages).encode() + meters.text(),
        capture_output=True,
        check=False,
        timeout=30,
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


async def test_a_real_prometheus_reads_every_sample(prometheus: Callable[..., Any], tmp_path: Path) -> None:
    pages, meters = everything()
    async with serving(House(), pages=pages, meters=meters) as url, aiohttp.ClientSession() as client:
        async with client.get(f"{url}/metrics") as answer:
            samples = sum(not line.startswith("#") for line in (await answer.text()).split("\n") if line)

        with prometheus(tmp_path, target=url.removeprefix("http://")) as server:
            while not (scraped := await asyncio.to_thread(server.query, "scrape_samples_scraped > 0")):  # noqa: ASYNC110 - Prometheus tells nobody when it scraped
                await asyncio.sleep(0.05)
            offline = await asyncio.to_thread(server.query, "fleet_device_up == 0")
            info = await asyncio.to_thread(server.query, 'fleet_device_info{device="d-2"}')
            renamed = await asyncio.to_thread(server.query, '{__name__=~"fleet.+", exported_job!=""}')
            (target,) = await asyncio.to_thread(server.targets)
            series = await asyncio.to_thread(server.query, '{job="fleetpulse"}')

    assert (target["health"], target["lastError"]) == ("up", "")
    assert int(scraped[0]["value"][1]) == samples
    assert [one["metric"]["device"] for one in offline] == ["d-2"]
    assert info[0]["metric"]["group"] == 'é"\\\n\\u0009\\u000d\\u0000\u202e'
    assert renamed == []
    assert not [label for one in series for label in one["metric"] if label.startswith("exported_")]
