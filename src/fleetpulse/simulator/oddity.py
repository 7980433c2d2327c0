"""A device's row as it should be, or as a careless vendor might send it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping


class Oddity(NamedTuple):
    """What is wrong with a row: overridden fields, missing fields, or another body altogether."""

    odd: Mapping[str, Any] = {}
    without: frozenset[str] = frozenset()
    raw: bytes | None = None

    def spoiled(self, row: dict[str, Any]) -> dict[str, Any]:
        """Override and leave out what is to be."""
        if not self.odd and not self.without:
            return row
        return {name: value for name, value in (row | dict(self.odd)).items() if name not in self.without}

    def dumped(self, value: Any) -> bytes:
        """Encode a value that holds what was overridden."""
        # the standard encoder where there is any such, for it writes what msgspec refuses: lone surrogates, NaN
        return json.dumps(value).encode() if self.odd else msgspec.json.encode(value)

    def encoded(self, row: dict[str, Any]) -> bytes:
        """Encode a row so spoiled."""
        return self.dumped(self.spoiled(row)) if self.raw is None else self.raw


EVEN: Final = Oddity()
