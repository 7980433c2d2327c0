"""The HTTP server: routes, what every answer carries, and its life."""

import asyncio
import logging
from datetime import tzinfo
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from fleetpulse import clock
from fleetpulse.metrics.meters import Meters
from fleetpulse.metrics.pages import FleetPages
from fleetpulse.web.access import ALIVE, Access
from fleetpulse.web.address import Address, bind
from fleetpulse.web.api import Api
from fleetpulse.web.api.errors import as_json, crashed
from fleetpulse.web.operations import Operations
from fleetpulse.web.overview import Overview
from fleetpulse.web.scrape import Scrape
from fleetpulse.web.sources import sources_json
from fleetpulse.web.views import Views

LONGEST_LINE_BYTES: Final = 4096  # our paths are short, and a name in them is limited at the parser
LARGEST_BODY_BYTES: Final = 64 * 1024  # what is sent to us are a few words
STOP_S: Final = 2.0  # a scrape under way may end
LINGER_S: Final = 1.0  # how long the rest of a refused body is read before the connection is closed

_NOWHERE: Final = frozenset({"", "::", "0.0.0.0"})  # noqa: S104 - compared, not bound
_HEADERS: Final = {
    hdrs.CACHE_CONTROL: "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _Connections(logging.LoggerAdapter[logging.Logger]):
    """What aiohttp says of connections; that a client speaks no HTTP is no error of ours, and anyone may do it."""

    def log(self, level: int, msg: object, *args: object, exc_info: Any = None, **more: Any) -> None:
        """Log it; where something else than a request came, at debug and in few words."""
        if isinstance(exc_info, HttpProcessingError):
            super().log(logging.DEBUG, "not a request that can be read: %s", type(exc_info).__name__)
        else:
            super().log(level, msg, *args, exc_info=exc_info, **more)


class WebServer:
    """Serves probes, `/metrics`, `/-/sources`, the API and the page.

    Port 0 takes a free one, told by `url`. `zone` is that of times on the page.
    Errors: ListenError from `start` and on entering.
    """

    def __init__(
        self,
        *,
        address: Address,
        views: Views,
        operations: Operations,
        access: Access,
        pages: FleetPages,
        meters: Meters,
        version: str,
        zone: tzinfo,
    ) -> None:
        self._address = address
        self._views = views
        self._access = access
        self._api = Api(views=views, operations=operations)
        self._overview = Overview(views=views, version=version, zone=zone)
        self._scrape = Scrape(views=views, pages=pages, meters=meters)
        self._log = structlog.get_logger(__name__)
        self._runner: web.AppRunner | None = None
        self._bound = Address("", 0)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where it is reached from this machine, without a trailing slash; while it is started."""
        host = "127.0.0.1" if self._bound.host in _NOWHERE else self._bound.host
        return f"http://{Address(host, self._bound.port)}"

    async def start(self) -> None:
        """Listen and answer.

        Errors: ListenError.
        """
        listener = bind(self._address)
        self._bound = Address(self._address.host, listener.getsockname()[1])
        self._runner = web.AppRunner(
            self._application(),
            access_log=None,
            logger=_Connections(logging.getLogger(__name__)),
            handler_cancellation=True,  # who hangs up is no longer worked for
            shutdown_timeout=STOP_S,
            lingering_time=LINGER_S,
            max_line_size=LONGEST_LINE_BYTES,
        )
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        """Stop listening, then give what is under way a moment. Idle or stopped already: nothing happens."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        application = web.Application(
            middlewares=[self._observed, as_json, self._access.guard, _without_body],
            client_max_size=LARGEST_BODY_BYTES,
        )
        application.on_response_prepare.append(_add_headers)
        application.add_routes(
            [
                web.get("/", self._page),
                web.get("/metrics", self._scrape.answer),
                web.get("/-/healthy", self._healthy),
                web.get("/-/ready", self._ready),
                web.get("/-/sources", self._sources),
                *self._api.routes(),
            ]
        )
        return application

    @web.middleware
    async def _observed(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        began = clock.monotonic()
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as refusal:
            status = refusal.status
            raise
        except Exception:  # noqa: BLE001 - a bug in one answer is logged, and doesn't take the connection with it
            self._log.exception("a request could not be answered", path=request.path)
            return crashed(request)
        finally:  # the path alone: a query may carry what doesn't belong into a log
            took_s = round(clock.monotonic() - began, 4)
            self._log.debug("request", method=request.method, path=request.path, status=status, took_s=took_s)
        return response

    async def _healthy(self, _: web.Request) -> web.Response:
        return web.Response(text=ALIVE)

    async def _ready(self, _: web.Request) -> web.Response:
        reason = self._views.not_ready()
        if reason is None:
            return web.Response(text="ready\n")
        return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=f"{reason}\n")

    async def _sources(self, _: web.Request) -> web.Response:
        sources = self._views.sources(clock.now())
        healthy = all(source.healthy for source in sources)
        return web.Response(
            status=HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE,
            body=sources_json(sources),
            content_type="application/json",
        )

    async def _page(self, _: web.Request) -> web.Response:
        policy = f"{_HEADERS['Content-Security-Policy']}; style-src '{self._overview.style_hash}'"
        render = self._overview.look(clock.now())
        return web.Response(
            text=await asyncio.to_thread(render),
            content_type="text/html",
            headers={"Content-Security-Policy": policy},
        )


@web.middleware
async def _without_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.can_read_body and request.method in {hdrs.METH_GET, hdrs.METH_HEAD}:
        raise web.HTTPRequestEntityTooLarge(max_size=0, actual_size=request.content_length or 0)
    return await handler(request)


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers[hdrs.SERVER] = "fleetpulse"  # instead of the versions of Python and aiohttp
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
