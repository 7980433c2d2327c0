"""A body is unpacked within its limit, in memory too."""

import gzip
import tracemalloc

import pytest

from fleetpulse.outbound import TooLarge
from fleetpulse.outbound.unpacking import Body


def test_a_bomb_never_unfolds_in_memory() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    body = Body(encoding="gzip", max_bytes=10_000)
    tracemalloc.start()

    with pytest.raises(TooLarge):
        body.add(bomb)

    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 1_000_000


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_pieces_of_any_size_make_the_same_whole(size: int) -> None:
    packed = gzip.compress(b"a" * 5000) + gzip.compress(b"b" * 5000)
    body = Body(encoding="gzip", max_bytes=10_000)

    for start in range(0, len(packed), size):
        body.add(packed[start : start + size])

    assert body.whole() == b"a" * 5000 + b"b" * 5000


def test_members_that_unpack_to_nothing_are_limited_too() -> None:
    body = Body(encoding="gzip", max_bytes=10_000)

    with pytest.raises(TooLarge):
        body.add(gzip.compress(b"") * 10_000)
