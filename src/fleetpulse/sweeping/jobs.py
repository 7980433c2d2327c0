"""Sweeps a resource of bulk jobs."""

from collections import Counter
from functools import partial
from typing import Final, NoReturn

from fleetpulse.fleet.jobs import JobChanges, KnownJobs
from fleetpulse.sweeping.following import Following
from fleetpulse.sweeping.listing import counted, sweep_list
from fleetpulse.sweeping.rounds import Rounds
from fleetpulse.sweeping.swept import Swept
from fleetpulse.vendors.contract import ReadsJobs

KIND: Final = "job"
"""Under which the journal keeps a followed job."""


class JobsPoller:
    """Sweeps one resource of bulk jobs of one source."""

    def __init__(self, *, vendor: ReadsJobs, jobs: KnownJobs, following: Following[JobChanges], rounds: Rounds) -> None:
        self._vendor = vendor
        self._jobs = jobs
        self._following = following
        self._rounds = rounds

    async def run(self) -> NoReturn:
        """Sweep for ever.

        Errors: those of the journal.
        Cancellation: safe at any time.
        """
        await self._rounds.run(self._sweep)

    async def _sweep(self) -> Swept:
        swept, _ = await sweep_list(
            self._vendor.jobs(self._rounds.resource),
            rounds=self._rounds,
            following=self._following,
            compare=partial(self._jobs.listed, resource=self._rounds.resource),
            ended=lambda found: counted(
                self._rounds, Counter(job.status.value for job in {job.id: job for job in found}.values())
            ),
        )
        return swept
