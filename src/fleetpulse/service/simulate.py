"""`fleetpulse simulate`: a look-alike of a vendor, in the foreground."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack

import typer

from fleetpulse.service.failures import UsageError
from fleetpulse.service.supervision import stop_on_signals
from fleetpulse.simulator import VENDORS, serve
from fleetpulse.web.address import ListenError, parse_listen, told


async def run_simulation(vendor: str, *, devices: int, listen: str, limits: bool = True) -> None:
    """Serve until stopped; prints where, what to put into a config, and how to let something happen.

    `limits`: refuse what comes faster than the vendor's documents allow.
    Errors: UsageError for a vendor nobody plays or an address that is none; ListenError for one it can't have.
    """
    if vendor not in VENDORS:
        raise UsageError(f"no vendor {vendor!r} is simulated; there are {', '.join(sorted(VENDORS))}")
    try:
        address = parse_listen(listen)
    except ValueError as error:
        raise UsageError(f"--listen {error}") from error
    kind = VENDORS[vendor]
    party = kind(devices=devices, **(kind.limits if limits else {}))
    stop = asyncio.Event()
    everywhere = "0.0.0.0"  # noqa: S104 - `:PORT` asks for every address
    async with AsyncExitStack() as served:
        try:
            url = await served.enter_async_context(serve(party, host=address.host or everywhere, port=address.port))
        except OSError as error:
            raise ListenError(told(address, error, setting="--listen")) from error
        typer.echo(f"{vendor} is simulated at {url} until Ctrl-C. For a config:\n")
        typer.echo(f"{source_entry(f'simulated-{vendor}', vendor, party.settings(url))}\n")
        typer.echo("# Three of its devices drop out, and all come back:")
        typer.echo(f"""#   curl -d '{{"n": 3}}' {url}/_control/drop""")
        typer.echo(f"#   curl -d '' {url}/_control/restore")
        with stop_on_signals(stop, hangup_stops=True):
            await stop.wait()


def source_entry(name: str, vendor: str, settings: Mapping[str, str]) -> str:
    """The lines of a `[[sources]]` entry."""
    keys = {"name": name, "vendor": vendor, **settings}
    # a JSON string is one of TOML too, as long as it doesn't spell characters in halves
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items())
    return "\n".join(["[[sources]]", *lines])
