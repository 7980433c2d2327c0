"""The simulated fleets of the demo: one account at each vendor, and how it is before anybody looks."""

from dataclasses import dataclass

from fleetpulse.simulator import Hologram, Iomote, JFrogConnect, JFrogConnectV1, ScalePad
from fleetpulse.simulator.vendor import Vendor

_A_FEW_DOWN = 30  # one of so many devices is offline from the start, as in real fleets


@dataclass(frozen=True, kw_only=True)
class Fleets:
    """One simulated account for each source of the demo's config."""

    edge: JFrogConnect
    old: JFrogConnectV1
    sims: Hologram
    gateways: Iomote
    laptops: ScalePad

    def by_source(self) -> dict[str, Vendor]:
        """The accounts by the names of their sources."""
        return {
            "edge-prod": self.edge,
            "edge-old": self.old,
            "sims": self.sims,
            "gateways": self.gateways,
            "laptops": self.laptops,
        }


def invented(devices: int) -> Fleets:
    """Fleets with so many devices at JFrog Connect, and a few at the others; no SIM is paused by the system."""
    fleets = Fleets(
        edge=JFrogConnect(devices=devices),
        old=JFrogConnectV1(devices=12),
        sims=Hologram(devices=40),
        gateways=Iomote(devices=15),
        laptops=ScalePad(devices=25),
    )
    fleets.edge.drop(max(1, devices // _A_FEW_DOWN))
    fleets.gateways.drop(1)
    fleets.sims.set_sim([str(sim.number) for sim in fleets.sims.fleet.rows if sim.sim == "PAUSED-SYS"], "PAUSED-USER")
    return fleets
