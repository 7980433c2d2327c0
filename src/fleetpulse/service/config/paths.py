"""Files that settings name: relative ones lie beside the config, and each must serve."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import BaseModel, SecretStr

from fleetpulse.secrets import Redactor, Secret, SecretUnreadableError
from fleetpulse.service.config import positions
from fleetpulse.service.settings import SQLITE, JournalSettings

Model = TypeVar("Model", bound=BaseModel)
_LARGEST_BYTES: Final = 16 * 1024 * 1024  # a system's whole store of authorities has a quarter of one MiB


class NamedFile(NamedTuple):
    """A file that a setting names: the path of its table, its key, and whether it holds a secret.

    `problem_of` tells what is wrong with what it holds, as a predicate; empty where it is fine.
    """

    table: positions.Path
    key: str
    file: Path
    secret: bool
    problem_of: Callable[[str], str]


def beside(model: Model, directory: Path) -> Model:
    """The same settings with every relative path in `directory`; what needs no change stays the same object."""
    changed = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        moved = _moved(value, directory)
        if moved is not value:
            changed[name] = moved
    if isinstance(model, JournalSettings):
        changed["url"] = _moved_url(model.url, directory)
    return model.model_copy(update=changed) if changed else model


def files(model: BaseModel, path: positions.Path = ()) -> Iterator[NamedFile]:
    """Every file that is named."""
    checks = getattr(model, "file_checks", {})
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        key = field.alias or name
        if isinstance(value, Path):
            twin = type(model).model_fields.get(name.removesuffix("_file"))
            secret = twin is not None and SecretStr in _parts(twin.annotation)
            yield NamedFile(path, key, value, secret, checks.get(name, lambda _: ""))
        elif isinstance(value, BaseModel):
            yield from files(value, (*path, key))
        elif isinstance(value, tuple):
            for index, inner in enumerate(value):
                if isinstance(inner, BaseModel):
                    yield from files(inner, (*path, key, index))


def file_problem(named: NamedFile) -> str:
    """Why the file cannot be used, without its path, which might be a secret in the wrong place; empty where it can."""
    try:
        problem = named.problem_of(_text(named))
    except SecretUnreadableError as error:
        return f"cannot be used: {str(error).replace(str(named.file), 'it')}"
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        return f"cannot be used: cannot read it: {getattr(error, 'strerror', None) or 'no valid name'}"
    return f"cannot be used: what it holds {problem}" if problem else ""


def journal_problem(settings: JournalSettings) -> str:
    """Why the journal cannot be where it should be; empty where it can, and where its own settings tell more."""
    path = Path(settings.url.removeprefix(SQLITE))
    if settings.problems():
        return ""
    if not path.parent.is_dir():
        return "cannot be used: its directory does not exist; create it"
    if path.is_dir():
        return "cannot be used: it is a directory; name a file in it"
    if not os.access(path.parent, os.W_OK | os.X_OK):  # the file has others beside it, while it is open
        return "cannot be used: give the user of this process the right to write in its directory"
    return ""


def _text(named: NamedFile) -> str:
    if named.secret:
        return Secret(file=named.file, redactor=Redactor()).reveal()
    with named.file.open("rb") as stream:
        return stream.read(_LARGEST_BYTES).decode(errors="replace")


def _moved(value: Any, directory: Path) -> Any:
    if isinstance(value, Path):
        return value if value.is_absolute() else directory / value
    if isinstance(value, BaseModel):
        return beside(value, directory)
    if isinstance(value, tuple):
        moved = tuple(_moved(inner, directory) for inner in value)
        return value if all(new is old for new, old in zip(moved, value, strict=True)) else moved
    return value


def _moved_url(url: str, directory: Path) -> str:
    path = url.removeprefix(SQLITE)
    return f"{SQLITE}{directory / path}" if url.startswith(SQLITE) and path else url


def _parts(annotation: Any) -> tuple[Any, ...]:
    return (annotation, *getattr(annotation, "__args__", ()))
