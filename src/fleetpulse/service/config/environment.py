"""`FLEETPULSE_HTTP__LISTEN` and its like: the plain tables from the environment."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from pydantic import BaseModel
from pydantic_settings import EnvSettingsSource, SettingsError

from fleetpulse.service.config.document import shown
from fleetpulse.service.config.positions import Path
from fleetpulse.service.settings import Settings

_PREFIX: Final = "FLEETPULSE_"
_DELIMITER: Final = "__"
_FROM_FILE_ALONE: Final = tuple(f"{_PREFIX}{table}{_DELIMITER}" for table in ("SOURCES", "RULES", "ROUTE", "RECEIVERS"))


class Overrides(NamedTuple):
    """What the environment sets: `values` and the `variables` they came from by path, and the `errors` as lines."""

    values: dict[Path, Any]
    variables: dict[Path, str]
    errors: list[str]


def overrides(environ: Mapping[str, str]) -> Overrides:
    """Read the variables that name a setting of a plain table.

    One that looks like a setting and names none is an error; one without `__`, such as Kubernetes' service links
    (`FLEETPULSE_PORT`), is passed over.
    """
    known = _known()
    found = Overrides({}, {}, [])
    for variable in sorted(environ):
        if not variable.startswith(_PREFIX) or _DELIMITER not in variable:
            continue
        path = known.get(variable)
        if path is None:
            found.errors.append(_unknown(variable, known))
            continue
        found.variables[path] = variable
        try:
            found.values[path] = _value(variable, environ[variable], path)
        except SettingsError:
            found.errors.append(f"""environment {variable}: must be a list in JSON, like ["up", "info"]""")
    return found


def merged(tables: Mapping[str, Any], values: Mapping[Path, Any]) -> dict[str, Any]:
    """The file's tables with the environment's values over them; a table that is none is left for the shape to tell."""
    result = dict(tables)
    for (table, key), value in values.items():
        below = result.get(str(table), {})
        if isinstance(below, dict):
            result[str(table)] = {**below, str(key): value}
    return result


class _Variables(EnvSettingsSource):
    """pydantic-settings' reading of variables, from a mapping handed in instead of the process' environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.env_vars = {variable.lower(): value for variable, value in environ.items()}


def _value(variable: str, text: str, path: Path) -> Any:
    value: Any = _Variables({variable: text})()  # one at a time, so that an error has its variable
    for part in path:
        value = value[part]
    return value


def _known() -> dict[str, Path]:
    return {
        f"{_PREFIX}{table}{_DELIMITER}{key}".upper(): (table, key)
        for table, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        for key in field.annotation.model_fields
    }


def _unknown(variable: str, known: Mapping[str, Path]) -> str:
    line = f"environment: {shown(variable)} names no setting"
    if variable.startswith(_FROM_FILE_ALONE):
        return f"{line}: sources, rules, route and receivers come from the file alone"
    close = get_close_matches(variable, known, n=1, cutoff=0.8)
    return f"{line}, did you mean {close[0]}?" if close else line
