"""One request's connection: whether it was kept from before, and what follows from that.

aiohttp sends a GET again whenever its connection breaks before an answer. On a fresh connection that is a second
retrying layer, and a second request that the account's budget never sees. On a kept one it is right: the server had
closed it while the request was on its way, so nobody has read it.
"""

from types import SimpleNamespace

import aiohttp


class BrokenConnection(aiohttp.ClientConnectionError):
    """A fresh connection broke before an answer. aiohttp does not retry what it does not know; see the cause."""


class Connection:
    """Follows one request. `send` is its aiohttp middleware, the trace of `watching` tells it what was reused."""

    def __init__(self) -> None:
        self.reused = False

    async def send(self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Pass the request on; keep aiohttp from repeating it, unless its connection was a kept one."""
        self.reused = False
        try:
            return await handler(request)
        except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            if self.reused:
                raise
            raise BrokenConnection from error


def watching() -> aiohttp.TraceConfig:
    """The trace that tells each request's `Connection` when a kept connection is reused."""
    trace = aiohttp.TraceConfig()
    trace.on_connection_reuseconn.append(_reused)
    return trace


async def _reused(
    _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceConnectionReuseconnParams
) -> None:
    connection: Connection = context.trace_request_ctx
    connection.reused = True
