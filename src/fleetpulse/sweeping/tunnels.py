"""Sweeps a resource of tunnels, and asks how those ended that the list no longer holds."""

import math
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from typing import Final, NoReturn

import structlog

from fleetpulse import clock
from fleetpulse.fleet.tunnels import KnownTunnels, TunnelChanges
from fleetpulse.sweeping.following import Following
from fleetpulse.sweeping.listing import counted, sweep_list
from fleetpulse.sweeping.rounds import Rounds
from fleetpulse.sweeping.swept import Swept
from fleetpulse.vendors.contract import CredentialsRejected, ReadsTunnels, ResourceUnavailable, SourceError

KIND: Final = "tunnel"
"""Under which the journal keeps a followed tunnel."""


class TunnelsPoller:
    """Sweeps one resource of tunnels of one source. One that stood and is listed no more is asked for once a list."""

    def __init__(
        self, *, vendor: ReadsTunnels, tunnels: KnownTunnels, following: Following[TunnelChanges], rounds: Rounds
    ) -> None:
        self._vendor = vendor
        self._tunnels = tunnels
        self._following = following
        self._rounds = rounds
        self._lacking: deque[str] = deque()
        self._late = False
        self._log = structlog.get_logger(__name__).bind(source=tunnels.source, resource=rounds.resource)

    async def run(self) -> NoReturn:
        """Sweep for ever.

        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        await self._rounds.run(self._sweep, self._ask_next)

    async def _sweep(self) -> Swept:
        self._late = self._rounds.late()
        swept, _ = await sweep_list(
            self._vendor.tunnels(self._rounds.resource),
            rounds=self._rounds,
            following=self._following,
            compare=self._tunnels.listed,
            ended=lambda found: counted(
                self._rounds,
                Counter(tunnel.status.value for tunnel in {tunnel.id: tunnel for tunnel in found}.values()),
            ),
        )
        self._lacking = deque(self._tunnels.lacking())
        return swept

    async def _ask_next(self) -> float:
        """Ask for the next one that the list lacks; in how many seconds another one is to be asked for."""
        if self._lacking:
            await self._ask(self._lacking.popleft())
        return 0.0 if self._lacking else math.inf

    async def _ask(self, id_: str) -> None:
        lane = self._rounds.lane
        lane.requested()
        lane.ended()  # what a list takes is what comes of it too
        try:
            tunnel = await self._vendor.tunnel(id_)
        except CredentialsRejected:
            raise
        except ResourceUnavailable:
            await self._write(lambda now: self._tunnels.gone(id_, seen_at=now, late=self._late))
        except SourceError as error:  # asked again after the next list, and the others have their turn
            self._log.debug("a tunnel could not be asked for", tunnel=id_, error=self._rounds.told(error))
        else:
            if tunnel.id == id_:
                await self._write(lambda now: self._tunnels.told(tunnel, seen_at=now, late=self._late))

    async def _write(self, decide: Callable[[datetime], TunnelChanges]) -> None:
        await self._rounds.standing.write(lambda _: self._following.entry(decide(clock.now())))
