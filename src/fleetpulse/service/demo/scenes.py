"""The scenes of the demo's story: what happens at each vendor, and how long the reader then has to see it noticed."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from fleetpulse.service.demo.fleets import Fleets

_NOTICED_S: Final = 14.0  # in which sweep, `for` and group_wait pass and the reader reads
_OVER_S: Final = 12.0  # the end of something waits for group_interval


class Beat(NamedTuple):
    """Something has happened: where (the name of a source), what, and how long it is left alone."""

    source: str
    told: str
    pause_s: float


Scene = Callable[[Fleets], Iterator[Beat]]
"""Makes something happen at each step, and by its end leaves the fleets as they were."""


def _uplink(fleets: Fleets) -> Iterator[Beat]:
    down = fleets.edge.uuids(status="online", group="Lyon")[:3]
    fleets.edge.set_status(down, "offline")
    yield Beat("edge-prod", "Three devices in Lyon lose their uplink", _NOTICED_S)

    fleets.edge.set_status(down, "online")
    yield Beat("edge-prod", "The uplink in Lyon is back", _OVER_S)


def _deployment(fleets: Fleets) -> Iterator[Beat]:
    online = fleets.edge.uuids(status="online")[:20]
    deployment = fleets.edge.deploy(online, comment="sensor firmware 4.2", flow="nightly")
    yield Beat("edge-prod", f"Somebody deploys to {len(online)} devices", 5.0)

    # how a deployment fares is looked at every 30 s, and less often where nothing happens: it ends before the second
    yield from _tunnel(fleets, into=online[0])

    fleets.edge.settle(deployment, failed=3)
    yield Beat("edge-prod", "The deployment ends; on three devices it has failed", _NOTICED_S)


def _tunnel(fleets: Fleets, *, into: str) -> Iterator[Beat]:
    tunnel = fleets.edge.open_tunnel(into)
    yield Beat("edge-prod", f"While it runs, somebody opens a port tunnel to {fleets.edge.fleet[into].name}", 10.0)

    fleets.edge.close_tunnel(tunnel, "terminated")
    yield Beat("edge-prod", "The tunnel is terminated", 8.0)


def _gateway(fleets: Fleets) -> Iterator[Beat]:
    (gateway, *_) = fleets.gateways.uuids("online")
    fleets.gateways.set_status(gateway, "offline")
    yield Beat("gateways", "A gateway disconnects", _NOTICED_S)

    fleets.gateways.set_status(gateway, "online")
    yield Beat("gateways", "The gateway is connected again", _OVER_S)


def _paused_sim(fleets: Fleets) -> Iterator[Beat]:
    sim = next(str(each.number) for each in fleets.sims.fleet.rows if (each.sim, each.status) == ("LIVE", "online"))
    fleets.sims.set_sim(sim, "PAUSED-SYS")
    fleets.sims.set_status(sim, "offline")
    yield Beat("sims", "A SIM reaches its data limit, and the system pauses it", _NOTICED_S)

    fleets.sims.set_sim(sim, "LIVE")
    fleets.sims.set_status(sim, "online")
    yield Beat("sims", "The limit is raised, and the SIM is live again", _OVER_S)


def _bulk_job(fleets: Fleets) -> Iterator[Beat]:
    job = fleets.sims.start_job(action="pause", devices=30)
    yield Beat("sims", "A bulk job is to pause 30 SIMs", 6.0)

    fleets.sims.fail_job(job)
    yield Beat("sims", "The bulk job fails", _NOTICED_S)


def _update(fleets: Fleets) -> Iterator[Beat]:
    online = fleets.old.uuids(status="online")[:8]
    update = fleets.old.deploy(online, comment="camera driver 2.0", flow="camera-driver")
    yield Beat("edge-old", f"Somebody updates {len(online)} devices that have an older agent", 5.0)

    fleets.old.settle(update, failed=2, output="No space left on device")
    yield Beat("edge-old", "The update ends; on two devices it has failed", _NOTICED_S)


def _laptop(fleets: Fleets) -> Iterator[Beat]:
    (laptop, *_) = fleets.laptops.uuids("active")
    fleets.laptops.set_status(laptop, "inactive")
    yield Beat("laptops", "A laptop reports no more; for a while that is healthy, it may sleep", _NOTICED_S + 8)

    fleets.laptops.set_status(laptop, "active")
    yield Beat("laptops", "The laptop reports again", _OVER_S)


def _bad_spell(fleets: Fleets) -> Iterator[Beat]:
    fleets.edge.faults.always(status=503, body=b"upstream connect error")
    yield Beat("edge-prod", "A bad spell: 503 to everything; no device may change for that", 24.0)

    fleets.edge.faults.clear()
    yield Beat("edge-prod", "It answers again", 18.0)


SCENES: Final[Mapping[str, Scene]] = {
    "uplink": _uplink,
    "deployment": _deployment,
    "gateway": _gateway,
    "paused SIM": _paused_sim,
    "bulk job": _bulk_job,
    "update": _update,
    "laptop": _laptop,
    "bad spell": _bad_spell,
}
"""All of them, in the order of the story."""
