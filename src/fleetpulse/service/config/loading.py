"""The way of a config: text, tables, filled, shaped, moved beside the file, checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fleetpulse.service.config import environment, meaning, positions, shape
from fleetpulse.service.config.document import ConfigError, Document, Problem
from fleetpulse.service.config.file import read
from fleetpulse.service.config.paths import beside, file_problem, files, journal_problem
from fleetpulse.service.config.placeholders import fill_all
from fleetpulse.service.settings import Settings


def load(path: Path, environ: Mapping[str, str], *, with_files: bool = True) -> Settings:
    """The settings of a file and an environment; the environment wins.

    Errors: ConfigError with every error of shape, or, where there is none, with every error of meaning, among them
    files that do not serve. No line of it holds a value. Files are not looked at unless `with_files`: for who needs a
    few of them, and meets what is wrong with those when it reads them.
    """
    document = Document(read(path), name=str(path))
    settings, variables = interpret(document, environ)
    settings = beside(settings, path.parent.absolute())
    problems = [*meaning.problems(settings), *(_unusable_files(settings) if with_files else ())]
    if problems:
        raise ConfigError(document.tell(problems, variables=variables))
    return settings


def load_plain(path: Path, environ: Mapping[str, str]) -> Settings:
    """The plain tables of a file and an environment, for those who ask a running service.

    Who may ask it need not be able to read the secrets of its sources.

    Errors: ConfigError.
    """
    document = Document(read(path), name=str(path))
    document.tables = {key: value for key, value in document.tables.items() if key in ("http", "journal")}
    settings, _ = interpret(document, environ)
    return beside(settings, path.parent.absolute())


def interpret(document: Document, environ: Mapping[str, str]) -> tuple[Settings, dict[positions.Path, str]]:
    """The settings as they are written, and which of them came from which variable. Pure.

    Errors: ConfigError with every error of shape.
    """
    overrides = environment.overrides(environ)
    problems: list[Problem] = []

    def refused(path: positions.Path, text: str) -> None:
        if path[:2] not in overrides.variables:
            problems.append(shape.of_value(path, document.tables, text))

    tables = fill_all(document.tables, environ, refused=refused)
    tables = environment.merged(tables, overrides.values)
    settings, misshapen = _shaped(tables)
    told = {problem.table + problem.keys for problem in problems}  # an unfilled text has no shape worth telling
    problems += [problem for problem in misshapen if problem.table + problem.keys not in told]
    errors = [*document.tell(problems, variables=overrides.variables), *overrides.errors]
    if errors or settings is None:
        raise ConfigError(errors)
    return settings, overrides.variables


def _shaped(tables: Mapping[str, Any]) -> tuple[Settings | None, list[Problem]]:
    known = {key: value for key, value in tables.items() if key in Settings.model_fields}
    # Keys of the file that are no setting are kept from pydantic-settings, which takes some as its own arguments.
    unknown = [key for key in tables if key not in known][: shape.MOST_TOLD]
    strange = [shape.unknown(key, Settings.model_fields) for key in unknown]
    try:
        return Settings(**known), strange
    except ValidationError as error:
        return None, strange + shape.problems(error, known)


def _unusable_files(settings: Settings) -> list[Problem]:
    found = [
        Problem(named.table, (named.key,), f"'{named.key}' {text}")
        for named in files(settings)
        if (text := file_problem(named))
    ]
    if text := journal_problem(settings.journal):
        found.append(Problem(("journal",), ("url",), f"'url' {text}"))
    return found
