"""Runs the service and ends it as a kill would, at the named step of a transaction: CONFIG STEP."""

import asyncio
import os
import sys
from pathlib import Path

from fleetpulse.service.config import load
from fleetpulse.service.running import run_service

ENDED = 137


def main(path: str, fatal: str) -> None:
    def die(step: str) -> None:
        if step == fatal:
            os._exit(ENDED)

    asyncio.run(run_service(load(Path(path), os.environ), at_step=die))


if __name__ == "__main__":
    main(*sys.argv[1:])
