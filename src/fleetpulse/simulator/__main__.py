"""Runs one party as a process: `python -m fleetpulse.simulator jfrog-connect --devices 100 --set token=abc`.

Prints one line of JSON, `{"url": ..., "kind": ...}`, when it serves, then serves until SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import inspect
import json
import signal
import sys
from typing import TYPE_CHECKING, Any

from fleetpulse.simulator import RECEIVERS, VENDORS, serve
from fleetpulse.simulator.vendor import Vendor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetpulse.simulator.party import Party

PARTIES = {**VENDORS, **RECEIVERS}
PR_SET_PDEATHSIG = 1
NOT_SETTABLE = frozenset({"now", "switches"})  # a clock can't be written on a command line; switches have their names


def main(argv: Sequence[str] | None = None) -> int:
    """Serve a party until told to stop; 0 when it was, 2 for wrong usage (by SystemExit)."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.die_with_parent:
        _die_with_parent()
    try:
        party = _party(options.kind, options.devices, options.set)
    except (LookupError, TypeError, ValueError) as error:
        parser.error(str(error))
    asyncio.run(_serve(party, options.host, options.port))
    return 0


async def _serve(party: Party, host: str, port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with serve(party, host=host, port=port) as url:
        sys.stdout.write(json.dumps({"url": url, "kind": party.kind}) + "\n")
        sys.stdout.flush()
        await stopped.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fleetpulse.simulator", description="Simulate a vendor or receiver."
    )
    parser.add_argument("kind", choices=sorted(PARTIES))
    parser.add_argument("--devices", type=int, help="how many devices a vendor begins with")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an argument or switch of the party; JSON where it isn't text",
    )
    parser.add_argument("--die-with-parent", action="store_true", help="stop when the starting process ends (Linux)")
    return parser


def _party(kind: str, devices: int | None, pairs: Sequence[str]) -> Party:
    """Make a party. Errors: LookupError, TypeError or ValueError for arguments it doesn't take."""
    party = PARTIES[kind]
    defaults = _defaults(party)
    arguments: dict[str, Any] = {} if devices is None else {"devices": devices}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            message = f"--set takes NAME=VALUE, not {pair!r}"
            raise ValueError(message)
        arguments[name] = text if isinstance(defaults.get(name), str) else _value(text)
    for name in arguments:
        if name not in defaults:
            message = f"{kind} takes no {name!r}, only {', '.join(sorted(defaults))}"
            raise LookupError(message)
    return party(**arguments)


def _defaults(party: type[Party]) -> dict[str, Any]:
    """List what a party takes, each with its default."""
    parameters = inspect.signature(party).parameters
    defaults = {name: each.default for name, each in parameters.items() if name not in NOT_SETTABLE}
    if issubclass(party, Vendor):
        defaults |= {name: getattr(party, name) for name in party.switches}
    return defaults


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _die_with_parent() -> None:
    # Linux: the kernel sends SIGTERM when the thread that started us ends, even if it was killed
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
