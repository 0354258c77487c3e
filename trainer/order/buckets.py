"""Buckets: clips of like length, and where a row of them is cut into batches.

    bucket        0        1        2
    longest       4.7 s    5.1 s    5.6 s
    clips         oooooooooooooooooooooooooooooooo
    batches       |........|.......|.......|......|      of at most 8, 7, 7 clips: 40 padded seconds

A batch is cut as if its longest clip were the longest of its bucket in all the data. So where to cut follows from how
many clips each bucket holds, not from which ones come first: an epoch's batches are counted before they are known.
"""

import itertools
import math
import operator
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..config import BatchConfig

PER_DOUBLING = 8
"""Lengths within a factor of 2 ** (1 / 8) = 1.09 are alike: they mix freely, and padding stays below 9 %."""
SHORTEST = 2.0**-10
"""Seconds: what is shorter is alike."""
DOUBLINGS = 40
"""Up to 2 ** 30 seconds, beyond the longest sample that there can be."""
BORDERS = np.fromiter(
    # Multiplied up from square roots, which are exact to the last bit on every machine; powers and logarithms are not.
    itertools.accumulate(
        itertools.repeat(math.sqrt(math.sqrt(math.sqrt(2))), PER_DOUBLING * DOUBLINGS), operator.mul, initial=SHORTEST
    ),
    np.float64,
)


class Buckets:
    """The buckets of a data set that hold a clip, from the shortest on, numbered from 0."""

    def __init__(self, seconds: NDArray[np.float64], batch: BatchConfig) -> None:
        found = np.searchsorted(BORDERS, seconds, side="right").astype(np.int16)
        longest = np.zeros(len(BORDERS) + 1)
        np.maximum.at(longest, found, seconds)
        held = np.flatnonzero(np.bincount(found, minlength=len(longest)))
        numbers = np.zeros(len(longest), np.int16)
        numbers[held] = np.arange(len(held))
        self.of = numbers[found]
        """The bucket of each clip."""
        self.most = [most(batch, one) for one in longest[held].tolist()]
        """Most clips in a batch whose longest is of that bucket: fewer and fewer."""

    def __len__(self) -> int:
        return len(self.most)


def most(batch: BatchConfig, longest: float) -> int:
    """Most clips in a batch whose longest clip has so many seconds; a clip that is too long by itself goes alone."""
    return max(1, int(min(batch.samples, batch.seconds // longest if longest else batch.samples)))


def cut(counts: Sequence[int], limits: Sequence[int]) -> list[range]:
    """Where batches end in a row of clips that is sorted by bucket, as ranges in ascending order.

    `counts[i]` clips are in bucket `i`, of which a batch holds `limits[i]` at most. What a bucket leaves over begins
    the first batch of the next one, so that only the last batch of all is short.
    """
    found, start, end = [], 0, 0
    for count, limit in zip(counts, limits, strict=True):
        if count and end - start >= limit:  # the open batch is as large as one with these longer clips may be
            found.append(range(end, end + 1))
            start = end
        end += count
        inner = range(start + limit, end, limit)
        if inner:
            found.append(inner)
            start = inner[-1]
    return [*found, range(end, end + 1)] if end else found
