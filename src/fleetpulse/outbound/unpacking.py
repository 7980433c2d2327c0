"""Unpacking a compressed body piece by piece, never beyond a limit: a small gzip file may hold gigabytes."""

import zlib

from fleetpulse.outbound.errors import BadEncoding, TooLarge

_PACKED = {"": False, "identity": False, "gzip": True, "x-gzip": True, "deflate": True}
_ZLIB_OR_GZIP = 47  # zlib tells the two by their first bytes; servers say `deflate` and mean zlib


class Body:
    """The body so far: `add` takes what the wire brought, `whole` gives it at the end.

    Errors: TooLarge beyond `max_bytes` (unpacked), BadEncoding for an encoding that is unknown or broken.
    """

    def __init__(self, *, encoding: str, max_bytes: int) -> None:
        packed = _PACKED.get(encoding.strip().lower())
        if packed is None:
            msg = "used a content encoding that was not asked for"
            raise BadEncoding(msg)
        self._packed = packed
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._size = 0
        self._packed_size = 0
        self._member = zlib.decompressobj(_ZLIB_OR_GZIP)
        self._fed = False

    def add(self, piece: bytes) -> None:
        """Take the next piece from the wire."""
        if not self._packed:
            self._keep(piece)
            return
        self._fed = self._fed or bool(piece)
        self._packed_size += len(piece)
        if self._packed_size > self._max_bytes:  # members that unpack to nothing never meet the other limit
            raise TooLarge(f"sent more than {self._max_bytes} bytes")
        while piece:
            if self._member.eof:  # gzip members may be joined; the next one begins here
                self._member = zlib.decompressobj(_ZLIB_OR_GZIP)
            try:
                unpacked = self._member.decompress(piece, self._max_bytes - self._size + 1)
            except zlib.error as error:
                msg = "sent a body whose compression is broken"
                raise BadEncoding(msg) from error
            self._keep(unpacked)
            piece = self._member.unused_data if self._member.eof else self._member.unconsumed_tail

    def whole(self) -> bytes:
        """The body, once the wire has ended."""
        if self._fed and not self._member.eof:
            msg = "sent a compressed body that is cut short"
            raise BadEncoding(msg)
        return b"".join(self._pieces)

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._max_bytes:
            msg = f"sent more than {self._max_bytes} bytes"
            raise TooLarge(msg)
        self._pieces.append(piece)
