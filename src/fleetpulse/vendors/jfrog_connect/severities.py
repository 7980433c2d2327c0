"""How dangerous the known weaknesses of a release are: counts by severity, or the worst severity alone."""

from collections.abc import Mapping
from typing import Any, Final

from fleetpulse.vendors.wire import number, text, word
from fleetpulse.vendors.wire.values import COUNT_MAX

SEVERITIES: Final = ("Critical", "High", "Medium", "Low")
_BY_WORD: Final[Mapping[str, str]] = {severity.casefold(): severity for severity in SEVERITIES}
_WORD_SHOWN: Final = 40  # it becomes a label


def findings(counts: Mapping[str, Any], severity: object) -> dict[str, int]:
    """How many weaknesses of each severity are known.

    Q10: they stand beside `cve_severity` (in `counts`) or under it; where there is only a severity's name, there is at
    least one of that.
    """
    nested = severity if isinstance(severity, dict) else {}
    found: dict[str, int] = {}
    for name in SEVERITIES:
        count = number(counts.get(name))
        if count is None:
            count = number(nested.get(name))
        if count is not None and count > 0:
            found[name] = int(min(count, COUNT_MAX))
    named = _BY_WORD.get(word(severity))
    return found or ({named: 1} if named else {})


def worst(severity: object) -> str:
    """The worst severity, by name or as counts; empty for null. An undocumented name stays as it is spelled."""
    if isinstance(severity, dict):
        return next(iter(findings(severity, None)), "")
    return _BY_WORD.get(word(severity), text(severity, _WORD_SHOWN))
