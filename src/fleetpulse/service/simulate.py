"""`fleetpulse simulate`: a look-alike of a vendor, in the foreground."""

import asyncio
import json
from contextlib import AsyncExitStack

import typer

from fleetpulse.service.failures import UsageError
from fleetpulse.service.supervision import stop_on_signals
from fleetpulse.simulator import VENDORS, JFrogConnect, Party, serve
from fleetpulse.web.address import ListenError, parse_listen, told


async def run_simulation(vendor: str, *, devices: int, listen: str) -> None:
    """Serve until stopped; prints where, and what to put into a config.

    Errors: UsageError for a vendor nobody plays or an address that is none; ListenError for one it can't have.
    """
    if vendor not in VENDORS:
        raise UsageError(f"no vendor {vendor!r} is simulated; there are {', '.join(sorted(VENDORS))}")
    try:
        address = parse_listen(listen)
    except ValueError as error:
        raise UsageError(f"--listen {error}") from error
    party: Party = JFrogConnect(devices=devices) if vendor == "jfrog-connect" else VENDORS[vendor]()
    stop = asyncio.Event()
    everywhere = "0.0.0.0"  # noqa: S104 - `:PORT` asks for every address
    async with AsyncExitStack() as served:
        try:
            url = await served.enter_async_context(serve(party, host=address.host or everywhere, port=address.port))
        except OSError as error:
            raise ListenError(told(address, error, setting="--listen")) from error
        typer.echo(f"{vendor} is simulated at {url} until Ctrl-C. For a config:\n")
        typer.echo(_entry(party, vendor, url))
        with stop_on_signals(stop, hangup_stops=True):
            await stop.wait()


def _entry(party: Party, vendor: str, url: str) -> str:
    lines = ["[[sources]]", f'name = "simulated-{vendor}"', f'vendor = "{vendor}"']
    if isinstance(party, JFrogConnect):
        lines += [f'base_url = "{url}"', f"project_key = {json.dumps(party.project_key)}"]
        lines += [f"token = {json.dumps(party.token)}"]
    else:
        lines += [f'base_url = "{url}/api/1"', 'api_key = "demo-key"']
    return "\n".join(lines) + "\n"
