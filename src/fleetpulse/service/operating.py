"""What people have done by hand: on the watched sources of the running service."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from datetime import timedelta
from typing import TypeVar

import structlog

from fleetpulse import clock
from fleetpulse.fleet.device import Sighting
from fleetpulse.fleet.events import Problem
from fleetpulse.service.sources import WatchedSource
from fleetpulse.service.survey.lines import End, Failure, Finding, Line
from fleetpulse.service.survey.survey import Survey
from fleetpulse.sweeping.leash import CutOffError
from fleetpulse.sweeping.verdict import told
from fleetpulse.vendors.contract import CredentialsRejected, SourceError
from fleetpulse.web.operations import NotWatchedError, RefusedError, VendorFailedError
from fleetpulse.web.views import Depth

Result = TypeVar("Result")


class Operating:
    """Carries out what the API is asked for. `watched` gives the sources as they are now; see `web.operations`."""

    def __init__(self, *, watched: Callable[[], Iterable[WatchedSource]], redact: Callable[[str], str]) -> None:
        self._watched = watched
        self._redact = redact
        self._surveyed: set[str] = set()
        self._log = structlog.get_logger(__name__)

    async def retry(self, source: str) -> None:
        """Sweep everything now."""
        await self._source(source).watch.retry()
        self._log.info("sources retry, by hand", source=source)

    async def pause(self, source: str, *, for_: timedelta | None) -> None:
        """Sweep nothing for a while."""
        until_at = None if for_ is None else clock.now() + for_
        await self._source(source).watch.pause(until_at)
        self._log.info("sources pause, by hand", source=source, until=until_at)

    async def resume(self, source: str) -> None:
        """End a pause."""
        await self._source(source).watch.resume()
        self._log.info("sources resume, by hand", source=source)

    async def accept(self, source: str) -> None:
        """Believe the vendor's shorter list."""
        watched = self._source(source)
        troubles = watched.watch.standing.record.troubles
        if all(
            each.problem is not Problem.DOUBTED for each in troubles
        ):  # armed ahead, it would believe the vendor's next slip, whenever that comes
            raise RefusedError(f"nothing is doubted of {source}; nothing is to accept")
        watched.watch.accept_shorter_list()
        self._log.info("sources accept, by hand", source=source)

    async def ask(self, source: str, device: str) -> AsyncGenerator[Sighting | None, None]:
        """Ask the vendor for one device now."""
        watched = self._askable(source)
        vendor = watched.guest()
        yield None
        try:
            sighting = await self._visiting(watched, lambda: vendor.device(device))
        except SourceError as error:
            if isinstance(error, CredentialsRejected):
                watched.watch.visitor_refused(str(error))
            raise VendorFailedError(told(error, redact=self._redact)) from error
        yield sighting

    async def survey(self, source: str, depth: Depth) -> AsyncGenerator[Line | None, None]:
        """Walk a source within its budget, behind everything that its pollers ask."""
        watched = self._askable(source)
        if source in self._surveyed:
            raise RefusedError(
                f"{source} is being surveyed already; one at a time: wait until that ends, "
                "or end it with Ctrl-C where it was begun"
            )
        self._surveyed.add(source)
        self._log.info("a survey by hand", source=source, depth=depth)
        try:
            requests = 0

            def count(_code: int | str, _seconds: float) -> None:
                nonlocal requests
                requests += 1

            survey = Survey(
                vendor=watched.guest(count),
                depth=depth,
                since=watched.settings.deployments_since,
                requests=lambda: requests,
                redact=self._redact,
            )
            yield None
            async with aclosing(survey.lines()) as lines:
                while (line := await self._visiting(watched, lambda: anext(lines, None))) is not None:
                    match line:
                        case (
                            Finding(failure=Failure(reason=CredentialsRejected.reason, text=text))
                            | End(failure=Failure(reason=CredentialsRejected.reason, text=text))
                        ):
                            watched.watch.visitor_refused(text)
                    yield line
        finally:
            self._surveyed.discard(source)

    def _askable(self, source: str) -> WatchedSource:
        watched = self._source(source)
        if watched.watch.paused:
            raise RefusedError(
                f"{source} is paused, so its vendor is asked nothing: `fleetpulse sources resume {source}` ends that"
            )
        if not watched.view(clock.now()).credentials_ok:
            raise RefusedError(
                f"the vendor refuses the key of {source}, and each further try may annoy it: "
                f"mend the key, then `fleetpulse sources retry {source}`"
            )
        if not watched.watch.key_trusted:
            raise RefusedError(
                f"the vendor has just refused the key of {source}; whether it does so again is known within a minute"
            )
        return watched

    async def _visiting(self, watched: WatchedSource, work: Callable[[], Awaitable[Result]]) -> Result:
        """Ask the vendor something, for as long as it may be asked.

        Errors: RefusedError once it may not; those of the work.
        """
        try:
            return await watched.watch.visit(work)
        except CutOffError:
            source = watched.settings.name
            self._askable(source)  # says why, unless it is over
            raise RefusedError(f"{source} was paused, or its key in doubt, for a moment; ask again") from None

    def _source(self, source: str) -> WatchedSource:
        found = next((each for each in self._watched() if each.settings.name == source), None)
        if found is None:
            raise NotWatchedError(f"{source} is not watched: its configuration disables it, or the start goes on")
        return found
