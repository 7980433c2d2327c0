"""Secrets: where they come from, how they are read again, and how they are kept out of everything people read."""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

import msgspec
from pydantic import SecretStr

REDACTED: Final = "***"
_SHORTEST_REDACTED: Final = 4  # shorter values would blank half of every text and hide nothing
_NO_TIME_UP_TO_YEAR: Final = 1970  # a zero or less is "never" in some library, and no end
_LARGEST_FILE_BYTES: Final = 64 * 1024  # a key is short; a wrong path may be anything
_SECRET_NAME: Final = re.compile(r"authorization|cookie|token|key|secret|signature|password|^sig$", re.IGNORECASE)
_BETWEEN_WORDS: Final = re.compile(r"[\W_]+")
_SHORTEST_RANDOM: Final = 8
_LONGEST_WORD: Final = 20
_KEPT_IN_PATHS: Final = "!$&'()*,;=:@"  # what aiohttp unquotes in a path, for it is allowed to stand there
_ESCAPE: Final = re.compile("%[0-9A-F]{2}")


class SecretUnreadableError(Exception):
    """A secret's file cannot be read; the text names the file and the cure, never the value."""


class Redactor:
    """Blanks every secret it has learned, in the forms they take in URLs, headers and JSON.

    One object serves the whole process. It only ever learns, so a rotated key stays blanked.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: list[str] = []
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Blank this value from now on; values under four characters are passed over."""
        if len(secret) < _SHORTEST_REDACTED:
            return
        self._known = sorted({*self._known, *_forms(secret)}, key=len, reverse=True)  # a secret may hold another one

    def redact(self, text: str) -> str:
        """The text without any learned secret."""
        for form in self._known:
            if form in text:
                text = text.replace(form, REDACTED)
        return text


class Reading(msgspec.Struct, frozen=True):
    """What a secret's file holds, and the value that was in force when it was looked at."""

    value: SecretStr | None
    instead_of: SecretStr | None


class Secret:
    """One secret, given inline or by file; a file is read again by `refresh`.

    Errors: SecretUnreadableError at construction and from `refresh`.
    """

    def __init__(self, *, value: SecretStr | None = None, file: Path | None = None, redactor: Redactor) -> None:
        self._redactor = redactor
        self._file = file
        self._value = value if file is None else _read(file)
        if self._value is not None:
            redactor.learn(self._value.get_secret_value())

    def __bool__(self) -> bool:
        return self._value is not None

    def reveal(self) -> str:
        """The value, for the one place that sends or signs; empty where none is set."""
        return "" if self._value is None else self._value.get_secret_value()

    def refresh(self) -> bool:
        """Read the file again, which also follows a Kubernetes `..data` swap; tell whether the value changed."""
        return self.take(self.read())

    def read(self) -> Reading:
        """The value as the file holds it now, as it is where there is no file; changes nothing, so on any thread.

        Errors: SecretUnreadableError.
        """
        value = self._value
        return Reading(value if self._file is None else _read(self._file), value)

    def take(self, reading: Reading) -> bool:
        """Take over what was read, unless another value was meanwhile; tell whether the value changed."""
        fresh = reading.value
        if fresh is None or fresh == self._value or reading.instead_of is not self._value:
            return False
        self._value = fresh
        self._redactor.learn(fresh.get_secret_value())
        return True


class _Claims(msgspec.Struct):
    """What a token says of itself, as far as it is read here."""

    exp: int | float | None = None


def expires_at(secret: str) -> datetime | None:
    """When a JWT ends by its own word, which is read and not verified; None for what says nothing or is no JWT."""
    _, _, rest = secret.partition(".")
    claims, dot, _ = rest.partition(".")
    if not dot or len(claims) > _LARGEST_FILE_BYTES:
        return None
    try:
        raw = urlsafe_b64decode(claims + "=" * (-len(claims) % 4))
        exp = msgspec.json.decode(raw, type=_Claims).exp
        ends_at = None if exp is None else datetime.fromtimestamp(exp, UTC)
    except (ValueError, OverflowError, OSError, RecursionError):  # a key may be anything; msgspec's errors are of value
        return None
    return ends_at if ends_at is not None and ends_at.year > _NO_TIME_UP_TO_YEAR else None


def names_a_secret(name: str) -> bool:
    """Whether a header or a parameter of this name holds a secret, whatever its value looks like."""
    return _SECRET_NAME.search(name) is not None


def looks_random(text: str, *, shortest: int = _SHORTEST_RANDOM) -> bool:
    """Whether a text was made by a machine to be guessed by nobody, rather than written by a person.

    `fleet-alerts` and `v2` are written: words of small letters, perhaps with a capital in front and a short number
    behind. To blank such a word would blank the names of sources, groups and devices too.
    """
    return len(text) >= shortest and not all(map(_is_word, filter(None, _BETWEEN_WORDS.split(text))))


def _is_word(text: str) -> bool:
    stem = text.rstrip("0123456789")
    digits = len(text) - len(stem)
    if not stem:
        return digits <= 4  # noqa: PLR2004 - a year
    written = stem.isalpha() and stem in {stem.lower(), stem.capitalize()}
    return written and len(stem) <= _LONGEST_WORD and digits <= 2  # noqa: PLR2004 - `edge01`


def _forms(secret: str) -> set[str]:
    """The secret as it stands in a text, a URL, a form, JSON, and the `repr` that exceptions print."""
    quoted = {
        quote(secret, safe="", errors="replace"),  # replace: the environment may hold bytes that are no UTF-8
        quote(secret, errors="replace"),
        quote(secret, safe=_KEPT_IN_PATHS, errors="replace"),
        quote_plus(secret, errors="replace"),
    }
    return {
        secret,
        *quoted,
        *(_ESCAPE.sub(lambda escape: escape[0].lower(), form) for form in quoted),  # as .NET spells them
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    }


def _read(file: Path) -> SecretStr:
    try:
        with file.open("rb") as stream:
            raw = stream.read(_LARGEST_FILE_BYTES + 1)
        text = raw.decode().strip()
    except OSError as error:
        msg = f"cannot read {file}: {error.strerror}"
        raise SecretUnreadableError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{file} is not text"
        raise SecretUnreadableError(msg) from error
    except ValueError as error:
        msg = f"cannot read {file}: no file has a null character in its name"
        raise SecretUnreadableError(msg) from error
    problem = _problem(text, size=len(raw))
    if problem:
        msg = f"{file} {problem}: it should hold one secret and nothing else"
        raise SecretUnreadableError(msg)
    return SecretStr(text)


def _problem(text: str, *, size: int) -> str:
    """Why a file's text is no secret; a line break in it, say, could never be sent in a header."""
    if not text:
        return "is empty"
    if size > _LARGEST_FILE_BYTES:
        return "is larger than 64 KiB"
    return "" if text.isprintable() else "holds more than one line, or a control character"
