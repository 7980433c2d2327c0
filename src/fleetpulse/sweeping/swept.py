"""How a sweep ended, and how far one under way has come."""

import msgspec


class Swept(msgspec.Struct, frozen=True):
    """A sweep that ended. `shortfall` says why it proves no absence; empty where it is complete.

    `whole`: it was a walk over all there is, not over the stalest first.
    """

    shortfall: str = ""
    rows: int = 0
    whole: bool = True

    @property
    def outcome(self) -> str:
        """Its word in the metrics."""
        if not self.whole:
            return "stalest"
        return "incomplete" if self.shortfall else "complete"


class Progress(msgspec.Struct, frozen=True):
    """How far the sweep under way has come; `total` as the vendor announces it."""

    rows: int = 0
    total: int | None = None
