"""Failures that people can mend, told in a line each; everything else keeps its traceback."""

from typing import Final

from fleetpulse.journal.errors import JournalCorruptError, JournalHeldError, JournalUnavailableError
from fleetpulse.secrets import SecretUnreadableError
from fleetpulse.service.tokens import TokenUnmadeError
from fleetpulse.web.address import ListenError


class UsageError(Exception):
    """A command was asked for something that is not there; the text names what is."""


class CrashedError(Exception):
    """The service met a mistake of its own and ended; the traceback stands in the log."""


class DoneBadlyError(Exception):
    """A command did what it was asked to and the answer is no; the text says so."""


_PLAIN: Final = (
    CrashedError,
    DoneBadlyError,
    JournalCorruptError,
    JournalHeldError,
    JournalUnavailableError,
    ListenError,
    SecretUnreadableError,
    TokenUnmadeError,
)


def plain(error: BaseException) -> list[str]:
    """The lines to print instead of a traceback; none where the error is of an unknown kind."""
    if isinstance(error, BaseExceptionGroup):
        lines = [plain(inner) for inner in error.exceptions]
        return [line for inner in lines for line in inner] if all(lines) else []
    return [f"fleetpulse: {error}"] if isinstance(error, _PLAIN) else []
