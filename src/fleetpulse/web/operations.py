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


class VendorFailedError(OperationError):
    """The vendor could not be asked, or knows no such thing; the text is redacted."""


class Operations(Protocol):
    """Works on one source by its name. All raise NotWatchedError; more where it is said.

    What asks a vendor may wait long for its turn. So it is a generator whose first item is None, at once: nothing is in
    the way. What comes of it follows.
    """

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
        """Believe the vendor's list of devices however short it is.

        Errors: RefusedError where no list is doubted.
        """
        ...

    def ask(self, source: str, device: str) -> AsyncGenerator[Sighting | None, None]:
        """Ask the vendor for one device now.

        Errors: RefusedError, instead of the first item or when the source is paused meanwhile; VendorFailedError.
        Cancellation: safe; closing it gives up.
        """
        ...

    def survey(self, source: str, depth: Depth) -> AsyncGenerator[msgspec.Struct | None, None]:
        """Walk a source within its budget and tell line by line what is found.

        Errors: RefusedError, instead of the first item or when the source is paused meanwhile.
        Cancellation: safe; closing it ends the walk.
        """
        ...
