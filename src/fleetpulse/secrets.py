"""Secrets: where they come from, how they are read again, and how they are kept out of everything people read."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

from pydantic import SecretStr

REDACTED: Final = "***"
_SHORTEST_REDACTED: Final = 4  # shorter values would blank half of every text and hide nothing
_LARGEST_FILE_BYTES: Final = 64 * 1024  # a key is short; a wrong path may be anything


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
        self._known += _forms(secret).difference(self._known)
        self._known.sort(key=len, reverse=True)  # a secret may hold another one

    def redact(self, text: str) -> str:
        """The text without any learned secret."""
        for form in self._known:
            if form in text:
                text = text.replace(form, REDACTED)
        return text


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
        if self._file is None:
            return False
        fresh = _read(self._file)
        if self._value is not None and fresh.get_secret_value() == self._value.get_secret_value():
            return False
        self._value = fresh
        self._redactor.learn(fresh.get_secret_value())
        return True


def _forms(secret: str) -> set[str]:
    """The secret as it stands in a text, a URL, a form, JSON, and the `repr` that exceptions print."""
    return {
        secret,
        quote(secret, safe="", errors="replace"),  # replace: the environment may hold bytes that are no UTF-8
        quote(secret, errors="replace"),
        quote_plus(secret, errors="replace"),
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
    if not text or len(raw) > _LARGEST_FILE_BYTES:
        msg = f"{file} is {'larger than 64 KiB' if text else 'empty'}: it should hold one secret and nothing else"
        raise SecretUnreadableError(msg)
    return SecretStr(text)
