"""Errors of shape in words for people: unknown keys, missing ones, wrong types. pydantic's own text is never used."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fleetpulse.service.config.document import Problem, quoted, shown
from fleetpulse.service.config.positions import Path
from fleetpulse.service.settings import OneOf, Settings

MOST_TOLD: Final = 200  # nobody reads further, and looking for what was meant takes its time
_QUOTED = re.compile(r"'([^']*)'")
# Our validators speak in predicates without the input. Others do not: urllib's "Port could not be cast to integer value
# as ..." tells a piece of a URL, which may be a password.
_PREDICATE = re.compile(r"(?:is|must|has|holds|names|takes|needs) ")
_INVALID = "is not valid"
_WORDS = {
    "string_type": "must be a text in quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "tuple_type": 'must be a list, like ["a", "b"]',
    "list_type": 'must be a list, like ["a", "b"]',
    "dict_type": 'must be a table, like { key = "value" }',
    "path_type": "must be a path in quotes",
    "missing": "is missing",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "must be a whole number"),
}
_LIMITS = {
    "greater_than": ("gt", "must be more than {}"),
    "greater_than_equal": ("ge", "must be {} at least"),
    "less_than": ("lt", "must be less than {}"),
    "less_than_equal": ("le", "must be {} at most"),
    "string_too_long": ("max_length", "must be {} characters long at most"),
    "too_long": ("max_length", "must have {} entries at most"),
    "string_too_short": ("min_length", "must be {} characters long at least"),
    "too_short": ("min_length", "must have {} entries at least"),
    "string_pattern_mismatch": ("pattern", "must fit the pattern {}"),
}


def problems(error: ValidationError, tables: Mapping[str, Any]) -> list[Problem]:
    """Every error with its place, up to `MOST_TOLD`."""
    found = error.errors(include_url=False, include_input=False)
    return [_problem(details, tables) for details in found[:MOST_TOLD]]


def unknown(key: str, known: Iterable[str], *, table: Path = ()) -> Problem:
    """A key that no setting has, with the one that was probably meant."""
    thing = "key" if table else "table"
    return Problem(table, (key,), f"unknown {thing} '{shown(key)}'{did_you_mean(key, known)}")


def did_you_mean(given: Any, known: Iterable[str]) -> str:
    """`, did you mean 'x'?` where one of the known words is close to what was given, else nothing."""
    close = get_close_matches(given.lower(), list(known), n=1) if isinstance(given, str) else []
    return f", did you mean '{close[0]}'?" if close else ""


def of_value(path: Path, tables: Mapping[str, Any], text: str) -> Problem:
    """A predicate of the value at a path of the file, such as `needs the environment variable X`."""
    spot = _spot(path, tables, worded=False)
    return Problem(spot.table, spot.keys, f"{quoted(spot.keys)} {text}")


class _Spot(NamedTuple):
    """Where an error is: in the table `table` of class `model`, its value there, at `keys` within it."""

    table: Path
    model: type[BaseModel]
    value: Any
    keys: Path


def _problem(details: ErrorDetails, tables: Mapping[str, Any]) -> Problem:
    kind = details["type"]
    spot = _spot(details["loc"], tables, worded=True)
    if kind == "extra_forbidden":
        key = str(spot.keys[-1])
        return unknown(key, _keys_of(spot.model), table=spot.table)
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return _unknown_choice(details, spot)
    text = _text(details, spot)
    return Problem(spot.table, spot.keys, f"{quoted(spot.keys)} {text}" if spot.keys else text)


def _spot(loc: Path, tables: Mapping[str, Any], *, worded: bool) -> _Spot:
    """The innermost table on the way; `worded`: a path of pydantic's, which holds the word of each choice too."""
    spot = _Spot((), Settings, tables, loc)
    while (inner := _step(spot, worded=worded)) is not None:
        spot = inner
    return spot


def _step(spot: _Spot, *, worded: bool) -> _Spot | None:
    """The spot seen from the next table inwards; None where no further table is on the way."""
    annotation = _annotation(spot)
    choice = _choice(annotation)
    if choice is None:
        return None
    value, length = _at(spot.value, spot.keys[0]), 1
    if get_origin(annotation) is tuple:
        if len(spot.keys) == 1:
            return None  # the list itself is wrong
        value, length = _at(value, spot.keys[1]), 2
    table, keys = spot.table + spot.keys[:length], spot.keys[length:]
    if isinstance(choice, OneOf):
        word = _at(value, choice.key)
        if not isinstance(word, str) or word not in choice.classes:
            return _Spot(table, BaseModel, value, keys)
        return _Spot(table, choice.classes[word], value, keys[1:] if worded else keys)
    return _Spot(table, choice, value, keys)


def _annotation(spot: _Spot) -> Any:
    """The type of the field that the first key names, where there is one."""
    fields = {field.alias or name: field for name, field in spot.model.model_fields.items()}
    field = fields.get(str(spot.keys[0])) if spot.keys else None
    return field.annotation if field else None


def _choice(annotation: Any) -> type[BaseModel] | OneOf | None:
    """The settings class, or the choice of classes, that an annotation holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__metadata__", ()):
        if isinstance(inner, OneOf):
            return inner
    return next((found for inner in get_args(annotation) if (found := _choice(inner)) is not None), None)


def _at(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    return None


def _keys_of(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _unknown_choice(details: ErrorDetails, spot: _Spot) -> Problem:
    context = details.get("ctx", {})
    key = _QUOTED.findall(str(context.get("discriminator", "")))[0]
    annotation = Settings.model_fields[str(spot.table[0])].annotation
    choice = _choice(annotation)
    words = sorted(choice.classes) if isinstance(choice, OneOf) else []
    verb = "is missing: it is" if _at(spot.value, key) is None else "must be"
    text = f"'{key}' {verb} one of {', '.join(words)}{did_you_mean(_at(spot.value, key), words)}"
    return Problem(spot.table, (key,), text)


def _text(details: ErrorDetails, spot: _Spot) -> str:
    kind = details["type"]
    context = details.get("ctx", {})
    if kind in {"value_error", "assertion_error"}:
        said = str(context["error"])
        return said if _PREDICATE.match(said) else _INVALID
    if kind in {"literal_error", "enum"}:
        words = _QUOTED.findall(str(context["expected"]))
        return f"must be one of {', '.join(words)}{did_you_mean(_given(spot), words)}"
    if kind in _LIMITS:
        return _limit(kind, context)
    return _of_table(kind, spot) or _WORDS.get(kind, _INVALID)


def _given(spot: _Spot) -> Any:
    value = spot.value
    for key in spot.keys:
        value = _at(value, key)
    return value


def _limit(kind: str, context: Mapping[str, Any]) -> str:
    name, words = _LIMITS[kind]
    limit = context[name]
    if name == "min_length" and limit == 1:
        return "must not be empty"
    return words.format(int(limit) if isinstance(limit, float) and limit.is_integer() else limit)


def _of_table(kind: str, spot: _Spot) -> str:
    """How a table, or a list of tables, is written, where the file has something else in its place."""
    name = ".".join(part for part in (*spot.table, *spot.keys) if isinstance(part, str))
    if kind == "tuple_type" and len(spot.keys) == 1 and _choice(_annotation(spot)) is not None:
        return f"must be a list of tables: write [[{name}]] above each"
    if kind in {"model_type", "model_attributes_type", "dict_type"} and not spot.keys:
        return f"must be a table: write [{name}] above its keys" if len(spot.table) == 1 else "must be a table"
    return ""
