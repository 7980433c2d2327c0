"""Work that can be cut off from outside, without ending the task that does it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")


class CutOffError(Exception):
    """The work was cut off."""


class Leash:
    """Holds one piece of work at a time. What it does is cancelled by `cut_off`, and nothing else is."""

    def __init__(self) -> None:
        self._timeout: asyncio.Timeout | None = None

    @property
    def holds(self) -> bool:
        """Whether work is under way."""
        return self._timeout is not None

    async def hold(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do the work.

        Errors: CutOffError once it was cut off; those of the work.
        Cancellation: that of the work.
        """
        try:
            async with asyncio.timeout(None) as self._timeout:
                return await work()
        except TimeoutError:
            if self._timeout is None or not self._timeout.expired():
                raise  # the work's own
            raise CutOffError from None
        finally:
            self._timeout = None

    def cut_off(self) -> None:
        """Cut off what is under way, if anything is."""
        if self._timeout is not None and self._timeout.when() is None:
            self._timeout.reschedule(asyncio.get_running_loop().time())
