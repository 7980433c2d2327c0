"""How many series devices may have, and which families of which source go when they would have more."""

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Final

_ROOM_TO_RETURN: Final = 0.9  # a family that went comes back only with a tenth to spare, or it would come and go


def fitting(samples: Mapping[str, Sequence[int]], *, most: int, shown: Mapping[str, int]) -> dict[str, int]:
    """How many aspects of each source, from the first on, may be shown.

    `samples` is how many series each aspect of a source has or would have, `most` how many there may be in all,
    `shown` how many aspects of each source are shown now. The source that has the most gives up its last aspect, and
    so on until all fits: a small one does not pay for a large one.
    """
    at_most = _cut(samples, most)
    if at_most == shown:
        return at_most
    at_least = _cut(samples, most * _ROOM_TO_RETURN)
    return {source: min(at_most[source], max(at_least[source], shown[source])) for source in samples}


def _cut(samples: Mapping[str, Sequence[int]], most: float) -> dict[str, int]:
    fits = {source: len(numbers) for source, numbers in samples.items()}
    total = sum(map(sum, samples.values()))
    largest = [(-sum(numbers), source) for source, numbers in samples.items()]
    heapify(largest)
    while total > most:
        kept, source = heappop(largest)
        fits[source] -= 1
        gone = samples[source][fits[source]]
        total -= gone
        if fits[source]:
            heappush(largest, (kept + gone, source))
    return fits
