"""How many series devices may have, and which families go when they would have more."""

from collections.abc import Mapping, Sequence
from typing import Final

_ROOM_TO_RETURN: Final = 0.9  # a family that went comes back only with a tenth to spare, or it would come and go


def fitting(aspects: Sequence[str], samples: Mapping[str, int], *, most: int, shown: int) -> int:
    """How many of the aspects, from the first on, may be shown.

    `samples` is how many series each aspect has or would have, `most` how many there may be in all, `shown` how many
    aspects are shown now.
    """
    total = fits = 0
    for number, aspect in enumerate(aspects, start=1):
        total += samples.get(aspect, 0)
        if total > (most if number <= shown else most * _ROOM_TO_RETURN):
            break
        fits = number
    return fits
