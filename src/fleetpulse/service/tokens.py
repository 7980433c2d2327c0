"""The service's own tokens: where they are, and the one that is made where the config names none."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

import structlog

from fleetpulse.secrets import Redactor
from fleetpulse.service.settings import SQLITE, Settings
from fleetpulse.web.access import Access, Token

_OWNERS_ALONE = 0o600
_OTHERS = 0o077


class TokenUnmadeError(Exception):
    """The service can't make its token; the text names the file and the cure."""


def token_file(settings: Settings) -> Path:
    """The file of the token that changes need: as the config says, else beside the journal."""
    return settings.http.token_file or Path(f"{settings.journal.url.removeprefix(SQLITE)}.token")


def access(settings: Settings, *, redactor: Redactor) -> Access:
    """Who may ask what. Where the config names no token, one is made at the first start; the journal's lock is held.

    Errors: TokenUnmadeError; SecretUnreadableError.
    """
    write, read = token_file(settings), settings.http.read_token_file
    if settings.http.token_file is None:
        _make(write)
    return Access(write=Token(write, redactor=redactor), read=None if read is None else Token(read, redactor=redactor))


def _make(file: Path) -> None:
    """Make the token, unless it is there. It appears whole or not at all, for a process may die at any point."""
    if file.exists():
        if file.stat().st_mode & _OTHERS:
            structlog.get_logger(__name__).warning(
                "others than the service's user may read its token: chmod 600 it", file=str(file)
            )
        return
    draft = file.with_name(f"{file.name}.new")
    try:
        draft.unlink(missing_ok=True)  # of a start that was killed
        made = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNERS_ALONE)
        with open(made, "w", encoding="ascii") as stream:  # noqa: PTH123 - a descriptor, no path
            stream.write(f"{secrets.token_urlsafe(32)}\n")
            stream.flush()
            os.fsync(made)
        draft.replace(file)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise TokenUnmadeError(
            f"cannot make {file}: {error.strerror}; give the service's user the right, or name a [http] token_file"
        ) from error
    structlog.get_logger(__name__).info("made the token that changes need", file=str(file))
