"""Files that settings name: relative ones lie beside the config, and each must be readable."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr

from fleetpulse.secrets import Redactor, Secret, SecretUnreadableError
from fleetpulse.service.config import positions
from fleetpulse.service.settings import SQLITE, JournalSettings

Model = TypeVar("Model", bound=BaseModel)


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


def files(model: BaseModel, path: positions.Path = ()) -> Iterator[tuple[positions.Path, str, Path, bool]]:
    """Every file that is named: the path of its table, its key, the file, and whether it holds a secret."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        key = field.alias or name
        if isinstance(value, Path):
            twin = type(model).model_fields.get(name.removesuffix("_file"))
            yield path, key, value, twin is not None and SecretStr in _parts(twin.annotation)
        elif isinstance(value, BaseModel):
            yield from files(value, (*path, key))
        elif isinstance(value, tuple):
            for index, inner in enumerate(value):
                if isinstance(inner, BaseModel):
                    yield from files(inner, (*path, key, index))


def file_problem(file: Path, *, secret: bool) -> str:
    """Why the file cannot be used, without its path, which might be a secret in the wrong place; empty where it can.

    The one function here that looks at the disk.
    """
    try:
        if secret:
            Secret(file=file, redactor=Redactor())
        else:
            with file.open("rb") as stream:
                stream.read(1)
    except SecretUnreadableError as error:
        return f"cannot be used: {str(error).replace(str(file), 'it')}"
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        return f"cannot be used: cannot read it: {getattr(error, 'strerror', None) or 'no valid name'}"
    return ""


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
