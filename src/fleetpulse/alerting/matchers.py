"""Matchers as Alertmanager writes them: `group=~"Lyon.*"`, `severity="critical"`, `name!="x"`."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

import msgspec

_LONGEST_VALUE = 1000  # a pattern tries every device: one longer than this is a list that belongs into a label
_MATCHER = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r'\\([n"\\])')
_CURE = """write it like severity="critical" or group=~"Lyon.*" """.strip()


class Operator(StrEnum):
    """How a matcher compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"

    @property
    def negative(self) -> bool:
        """Whether it holds where its positive twin does not."""
        return self in {Operator.NOT_EQUAL, Operator.NOT_REGEX}

    @property
    def is_regex(self) -> bool:
        """Whether the value is a pattern."""
        return self in {Operator.REGEX, Operator.NOT_REGEX}


class Matcher(msgspec.Struct, frozen=True):
    """One condition on one label."""

    label: str
    operator: Operator
    value: str

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.label}{self.operator}"{value}"'

    def matches(self, labels: Mapping[str, str | tuple[str, ...]]) -> bool:
        """Whether the labels fulfil it.

        A label that is not there is the empty text. Of a label with several values (`tag`), one that fits is enough;
        a negative operator wants none to fit. A pattern must fit the whole value, as in Alertmanager.
        """
        given = labels.get(self.label, "")
        values = (given,) if isinstance(given, str) else given or ("",)
        return any(map(self._fits, values)) is not self.operator.negative

    def _fits(self, value: str) -> bool:
        if self.operator.is_regex:
            return _compiled(self.value).fullmatch(value) is not None
        return value == self.value


def parse_matcher(text: str) -> Matcher:
    """Read one matcher; the value may be left unquoted.

    Errors: ValueError whose text says the cure and never repeats the input.
    """
    match = _MATCHER.fullmatch(text)
    if match is None:
        raise ValueError(f"is not a matcher: {_CURE}")
    matcher = Matcher(match[1], Operator(match[2]), _unquoted(match[3]))
    if len(matcher.value) > _LONGEST_VALUE:
        raise ValueError(f"has a value longer than {_LONGEST_VALUE} characters")
    if matcher.operator.is_regex:
        _check(matcher.value)
    return matcher


def _unquoted(text: str) -> str:
    quoted = _QUOTED.fullmatch(text)
    if quoted is not None:  # other escapes stay as they are, so that "\d" needs no doubling
        return _ESCAPE.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], quoted[1])
    if '"' in text:
        raise ValueError(f"has a quote that is not closed or not escaped: {_CURE}")
    return text


def _check(pattern: str) -> None:
    try:
        _compiled(pattern)
    except re.error as error:
        raise ValueError(f"has a pattern that is no regular expression: {error.msg}") from error
    except (OverflowError, RecursionError) as error:
        raise ValueError("has a pattern that is too large or nested too deep") from error


@lru_cache(maxsize=4096)  # far more than a config holds; a matcher is frozen and asked millions of times
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
