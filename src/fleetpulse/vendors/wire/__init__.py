"""What the vendors' dialects share: values, rows, paging guards, and the meaning of an answer's status."""

from fleetpulse.vendors.wire.asking import Refusals, Reply, ask, segment
from fleetpulse.vendors.wire.paging import Paging, Step, sendable
from fleetpulse.vendors.wire.rows import Rows, Table, document, looks_like, said
from fleetpulse.vendors.wire.slices import in_slices, made_of
from fleetpulse.vendors.wire.values import identifier, number, output_tail, parse_time, text, unknown_word, word

__all__ = [
    "Paging",
    "Refusals",
    "Reply",
    "Rows",
    "Step",
    "Table",
    "ask",
    "document",
    "identifier",
    "in_slices",
    "looks_like",
    "made_of",
    "number",
    "output_tail",
    "parse_time",
    "said",
    "segment",
    "sendable",
    "text",
    "unknown_word",
    "word",
]
