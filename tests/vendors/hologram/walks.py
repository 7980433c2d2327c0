"""Walks as the tests of this vendor take them, and answers made for them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from fleetpulse.fleet.device import Sighting
from fleetpulse.vendors.contract import Page
from fleetpulse.vendors.hologram import Hologram

Item = TypeVar("Item")
Http = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
Build = Callable[..., Hologram]
KEY = "demo-key"


async def listed(pages: AsyncIterator[Page[Item]]) -> list[Page[Item]]:
    return [page async for page in pages]


async def devices(vendor: Hologram, *, resume: str | None = None) -> list[Page[Sighting]]:
    return await listed(vendor.devices("devices", resume=resume))


def device_ids(pages: list[Page[Sighting]]) -> list[str]:
    return [sighting.device.id for page in pages for sighting in page.items]


def saying(body: object, status: int = 200) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    return answer
