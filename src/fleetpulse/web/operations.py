"""What people may have done by hand, as the service does it for the web."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Protocol

import msgspec

from fleetpulse.fleet.device import Sighting
from fleetpulse.web.views import Depth


class OperationError(Exception):
    """It was not done; the text says why, for people."""


class RefusedError(OperationError):
    """It can't be done as things stand: a survey that runs already, a key that is refused. The text says why."""


class NotWatchedError(RefusedError):
    """No such source, or one that its configuration disables."""


class NoSuchThingError(OperationError):
    """The vendor says that there is no such device."""


class VendorFailedError(OperationError):
    """The vendor could not be asked. `reason` is the error's name in the contract; the text is redacted."""

    def __init__(self, text: str, *, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class Operations(Protocol):
    """Works on one source by its name. All raise NotWatchedError; more where it is said."""

    async def retry(self, source: str) -> None:
        """Sweep everything now, also where the key is refused."""
        ...

    async def pause(self, source: str, *, for_: timedelta | None) -> None:
        """Sweep nothing, for so long or until `resume`."""
        ...

    async def resume(self, source: str) -> None:
        """End a pause."""
        ...

    async def accept(self, source: str) -> None:
        """Believe the vendor's list of devices however short it is."""
        ...

    async def ask(self, source: str, device: str) -> Sighting:
        """Ask the vendor for one device now.

        Errors: NoSuchThingError, RefusedError, VendorFailedError.
        """
        ...

    def survey(self, source: str, depth: Depth) -> AsyncGenerator[msgspec.Struct, None]:
        """Walk a source within its budget and tell line by line what is found.

        Errors: RefusedError before the first line.
        Cancellation: safe; closing it ends the walk.
        """
        ...
