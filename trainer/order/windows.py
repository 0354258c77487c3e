"""Windows: the shards that are shuffled together, and the batches of an epoch within each of them.

    batch.window = 2      shards [4 0] [2 5] [1 3]      in an order drawn for the epoch
    batches                |||||  ||||||  |||||         first all of shards 4 and 0, shuffled; then all of 2 and 5

Without windows (0) the whole data set is one. A window is put in order when the first of its batches is asked for,
and takes 8 bytes of memory a clip until the next one is; how many batches each has is known from the beginning.
"""

import bisect
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .buckets import Buckets, cut
from .clips import Clips
from .draws import mixed, order, salt_of
from .mixing import Taken

Rows = NDArray[np.uint32]
"""Of clips, 4 bytes each where many are kept."""
Places = NDArray[np.int64]
Batch = NDArray[np.int64]
"""Rows of clips, which are those of the data's samples."""
SHARD = np.uint64(33)
"""Where the number of a shard, which has 31 bits, begins in one of 64; below is room for the number of a clip."""


class Shelves:
    """The clips of an epoch by the shard that they lie in, or all on one shelf."""

    def __init__(self, clips: Clips, buckets: Buckets, taken: Taken, apart: bool) -> None:
        self._keys, self._buckets = clips.keys, buckets
        self._rows, self._turns = taken.rows, taken.turns
        shards = clips.shards[self._rows] if apart else np.zeros(len(self._rows), np.int32)
        self._ends = np.cumsum(np.bincount(shards))
        cells = shards.astype(np.int64)
        cells *= len(buckets)
        cells += buckets.of[self._rows]
        table = np.bincount(cells, minlength=len(self) * len(buckets))
        self._table = table.astype(np.uint32).reshape(len(self), len(buckets))
        if apart:
            places = order(shards.astype(np.uint64) << SHARD)
            self._rows, self._turns = self._rows[places], None if self._turns is None else self._turns[places]

    def __len__(self) -> int:
        return len(self._ends)

    def cut(self, shards: Places) -> list[range]:
        """Where batches of the clips of these shards end."""
        counts: list[int] = self._table[shards].sum(axis=0, dtype=np.int64).tolist()
        return cut(counts, self._buckets.most)

    def sorted(self, shards: Places, salt: np.uint64) -> Rows:
        """The clips of these shards by bucket, those of a bucket in an order drawn under `salt`."""
        ends = self._ends[shards]
        begins = ends - self._table[shards].sum(axis=1, dtype=np.int64)
        spans = [slice(begin, end) for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]
        rows = np.concatenate([self._rows[span] for span in spans])
        turns = None if self._turns is None else np.concatenate([self._turns[span] for span in spans])
        return rows[order(mixed(self._keys[rows], salt, turns), self._buckets.of[rows])]


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A window in order."""

    number: int
    rows: Rows
    edges: list[int]
    """Batch `i` is from edge `i` to the next."""
    batches: Places
    """In which order the batches come."""

    def batch(self, step: int) -> Batch:
        """The batch of a step, counted from the window's first."""
        batch = int(self.batches[step])
        return self.rows[self.edges[batch] : self.edges[batch + 1]].astype(np.int64)


class Windows:
    """An epoch in windows of so many shards, or in one (0)."""

    def __init__(self, shelves: Shelves, seed: int, epoch: int, window: int) -> None:
        self._shelves, self._seed, self._epoch = shelves, seed, epoch
        drawn = order(_numbers(len(shelves), salt_of(seed, epoch, "shards")))
        self._shards = np.array_split(drawn, max(1, -(-len(drawn) // window)) if window else 1)
        steps = (sum(len(ends) for ends in shelves.cut(shards)) for shards in self._shards)
        self._begins = [0, *itertools.accumulate(steps)]
        self._opened: Opened | None = None

    def __len__(self) -> int:
        return self._begins[-1]

    def batch(self, step: int) -> Batch:
        """The batch of a step of the epoch."""
        number = bisect.bisect_right(self._begins, step) - 1
        opened = self._opened
        if opened is None or opened.number != number:
            opened = self._opened = self._open(number)
        return opened.batch(step - self._begins[number])

    def _open(self, number: int) -> Opened:
        self._opened = None  # before the next one is made, for there may not be memory for two
        shards = self._shards[number]
        edges = [0, *itertools.chain.from_iterable(self._shelves.cut(shards))]
        drawn = _numbers(len(edges) - 1, salt_of(self._seed, self._epoch, "batches", number))
        rows = self._shelves.sorted(shards, salt_of(self._seed, self._epoch, "clips"))
        return Opened(number, rows, edges, order(drawn))


def _numbers(count: int, salt: np.uint64) -> NDArray[np.uint64]:
    return mixed(np.arange(count, dtype=np.uint64), salt)
