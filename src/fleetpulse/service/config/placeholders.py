"""`${NAME}` and `${NAME:-default}` in the texts of a config; `$${` is a literal `${`."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from fleetpulse.service.config.positions import Path

# A default holds no placeholder of its own: what looks like one is refused rather than left unfilled.
_PLACEHOLDER = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:(?!\$\{)[^}])*))?\}|\$\{")


class PlaceholderError(Exception):
    """A placeholder that cannot be filled; the text is a predicate of the key that holds it."""


def fill(text: str, environ: Mapping[str, str]) -> str:
    """The text with its placeholders filled; as in a shell, `:-` also stands in for an empty variable.

    Errors: PlaceholderError, which names the variable and nothing else.
    """

    def value(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        name, default = match[1], match[2]
        if name is None:
            raise PlaceholderError("holds a '${' that is neither ${NAME} nor ${NAME:-default}; a literal one is $${")
        if default is not None:
            return environ.get(name) or default
        if name not in environ:
            raise PlaceholderError(f"needs the environment variable {name}, which is not set")
        return environ[name]

    return _PLACEHOLDER.sub(value, text)


def fill_all(value: Any, environ: Mapping[str, str], *, refused: Callable[[Path, str], None], path: Path = ()) -> Any:
    """The same tree with every text in it filled, in tables and lists; keys stay as they are.

    What cannot be filled is told to `refused` with its path, and stays.
    """
    if isinstance(value, dict):
        return {key: fill_all(inner, environ, refused=refused, path=(*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill_all(inner, environ, refused=refused, path=(*path, index)) for index, inner in enumerate(value)]
    if not isinstance(value, str):
        return value
    try:
        return fill(value, environ)
    except PlaceholderError as error:
        refused(path, str(error))
        return value
