"""Where a walk over one of the device lists stands, as text that a later walk goes on from."""

import msgspec

from fleetpulse.vendors.contract import CursorRefused


class Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The offset of the next page, and how many rows and pages came before it.

    The offset is the last device's uuid for states and its number for details, each as the vendor spells it.
    """

    offset: str | int | None = None
    seen: int = 0
    pages: int = 0

    def write(self) -> str:
        """The place as one line of text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, resume: str | None) -> "Place":
        """The place that was written; the beginning where there is none.

        Errors: CursorRefused for text that was never written.
        """
        if resume is None:
            return cls()
        try:
            return msgspec.json.decode(resume, type=cls)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise CursorRefused("the place of the broken walk cannot be read") from error
