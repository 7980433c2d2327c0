"""Values to bytes for the journal, with every learned secret blanked in their free text."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from fleetpulse.journal import rows

# What something is known by is left as it is: blanked, it would be another thing after a restart.
_IDENTITY: Final = frozenset(
    {"id", "source", "subject", "resource", "vendor", "group", "device", "devices", "key", "route", "receiver"}
    | {"rule", "fingerprint", "groups", "labels", "matchable"}
)


class Encoder:
    """Makes the bytes that are stored. The last net for secrets, behind those who read the vendors' text."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._json = msgspec.json.Encoder()
        self._msgpack = msgspec.msgpack.Encoder()

    def many(self, values: Iterable[msgspec.Struct]) -> Iterator[bytes]:
        """As `json`, for thousands: a batch is searched for secrets at once."""
        for batch in rows.batches(values):
            payloads = [self._json.encode(value) for value in batch]
            text = b"\n".join(payloads).decode()
            yield from payloads if self._clean(text) else map(self.json, batch)

    def json(self, value: msgspec.Struct) -> bytes:
        """For rows that people may want to read with the database's own tools."""
        payload = self._json.encode(value)
        return payload if self._clean(payload.decode()) else self._json.encode(_scrubbed(value, self._redact))

    def msgpack(self, value: msgspec.Struct) -> bytes:
        """For rows that only we read."""
        payload = self._msgpack.encode(value)
        text = payload.decode(errors="replace")  # strings stand in msgpack as they are, between bytes of its own
        return payload if self._redact(text) == text else self._msgpack.encode(_scrubbed(value, self._redact))

    def _clean(self, json: str) -> bool:
        return "\\" not in json and self._redact(json) == json  # an escape may hide a secret that holds quotes

    def text(self, text: str) -> str:
        """A plain text column."""
        return self._redact(text)


def _scrubbed(value: Any, redact: Callable[[str], str]) -> Any:
    if type(value) is str:  # an enumeration's word is a str too, and ours
        return redact(value)
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(
            value,
            **{
                name: _scrubbed(field, redact)
                for name in value.__struct_fields__
                if isinstance(field := getattr(value, name), msgspec.Struct) or name not in _IDENTITY
            },
        )
    if isinstance(value, tuple):
        return tuple(_scrubbed(item, redact) for item in value)
    if isinstance(value, dict):
        return {key: _scrubbed(item, redact) for key, item in value.items()}
    return value
