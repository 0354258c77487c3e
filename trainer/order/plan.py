"""Plan: which clips make which batch of an epoch, in which order. A pure function, and no torch.

    plan = Plan(clips, settings, seed=1)
    epoch = plan.epoch(0)               its batches: a sequence that is made as it is read
    len(epoch), epoch[0]                146, array([17, 3])              rows of clips
    epoch.of(rank=1, ranks=4)[20:]      from step 20 on, rank 1's part of each

The order depends on the ids, lengths, settings, seed and epoch, and on nothing else: not on where the data lies, not on
how many processes read it, not on what happened before. (Windows of shards and mixed sets depend on which clips share a
shard or a set, too.) So the state of the data is two integers, (epoch, step), and a run can stop between any two steps
and go on with any number of ranks.

Every clip is in exactly one batch of an epoch. A batch holds clips of like length; which ones meet, and in
what order the batches come, is drawn anew each epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np

from ..config import BatchConfig, MixConfig
from .buckets import Buckets, most
from .clips import Clips
from .mixing import Mixture, Taken
from .windows import Batch, Shelves, Windows

WHOLE = MixConfig()
"""Every set whole, once an epoch."""


class Plan:
    """The epochs of a run.

    Raises:
        UsageError: the sets cannot be mixed as `mix` wants.
    """

    def __init__(self, clips: Clips, batch: BatchConfig, seed: int, mix: MixConfig = WHOLE) -> None:
        self._clips, self._batch, self._seed = clips, batch, seed
        self._buckets = Buckets(clips.seconds, batch)
        self._mixture = Mixture(clips, mix, seed) if mix.hours else None
        whole = Taken(np.arange(0 if self._mixture else len(clips), dtype=np.uint32))
        self._whole = self._shelves(whole)

    def epoch(self, number: int) -> "Epoch":
        """The batches of an epoch, counted from 0."""
        shelves = self._shelves(self._mixture.taken(number)) if self._mixture else self._whole
        windows = Windows(shelves, self._seed, number, self._batch.window)
        return Epoch(windows, range(len(windows)))

    def _shelves(self, taken: Taken) -> Shelves:
        return Shelves(self._clips, self._buckets, taken, apart=self._batch.window > 0)


@dataclass(frozen=True, slots=True, eq=False)
class Epoch(Sequence[Batch]):
    """The batches of some steps of an epoch, or a rank's parts of them. All ranks take the same number of steps."""

    _windows: Windows
    _steps: range
    _rank: int = 0
    _ranks: int = 1

    def of(self, rank: int, ranks: int) -> "Epoch":
        """One rank's part of each batch; see `share`."""
        return replace(self, _rank=rank, _ranks=ranks)

    def __len__(self) -> int:
        return len(self._steps)

    @overload
    def __getitem__(self, step: int) -> Batch: ...
    @overload
    def __getitem__(self, step: slice) -> "Epoch": ...
    def __getitem__(self, step: int | slice) -> "Batch | Epoch":
        if isinstance(step, slice):
            return replace(self, _steps=self._steps[step])
        return share(self._windows.batch(self._steps[step]), self._rank, self._ranks)


def share(batch: Batch, rank: int, ranks: int) -> Batch:
    """A rank's part of a global batch: the parts of all ranks in their order are the batch, alike in size but for one.

    A batch of fewer clips than ranks leaves some with an empty part. They take the step all the same, for the others
    wait for them; it has no weight in the sum of gradients.
    """
    if not 0 <= rank < ranks:
        raise ValueError(f"rank {rank} of {ranks}")
    return batch[len(batch) * rank // ranks : len(batch) * (rank + 1) // ranks]


def plan_reading(clips: Clips, batch: BatchConfig) -> list[Batch]:
    """Every clip once, longest first, for evaluation: a batch that does not fit in memory fails at once."""
    rows = np.argsort(-clips.seconds, kind="stable")
    found, start = [], 0
    while start < len(rows):
        end = start + most(batch, float(clips.seconds[rows[start]]))
        found.append(rows[start:end])
        start = end
    return found
