"""The paths of `/api/v1` and what answers them."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeVar

from aiohttp import web

from fleetpulse import clock
from fleetpulse.fleet.deployment import Deployment, DeploymentStatus
from fleetpulse.fleet.device import DeviceStatus
from fleetpulse.fleet.job import BulkJob, JobStatus
from fleetpulse.web.api.errors import AskedWronglyError, answer, not_found, quoted
from fleetpulse.web.api.questions import Question, cursor, pause_wish
from fleetpulse.web.api.rows import asked_row, deployment_details, deployment_row, device_row, job_row
from fleetpulse.web.api.searching import (
    DeviceFilter,
    DevicePlace,
    ThingPlace,
    all_deployments,
    all_jobs,
    find_devices,
    find_things,
    held_still,
    unmatched,
)
from fleetpulse.web.api.streaming import stream
from fleetpulse.web.operations import (
    NotWatchedError,
    OperationError,
    Operations,
)
from fleetpulse.web.sources import source_row
from fleetpulse.web.views import Depth, Known, SourceView, Views

V1: Final = "/api/v1"
SEARCHES_AT_ONCE: Final = 2  # each takes a core while it lasts; the others wait in their order

Item = TypeVar("Item")
Result = TypeVar("Result")
Thing = TypeVar("Thing", Deployment, BulkJob)

_PAGED: Final = ("limit", "after")
_PLACE: Final = re.compile(r"\{(?P<name>\w+)[^}]*\}")


class Api:
    """Answers from memory what is known, and hands on what people want done."""

    def __init__(self, *, views: Views, operations: Operations) -> None:
        self._views = views
        self._operations = operations
        self._searching = asyncio.Semaphore(SEARCHES_AT_ONCE)

    def routes(self) -> list[web.RouteDef]:
        """The paths; what changes anything or costs the vendor requests is a POST."""
        one, source = "{source}/{id:.+}", f"{V1}/sources/{{source}}"  # an id is the vendor's own, and may hold a slash
        paths = [
            web.get(f"{V1}/sources", self._sources),
            web.get(source, self._source),
            web.get(f"{V1}/devices", self._devices),
            web.get(f"{V1}/devices/{one}", self._one("device", lambda known: known.fleet.device, device_row)),
            web.get(f"{V1}/deployments", self._all("deployments", all_deployments, deployment_row, DeploymentStatus)),
            web.get(
                f"{V1}/deployments/{one}",
                self._one("deployment", lambda known: known.deployments.deployment, deployment_details),
            ),
            web.get(f"{V1}/jobs", self._all("jobs", all_jobs, job_row, JobStatus)),
            web.get(f"{V1}/jobs/{one}", self._one("job", lambda known: known.jobs.job, job_row)),
            web.post(f"{source}/retry", self._done(self._retry)),
            web.post(f"{source}/pause", self._done(self._pause)),
            web.post(f"{source}/resume", self._done(self._resume)),
            web.post(f"{source}/accept", self._done(self._accept)),
            web.post(f"{source}/sweep", self._survey(Depth.SWEEP)),
            web.post(f"{source}/probe", self._survey(Depth.PROBE)),
            web.post(f"{V1}/devices/{{source}}/{{id:.+}}/ask", self._ask),
        ]
        there = partial(_contents, tuple(f"{path.method} {_written(path.path)}" for path in paths))
        return [web.get(V1, there), web.get(f"{V1}/", there), *paths]

    async def _sources(self, request: web.Request) -> web.Response:
        Question(request, ())
        return answer({"sources": [source_row(source) for source in self._views.sources(clock.now())]})

    async def _source(self, request: web.Request) -> web.Response:
        Question(request, ())
        return answer(source_row(self._view(request.match_info["source"])))

    async def _devices(self, request: web.Request) -> web.Response:
        question = Question(request, ("source", "status", "group", "tag", "q", "name", *_PAGED))
        sources = self._chosen(question)
        q = question.text("q")
        wanted = DeviceFilter(
            status=question.word("status", DeviceStatus),
            group=question.text("group"),
            tag=question.text("tag"),
            q=None if q is None else q.casefold(),
            name=question.text("name"),
        )
        after, limit = question.after(DevicePlace), question.limit()
        fleets = held_still(sources)
        rows, last = await self._search(lambda: find_devices(fleets, wanted, device_row, after=after, limit=limit))
        told = {"devices": rows, "next": None if last is None else cursor(last)}
        if not rows and after is None and (hint := await self._search(lambda: unmatched(fleets, wanted))):
            told["hint"] = hint
        return answer(told)

    def _one(
        self,
        word: str,
        finding: Callable[[Known], Callable[[str], Item | None]],
        row: Callable[[Known, Item], dict[str, Any]],
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            Question(request, ())
            known, id_ = self._named(request)
            found = finding(known)(id_)
            if found is None:
                not_found(f"{known.source} knows no {word} {quoted(id_)}")
            return answer(await self._search(partial(row, known, found)))

        return handle

    def _all(
        self,
        key: str,
        things: Callable[[Known], Iterable[Thing]],
        row: Callable[[Known, Thing], dict[str, Any]],
        words: type[DeploymentStatus] | type[JobStatus],
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            question = Question(request, ("source", "status", "name", *_PAGED))
            status, name = question.word("status", words), question.text("name")
            found = [
                (known, thing)
                for known in self._chosen(question)
                for thing in things(known)
                if (status is None or thing.status == status) and (name is None or name in _names(thing))
            ]
            after, limit = question.after(ThingPlace), question.limit()
            rows, last = await self._search(lambda: find_things(found, row, after=after, limit=limit))
            return answer({key: rows, "next": None if last is None else cursor(last)})

        return handle

    async def _retry(self, source: str, _: web.Request) -> None:
        await self._operations.retry(source)

    async def _pause(self, source: str, request: web.Request) -> None:
        await self._operations.pause(source, for_=await pause_wish(request))

    async def _resume(self, source: str, _: web.Request) -> None:
        await self._operations.resume(source)

    async def _accept(self, source: str, _: web.Request) -> None:
        await self._operations.accept(source)

    def _done(
        self, work: Callable[[str, web.Request], Awaitable[None]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Do something with a source, and answer how it stands then."""

        async def handle(request: web.Request) -> web.Response:
            Question(request, ())
            name = request.match_info["source"]
            self._view(name)
            try:
                await work(name, request)
            except OperationError as error:
                raise _refused(error) from error
            return answer(source_row(self._view(name)))

        return handle

    def _survey(self, depth: Depth) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            Question(request, ())
            name = request.match_info["source"]
            self._view(name)
            return await _streamed(request, self._operations.survey(name, depth), lambda line: line)

        return handle

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        Question(request, ())
        known, id_ = self._named(request)
        return await _streamed(request, self._operations.ask(known.source, id_), partial(asked_row, known))

    async def _search(self, work: Callable[[], Result]) -> Result:
        """On a thread: with 100,000 devices it takes 50 ms, in which the loop has other things to do.

        Cancellation: safe; a thread goes on to its end, and counts until then.
        """
        await self._searching.acquire()
        searched = asyncio.get_running_loop().run_in_executor(None, work)
        searched.add_done_callback(lambda _: self._searching.release())
        return await asyncio.shield(searched)

    def _chosen(self, question: Question) -> list[Known]:
        known = self._views.known(clock.now())
        chosen = question.among("source", [each.source for each in known])
        return [each for each in known if chosen in (None, each.source)]

    def _named(self, request: web.Request) -> tuple[Known, str]:
        name = request.match_info["source"]
        known = next((each for each in self._views.known(clock.now()) if each.source == name), None)
        if known is None:
            self._view(name)
            not_found(f"{name} is not watched: its configuration disables it")
        return known, request.match_info["id"]

    def _view(self, name: str) -> SourceView:
        sources = self._views.sources(clock.now())
        found = next((source for source in sources if source.name == name), None)
        if found is None:
            there = ", ".join(source.name for source in sources[:20])
            not_found(f"no source is called {quoted(name)}; the service has {there or 'none'}")
        return found


async def _contents(paths: Sequence[str], request: web.Request) -> web.Response:
    Question(request, ())
    return answer({"paths": paths})


def _written(path: str) -> str:
    """A path as people write it: `/api/v1/devices/SOURCE/ID`."""
    return _PLACE.sub(lambda place: place["name"].upper(), path)


def _names(thing: Deployment | BulkJob) -> tuple[str, ...]:
    return (thing.id, thing.name) if isinstance(thing, Deployment) else (thing.id,)


async def _streamed(
    request: web.Request, items: AsyncGenerator[Item | None, None], row: Callable[[Item], Any]
) -> web.StreamResponse:
    try:
        return await stream(request, items, row)
    except OperationError as error:
        raise _refused(error) from error


def _refused(error: OperationError) -> AskedWronglyError:
    status = HTTPStatus.NOT_FOUND if isinstance(error, NotWatchedError) else HTTPStatus.CONFLICT
    return AskedWronglyError(str(error), status=status)
