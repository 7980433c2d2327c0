"""What a consumer is handed at once."""

from datetime import datetime

import msgspec

from fleetpulse.journal.entries import StoredEvent, Undecodable


class Observation(msgspec.Struct, frozen=True):
    """Things of a source that were seen again, unchanged and not healthy. Nothing of it is kept in the journal."""

    source: str
    subjects: tuple[str, ...]
    at: datetime


class Batch(msgspec.Struct, frozen=True):
    """Events in id order, and observations made after them or some of them. Both empty: the time ran out."""

    events: tuple[StoredEvent | Undecodable, ...] = ()
    observations: tuple[Observation, ...] = ()
